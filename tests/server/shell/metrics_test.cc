#include "server/base/metrics.h"

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ostiary {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(MetricsTest, RendersNameHelpTypeLabelsAndValue) {
  Metrics metrics;
  metrics
      .FindCounter("ostiary_calls_total", "Calls answered.",
                   {{"method", "Verify"}, {"code", "OK"}})
      .Increment();
  metrics.FindGauge("ostiary_waiting", "Work that waits.").Set(3);
  const std::string text = metrics.Render();
  EXPECT_THAT(text, HasSubstr("# HELP ostiary_calls_total Calls answered.\n"));
  EXPECT_THAT(text, HasSubstr("# TYPE ostiary_calls_total counter\n"));
  EXPECT_THAT(text, HasSubstr("method=\"Verify\""));
  EXPECT_THAT(text, HasSubstr("} 1\n"));
  EXPECT_THAT(text, HasSubstr("# TYPE ostiary_waiting gauge\n"));
  EXPECT_THAT(text, HasSubstr("ostiary_waiting 3\n"));
}

TEST(MetricsTest, TheSameNameAndLabelsAreTheSameMetric) {
  Metrics metrics;
  Counter& a = metrics.FindCounter("ostiary_x_total", "X.", {{"l", "1"}});
  Counter& b = metrics.FindCounter("ostiary_x_total", "X.", {{"l", "1"}});
  Counter& other = metrics.FindCounter("ostiary_x_total", "X.", {{"l", "2"}});
  EXPECT_EQ(&a, &b);
  EXPECT_NE(&a, &other);
  a.Increment(2);
  b.Increment();
  EXPECT_THAT(metrics.Render(), HasSubstr("ostiary_x_total{l=\"1\"} 3\n"));
}

TEST(MetricsTest, LatencyFallsIntoBucketsFromTenMicrosecondsToTenSeconds) {
  Metrics metrics;
  LatencyHistogram& latency =
      metrics.FindLatency("ostiary_call_seconds", "How long calls took.");
  latency.Observe(absl::Microseconds(20));
  latency.Observe(absl::Milliseconds(30));
  latency.Observe(absl::Seconds(60));
  const std::string text = metrics.Render();
  EXPECT_THAT(text, HasSubstr("# TYPE ostiary_call_seconds histogram\n"));
  EXPECT_THAT(text, HasSubstr("ostiary_call_seconds_count 3\n"));
  EXPECT_THAT(text, HasSubstr("ostiary_call_seconds_bucket{le=\"1e-05\"} 0\n"));
  EXPECT_THAT(text,
              HasSubstr("ostiary_call_seconds_bucket{le=\"2.5e-05\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("ostiary_call_seconds_bucket{le=\"0.05\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("ostiary_call_seconds_bucket{le=\"10\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("ostiary_call_seconds_bucket{le=\"+Inf\"} 3\n"));
}

TEST(MetricsTest, ACallbackIsAskedAtEachRenderUntilItsHandleIsGone) {
  Metrics metrics;
  double value = 1;
  std::unique_ptr<Metrics::Callback> one =
      metrics.AddGaugeCallback("ostiary_live", "Live things.",
                               {{"lane", "store"}}, [&value] { return value; });
  std::unique_ptr<Metrics::Callback> two = metrics.AddCounterCallback(
      "ostiary_commits_total", "Commits.", {}, [&value] { return value * 10; });
  EXPECT_THAT(metrics.Render(), HasSubstr("ostiary_live{lane=\"store\"} 1\n"));
  value = 2;
  EXPECT_THAT(metrics.Render(), HasSubstr("ostiary_live{lane=\"store\"} 2\n"));
  EXPECT_THAT(metrics.Render(),
              HasSubstr("# TYPE ostiary_commits_total counter\n"
                        "ostiary_commits_total 20\n"));
  one.reset();
  EXPECT_THAT(metrics.Render(), Not(HasSubstr("ostiary_live")));
}

TEST(MetricsTest, AHandleMayOutliveTheMetrics) {
  auto metrics = std::make_unique<Metrics>();
  std::unique_ptr<Metrics::Callback> handle = metrics->AddGaugeCallback(
      "ostiary_live", "Live.", {}, [] { return 1.0; });
  metrics.reset();
  handle.reset();
}

TEST(MetricsTest, ALabelValueCannotForgeALine) {
  Metrics metrics;
  metrics.FindGauge("ostiary_g", "G.", {{"l", "a\"} 9\nostiary_forged 1"}})
      .Set(1);
  EXPECT_THAT(metrics.Render(), Not(HasSubstr("\nostiary_forged")));
}

TEST(MetricsTest, IncrementsOfManyThreadsAllCount) {
  Metrics metrics;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&metrics] {
      Counter& counter = metrics.FindCounter("ostiary_n_total", "N.");
      for (int i = 0; i < 1000; ++i) counter.Increment();
    });
  }
  for (int i = 0; i < 10; ++i) metrics.Render();
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(metrics.Render(), HasSubstr("ostiary_n_total 4000\n"));
}

TEST(MetricsDeathTest, AMetricNamedWronglyEndsTheProcess) {
  Metrics metrics;
  EXPECT_DEATH(metrics.FindGauge("Queue-Length", "Q."), "Queue-Length");
  metrics.FindGauge("ostiary_g", "G.");
  EXPECT_DEATH(metrics.FindCounter("ostiary_g", "G."), "another kind");
}

}  // namespace
}  // namespace ostiary

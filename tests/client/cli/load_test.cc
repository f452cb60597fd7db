#include "client/cli/load.h"

#include <csignal>
#include <functional>
#include <sstream>
#include <utility>

#include "absl/time/clock.h"
#include "client/cli/bench_report.h"
#include "gmock/gmock.h"
#include "grpcpp/alarm.h"
#include "gtest/gtest.h"

namespace ostiary::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

CallFailure Overloaded() {
  return {"RESOURCE_EXHAUSTED", "OVERLOADED", ExitCode::kUnavailable};
}

// A call that takes `takes`, without any server.
class FakeLane final : public Lane {
 public:
  explicit FakeLane(absl::Duration call_takes) : takes(call_takes) {}

  void Begin(grpc::CompletionQueue& queue, void* tag) override {
    ++begun;
    alarm_.Set(&queue, absl::ToChronoTime(absl::Now() + takes), tag);
  }
  std::optional<CallFailure> End() override {
    if (cancelled) return CallFailure{"CANCELLED", "", ExitCode::kUnavailable};
    return failure ? failure(begun) : std::nullopt;
  }
  bool CanGoOn() const override { return begun < gives_up_after; }
  bool BeginTidyUp(grpc::CompletionQueue& queue, void* tag) override {
    if (!leaves_something) return false;
    ++tidied;
    alarm_.Set(&queue, absl::ToChronoTime(absl::Now()), tag);
    return true;
  }
  bool TidiesEachTime() const override { return tidies_each_time; }
  void Cancel() override {
    cancelled = true;
    alarm_.Cancel();
  }

  const absl::Duration takes;
  std::function<std::optional<CallFailure>(int call)> failure;
  int gives_up_after = 1 << 30;
  bool leaves_something = false;
  bool tidies_each_time = false;
  int begun = 0;
  int tidied = 0;
  bool cancelled = false;

 private:
  grpc::Alarm alarm_;
};

class LoadTest : public ::testing::Test {
 protected:
  FakeLane& AddLane(absl::Duration takes) {
    auto lane = std::make_unique<FakeLane>(takes);
    FakeLane& added = *lane;
    lanes_.push_back(std::move(lane));
    return added;
  }
  LoadResult Run(absl::Duration duration, std::optional<double> rate = {}) {
    return RunLoad({duration, rate}, lanes_, interrupt_,
                   [this](const LoadSecond& second) { on_second_(second); });
  }

  Interrupt interrupt_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::function<void(const LoadSecond&)> on_second_ = [](const auto&) {};
};

TEST_F(LoadTest, EveryLaneCallsUntilTheTimeIsOver) {
  FakeLane& one = AddLane(absl::Milliseconds(5));
  FakeLane& two = AddLane(absl::Milliseconds(5));
  const LoadResult result = Run(absl::Milliseconds(200));
  EXPECT_GT(one.begun, 2);
  EXPECT_GT(two.begun, 2);
  EXPECT_LE(one.begun, 41);
  EXPECT_EQ(result.latencies.count(),
            static_cast<std::uint64_t>(one.begun + two.begun));
  EXPECT_GE(result.latencies.Percentile(0.01), absl::Milliseconds(4));
  EXPECT_EQ(result.failed, 0u);
  EXPECT_FALSE(result.interrupted);
  EXPECT_EQ(ExitCodeOf(result), ExitCode::kOk);
}

TEST_F(LoadTest, FailuresAreCountedByCodeAndReasonAndNotTimed) {
  AddLane(absl::Milliseconds(1)).failure =
      [](int call) -> std::optional<CallFailure> {
    if (call <= 2) return Overloaded();
    if (call == 3) return CallFailure{"OK", "TOKEN_EXPIRED", ExitCode::kNo};
    return std::nullopt;
  };
  const LoadResult result = Run(absl::Milliseconds(300));
  EXPECT_EQ(result.failed, 3u);
  EXPECT_EQ(result.failures.at({"RESOURCE_EXHAUSTED", "OVERLOADED"}).times, 2u);
  EXPECT_EQ(result.failures.at({"OK", "TOKEN_EXPIRED"}).times, 1u);
  EXPECT_EQ(ExitCodeOf(result), ExitCode::kUnavailable);  // the most frequent
}

TEST_F(LoadTest, LaneRestsAfterAFailure) {
  FakeLane& lane = AddLane(absl::ZeroDuration());
  lane.failure = [](int) { return Overloaded(); };
  Run(absl::Milliseconds(200));
  EXPECT_GT(lane.begun, 1);
  EXPECT_LE(lane.begun, 21);
}

TEST_F(LoadTest, EndsWhenNoLaneCanGoOn) {
  AddLane(absl::ZeroDuration()).gives_up_after = 3;
  const absl::Time began = absl::Now();
  const LoadResult result = Run(absl::Seconds(30));
  EXPECT_LT(absl::Now() - began, absl::Seconds(20));
  EXPECT_EQ(result.latencies.count(), 3u);
}

TEST_F(LoadTest, RateIsKept) {
  for (int i = 0; i < 4; ++i) AddLane(absl::ZeroDuration());
  const LoadResult result = Run(absl::Milliseconds(500), 100);
  EXPECT_LE(result.latencies.count(), 51u);
  EXPECT_GT(result.latencies.count(), 10u);
}

// The mistake of many load tools: a server that stands still for a while gets
// fewer calls and looks fast.
TEST_F(LoadTest, WithARateWaitingForALaneCounts) {
  AddLane(absl::Milliseconds(100));
  const LoadResult result = Run(absl::Milliseconds(400), 100);
  EXPECT_GE(result.latencies.longest(), absl::Milliseconds(250));
  EXPECT_GT(result.not_begun, 20u);
  EXPECT_LE(result.not_begun, 40u);
}

TEST_F(LoadTest, TidiesUpOnceAtTheEndOrEachTime) {
  FakeLane& once = AddLane(absl::Milliseconds(5));
  once.leaves_something = true;
  FakeLane& each = AddLane(absl::Milliseconds(5));
  each.leaves_something = each.tidies_each_time = true;
  Run(absl::Milliseconds(100));
  EXPECT_EQ(once.tidied, 1);
  EXPECT_GE(each.tidied, each.begun);
}

TEST_F(LoadTest, InterruptEndsItWithWhatThereIs) {
  FakeLane& lane = AddLane(absl::Milliseconds(1));
  lane.leaves_something = true;
  on_second_ = [](const LoadSecond& second) {
    EXPECT_GT(second.latencies.count(), 0u);
    std::raise(SIGINT);
    std::raise(SIGINT);  // at once: the same press
  };
  const absl::Time began = absl::Now();
  const LoadResult result = Run(absl::Seconds(60));
  EXPECT_LT(absl::Now() - began, absl::Seconds(30));
  EXPECT_TRUE(result.interrupted);
  EXPECT_GT(result.latencies.count(), 0u);
  EXPECT_EQ(lane.tidied, 1);
}

TEST_F(LoadTest, InterruptBeforeTheFirstCallCallsNobody) {
  FakeLane& lane = AddLane(absl::Milliseconds(1));
  std::raise(SIGTERM);
  EXPECT_TRUE(Run(absl::Seconds(60)).interrupted);
  EXPECT_EQ(lane.begun, 0);
}

TEST_F(LoadTest, HangingCallIsCutOffAfterAnInterruptAndNotCounted) {
  FakeLane& hanging = AddLane(absl::Minutes(5));
  AddLane(absl::Milliseconds(1));
  // Later seconds would raise again, after the half second.
  bool raised = false;
  on_second_ = [&raised](const LoadSecond&) {
    if (!std::exchange(raised, true)) std::raise(SIGTERM);
  };
  const LoadResult result = Run(absl::Seconds(60));
  EXPECT_TRUE(hanging.cancelled);
  EXPECT_EQ(result.failed, 0u);
}

LoadResult SomeResult() {
  LoadResult result;
  result.elapsed = absl::Seconds(2);
  for (int i = 0; i < 100; ++i) result.latencies.Add(absl::Milliseconds(1));
  result.failed = 3;
  result.failures[{"RESOURCE_EXHAUSTED", "OVERLOADED"}] = {
      ExitCode::kUnavailable, 3};
  return result;
}

TEST(BenchReportTest, JsonIsOneLineForPrograms) {
  std::ostringstream out;
  WriteReport({"verify", "localhost:1", 16, 2, 50.0}, SomeResult(),
              Format::kJson, out);
  EXPECT_EQ(out.str(),
            "{\"operation\":\"verify\",\"server\":\"localhost:1\","
            "\"concurrency\":16,\"connections\":2,\"seconds\":2.000,"
            "\"interrupted\":false,\"calls\":103,\"good\":100,"
            "\"good_per_second\":50.000,\"latency_ms\":{\"p50\":1.000,"
            "\"p90\":1.000,\"p99\":1.000,\"p999\":1.000,\"max\":1.000},"
            "\"errors\":3,\"failures\":[{\"code\":\"RESOURCE_EXHAUSTED\","
            "\"reason\":\"OVERLOADED\",\"times\":3}],\"rate\":50.000,"
            "\"not_begun\":0}\n");
}

TEST(BenchReportTest, TableTellsThroughputPercentilesAndErrors) {
  std::ostringstream out;
  WriteReport({"verify", "localhost:1", 16, 1, std::nullopt}, SomeResult(),
              Format::kTable, out);
  EXPECT_THAT(out.str(),
              AllOf(HasSubstr("good calls   100, 50 a second\n"),
                    HasSubstr("p99.9        1.000 ms\n"),
                    HasSubstr("errors       3\n"), Not(HasSubstr("asked for")),
                    HasSubstr("RESOURCE_EXHAUSTED  OVERLOADED  3")));
}

TEST(BenchReportTest, ProgressIsALineForTheLastSecond) {
  Latencies latencies;
  for (int i = 0; i < 100; ++i) latencies.Add(absl::Milliseconds(2));
  EXPECT_EQ(ProgressLine({absl::Seconds(3), absl::Seconds(1), latencies, 7}),
            "   3s  100 calls/s  p50 2.000 ms  p99 2.000 ms  errors 7\n");
}

}  // namespace
}  // namespace ostiary::cli

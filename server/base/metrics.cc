#include "server/base/metrics.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "prometheus/counter.h"
#include "prometheus/gauge.h"
#include "prometheus/histogram.h"
#include "prometheus/registry.h"
#include "prometheus/text_serializer.h"

namespace ostiary {
namespace {

enum class Kind { kCounter, kGauge, kLatency };

// Seconds. A Verify takes some 20 us, a password hash some 30 ms, a stalled
// disk seconds; about three buckets a decade.
const prometheus::Histogram::BucketBoundaries& LatencyBuckets() {
  static const auto& buckets = *new prometheus::Histogram::BucketBoundaries{
      0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001,
      0.0025,  0.005,    0.01,    0.025,  0.05,    0.1,    0.25,
      0.5,     1,        2.5,     5,      10};
  return buckets;
}

class PrometheusCounter final : public Counter {
 public:
  explicit PrometheusCounter(prometheus::Counter& counter)
      : counter_(counter) {}
  void Increment(double by) override { counter_.Increment(by); }

 private:
  prometheus::Counter& counter_;
};

class PrometheusGauge final : public Gauge {
 public:
  explicit PrometheusGauge(prometheus::Gauge& gauge) : gauge_(gauge) {}
  void Set(double value) override { gauge_.Set(value); }
  void Add(double by) override { gauge_.Increment(by); }

 private:
  prometheus::Gauge& gauge_;
};

class PrometheusLatency final : public LatencyHistogram {
 public:
  explicit PrometheusLatency(prometheus::Histogram& histogram)
      : histogram_(histogram) {}
  void Observe(absl::Duration took) override {
    histogram_.Observe(absl::ToDoubleSeconds(took));
  }

 private:
  prometheus::Histogram& histogram_;
};

[[noreturn]] void Die(const std::string& name, const char* why) {
  std::fprintf(stderr, "metric '%s' %s\n", name.c_str(), why);
  std::abort();
}

bool IsMetricName(const std::string& name) {
  return absl::StartsWith(name, "ostiary_") &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") ==
             std::string::npos;
}

prometheus::Labels ToLabels(const MetricLabels& labels) {
  return prometheus::Labels(labels.begin(), labels.end());
}

}  // namespace

class Metrics::Registry {
 public:
  Counter& FindCounter(const std::string& name, const std::string& help,
                       const MetricLabels& labels) {
    const std::lock_guard lock(mutex_);
    Claim(name, Kind::kCounter, Source::kStored);
    prometheus::Counter& counter = prometheus::BuildCounter()
                                       .Name(name)
                                       .Help(help)
                                       .Register(registry_)
                                       .Add(ToLabels(labels));
    auto& mine = counters_[&counter];
    if (mine == nullptr) mine = std::make_unique<PrometheusCounter>(counter);
    return *mine;
  }

  Gauge& FindGauge(const std::string& name, const std::string& help,
                   const MetricLabels& labels) {
    const std::lock_guard lock(mutex_);
    Claim(name, Kind::kGauge, Source::kStored);
    prometheus::Gauge& gauge =
        prometheus::BuildGauge().Name(name).Help(help).Register(registry_).Add(
            ToLabels(labels));
    auto& mine = gauges_[&gauge];
    if (mine == nullptr) mine = std::make_unique<PrometheusGauge>(gauge);
    return *mine;
  }

  LatencyHistogram& FindLatency(const std::string& name,
                                const std::string& help,
                                const MetricLabels& labels) {
    const std::lock_guard lock(mutex_);
    Claim(name, Kind::kLatency, Source::kStored);
    prometheus::Histogram& histogram =
        prometheus::BuildHistogram()
            .Name(name)
            .Help(help)
            .Register(registry_)
            .Add(ToLabels(labels), LatencyBuckets());
    auto& mine = latencies_[&histogram];
    if (mine == nullptr) mine = std::make_unique<PrometheusLatency>(histogram);
    return *mine;
  }

  void AddCallback(const std::string& name, const std::string& help, Kind kind,
                   const MetricLabels& labels, Read read) {
    const std::lock_guard lock(mutex_);
    Claim(name, kind, Source::kCallback);
    Family& family = families_[name];
    family.help = help;
    if (!family.reads.emplace(ToLabels(labels), std::move(read)).second) {
      Die(name, "is already read from somewhere else");
    }
  }

  void RemoveCallback(const std::string& name, const MetricLabels& labels) {
    const std::lock_guard lock(mutex_);
    families_[name].reads.erase(ToLabels(labels));
  }

  std::vector<prometheus::MetricFamily> Collect() {
    std::vector<prometheus::MetricFamily> collected = registry_.Collect();
    const std::lock_guard lock(mutex_);
    for (const auto& [name, family] : families_) {
      if (family.reads.empty()) continue;
      collected.push_back(CollectCallbacks(name, family));
    }
    return collected;
  }

 private:
  enum class Source { kStored, kCallback };
  struct Family {
    std::string help;
    std::map<prometheus::Labels, Read> reads;
  };

  // The caller of these two holds mutex_.

  // A family is rendered once, so one name has one kind and one source.
  void Claim(const std::string& name, Kind kind, Source source) {
    if (!IsMetricName(name)) Die(name, "must be ostiary_[a-z0-9_]+");
    const auto claim = std::pair(kind, source);
    if (claims_.emplace(name, claim).first->second != claim) {
      Die(name, "is already a metric of another kind");
    }
  }

  prometheus::MetricFamily CollectCallbacks(const std::string& name,
                                            const Family& family) {
    const bool counts = claims_.at(name).first == Kind::kCounter;
    prometheus::MetricFamily collected;
    collected.name = name;
    collected.help = family.help;
    collected.type = counts ? prometheus::MetricType::Counter
                            : prometheus::MetricType::Gauge;
    for (const auto& [labels, read] : family.reads) {
      prometheus::ClientMetric metric;
      for (const auto& [key, value] : labels) {
        metric.label.push_back({key, value});
      }
      (counts ? metric.counter.value : metric.gauge.value) = read();
      collected.metric.push_back(std::move(metric));
    }
    return collected;
  }

  prometheus::Registry registry_;  // synchronises itself

  // Not absl::Mutex: Debian's is invisible to tsan, which must see this one.
  // Guards what follows.
  std::mutex mutex_;
  std::map<std::string, std::pair<Kind, Source>> claims_;
  std::map<prometheus::Counter*, std::unique_ptr<PrometheusCounter>> counters_;
  std::map<prometheus::Gauge*, std::unique_ptr<PrometheusGauge>> gauges_;
  std::map<prometheus::Histogram*, std::unique_ptr<PrometheusLatency>>
      latencies_;
  std::map<std::string, Family> families_;
};

class Metrics::Registration final : public Metrics::Callback {
 public:
  Registration(std::shared_ptr<Registry> registry, std::string name,
               MetricLabels labels)
      : registry_(std::move(registry)),
        name_(std::move(name)),
        labels_(std::move(labels)) {}
  ~Registration() override { registry_->RemoveCallback(name_, labels_); }

 private:
  const std::shared_ptr<Registry> registry_;
  const std::string name_;
  const MetricLabels labels_;
};

Metrics::Metrics() : registry_(std::make_shared<Registry>()) {}
Metrics::~Metrics() = default;

Counter& Metrics::FindCounter(absl::string_view name, absl::string_view help,
                              const MetricLabels& labels) {
  return registry_->FindCounter(std::string(name), std::string(help), labels);
}

Gauge& Metrics::FindGauge(absl::string_view name, absl::string_view help,
                          const MetricLabels& labels) {
  return registry_->FindGauge(std::string(name), std::string(help), labels);
}

LatencyHistogram& Metrics::FindLatency(absl::string_view name,
                                       absl::string_view help,
                                       const MetricLabels& labels) {
  return registry_->FindLatency(std::string(name), std::string(help), labels);
}

std::unique_ptr<Metrics::Callback> Metrics::AddGaugeCallback(
    absl::string_view name, absl::string_view help, const MetricLabels& labels,
    Read read) {
  registry_->AddCallback(std::string(name), std::string(help), Kind::kGauge,
                         labels, std::move(read));
  return std::make_unique<Registration>(registry_, std::string(name), labels);
}

std::unique_ptr<Metrics::Callback> Metrics::AddCounterCallback(
    absl::string_view name, absl::string_view help, const MetricLabels& labels,
    Read read) {
  registry_->AddCallback(std::string(name), std::string(help), Kind::kCounter,
                         labels, std::move(read));
  return std::make_unique<Registration>(registry_, std::string(name), labels);
}

std::string Metrics::Render() const {
  return prometheus::TextSerializer().Serialize(registry_->Collect());
}

}  // namespace ostiary

#ifndef OSTIARY_SERVER_BASE_METRICS_H_
#define OSTIARY_SERVER_BASE_METRICS_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace ostiary {

// Name and value, in the order they are shown. Values come from lists of ours
// (methods, reasons, lanes), never from a caller: a label per username would
// be a leak and a way to fill the memory.
using MetricLabels = std::vector<std::pair<std::string, std::string>>;

// Only rises. Thread-safe; an increment is one atomic addition.
class Counter {
 public:
  virtual ~Counter() = default;
  virtual void Increment(double by = 1) = 0;
};

// Goes up and down. Thread-safe.
class Gauge {
 public:
  virtual ~Gauge() = default;
  virtual void Set(double value) = 0;
  virtual void Add(double by) = 0;
};

// How often things took how long, in buckets from 10 us to 10 s. Thread-safe;
// takes a short lock of its own.
class LatencyHistogram {
 public:
  virtual ~LatencyHistogram() = default;
  virtual void Observe(absl::Duration took) = 0;
};

// What an operator's Prometheus reads. Whoever measures asks for its metric
// once, when it is built, and keeps the reference: it lives as long as this
// object.
//
// Names begin with "ostiary_", counters end in "_total", latencies in
// "_seconds". The same name and labels give the same metric; a name used for
// two kinds, or an impossible name, ends the process: it is a mistake in the
// program and shows at its first start.
//
// Thread-safe.
class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  Counter& FindCounter(absl::string_view name, absl::string_view help,
                       const MetricLabels& labels = {});
  Gauge& FindGauge(absl::string_view name, absl::string_view help,
                   const MetricLabels& labels = {});
  LatencyHistogram& FindLatency(absl::string_view name, absl::string_view help,
                                const MetricLabels& labels = {});

  // A value kept elsewhere, asked for at each Render for as long as the handle
  // lives. `read` runs on the rendering thread with a lock of ours held, so
  // that it never runs after its handle is gone: it must be quick and must not
  // come back to this object. The same name and labels twice end the process.
  class Callback {
   public:
    virtual ~Callback() = default;
  };
  using Read = std::function<double()>;
  [[nodiscard]] std::unique_ptr<Callback> AddGaugeCallback(
      absl::string_view name, absl::string_view help,
      const MetricLabels& labels, Read read);
  // `read` must never fall.
  [[nodiscard]] std::unique_ptr<Callback> AddCounterCallback(
      absl::string_view name, absl::string_view help,
      const MetricLabels& labels, Read read);

  // Prometheus' text format 0.0.4
  // ("text/plain; version=0.0.4; charset=utf-8").
  std::string Render() const;

 private:
  class Registry;
  class Registration;
  // Shared with the callbacks' handles, which may be destroyed later.
  std::shared_ptr<Registry> registry_;
};

}  // namespace ostiary

#endif  // OSTIARY_SERVER_BASE_METRICS_H_

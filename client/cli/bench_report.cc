#include "client/cli/bench_report.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>
#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/cli/printable.h"
#include "client/cli/table.h"

namespace ostiary::cli {
namespace {

struct NamedShare {
  const char* name;
  const char* json_name;
  double share;
};
constexpr NamedShare kShares[] = {{"p50", "p50", 0.5},
                                  {"p90", "p90", 0.9},
                                  {"p99", "p99", 0.99},
                                  {"p99.9", "p999", 0.999}};

std::string Milliseconds(absl::Duration duration) {
  return absl::StrFormat("%.3f ms", absl::ToDoubleMilliseconds(duration));
}

double PerSecond(std::uint64_t calls, absl::Duration time) {
  if (time <= absl::ZeroDuration()) return 0;
  return static_cast<double>(calls) / absl::ToDoubleSeconds(time);
}

// Three digits say more than a load on a real machine can.
double Rounded(double value) { return std::round(value * 1000) / 1000; }

void WriteTable(const BenchSubject& subject, const LoadResult& result,
                std::ostream& out) {
  const auto line = [&out](const char* name, const std::string& value) {
    out << absl::StreamFormat("%-13s%s\n", name, value);
  };
  const std::uint64_t good = result.latencies.count();
  line("operation", subject.operation);
  line("server", Printable(subject.server));
  line("in flight",
       absl::StrCat("at most ", subject.concurrency, ", on ",
                    subject.connections,
                    subject.connections == 1 ? " connection" : " connections"));
  line("time",
       absl::StrFormat("%.1f s%s", absl::ToDoubleSeconds(result.elapsed),
                       result.interrupted ? ", interrupted" : ""));
  line("good calls", absl::StrFormat("%d, %.0f a second", good,
                                     PerSecond(good, result.elapsed)));
  if (subject.rate) {
    line("asked for", absl::StrFormat("%g a second, %d not begun",
                                      *subject.rate, result.not_begun));
  }
  for (const NamedShare& share : kShares) {
    line(share.name, Milliseconds(result.latencies.Percentile(share.share)));
  }
  line("max", Milliseconds(result.latencies.longest()));
  line("errors", absl::StrCat(result.failed));
  if (result.failures.empty()) return;
  Table table({"CODE", "REASON", "TIMES"});
  for (const auto& [name, count] : result.failures) {
    table.AddRow({name.first, name.second, absl::StrCat(count.times)});
  }
  out << '\n';
  table.Flush(out);
}

boost::json::object JsonOf(const BenchSubject& subject,
                           const LoadResult& result) {
  boost::json::object latency;
  for (const NamedShare& share : kShares) {
    latency[share.json_name] = Rounded(
        absl::ToDoubleMilliseconds(result.latencies.Percentile(share.share)));
  }
  latency["max"] =
      Rounded(absl::ToDoubleMilliseconds(result.latencies.longest()));
  boost::json::array failures;
  for (const auto& [name, count] : result.failures) {
    failures.push_back(boost::json::object{
        {"code", name.first}, {"reason", name.second}, {"times", count.times}});
  }
  const std::uint64_t good = result.latencies.count();
  boost::json::object json = {
      {"operation", subject.operation},
      {"server", subject.server},
      {"concurrency", subject.concurrency},
      {"connections", subject.connections},
      {"seconds", Rounded(absl::ToDoubleSeconds(result.elapsed))},
      {"interrupted", result.interrupted},
      {"calls", good + result.failed},
      {"good", good},
      {"good_per_second", Rounded(PerSecond(good, result.elapsed))},
      {"latency_ms", latency},
      {"errors", result.failed},
      {"failures", failures}};
  if (subject.rate) {
    json["rate"] = *subject.rate;
    json["not_begun"] = result.not_begun;
  }
  return json;
}

}  // namespace

std::string ProgressLine(const LoadSecond& second) {
  return absl::StrFormat("%4.0fs  %.0f calls/s  p50 %s  p99 %s  errors %d\n",
                         absl::ToDoubleSeconds(second.since_begin),
                         PerSecond(second.latencies.count(), second.length),
                         Milliseconds(second.latencies.Percentile(0.5)),
                         Milliseconds(second.latencies.Percentile(0.99)),
                         second.failed);
}

void WriteReport(const BenchSubject& subject, const LoadResult& result,
                 Format format, std::ostream& out) {
  if (format == Format::kTable) return WriteTable(subject, result, out);
  out << Printable(boost::json::serialize(JsonOf(subject, result))) << '\n';
}

ExitCode ExitCodeOf(const LoadResult& result) {
  ExitCode code = ExitCode::kOk;
  std::uint64_t most = 0;
  for (const auto& [name, count] : result.failures) {
    if (count.times <= most) continue;
    most = count.times;
    code = count.exit_code;
  }
  return code;
}

}  // namespace ostiary::cli

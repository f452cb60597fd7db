#include "client/cli/bench_report.h"

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
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

std::string Quoted(const std::string& text) {
  return boost::json::serialize(boost::json::string(text));
}

std::string FailuresJson(const LoadResult& result) {
  std::vector<std::string> failures;
  for (const auto& [name, count] : result.failures) {
    failures.push_back(
        absl::StrFormat("{\"code\":%s,\"reason\":%s,\"times\":%d}",
                        Quoted(name.first), Quoted(name.second), count.times));
  }
  return absl::StrJoin(failures, ",");
}

// By hand: Boost writes 12.5 as 1.25E1, which people read too.
std::string JsonOf(const BenchSubject& subject, const LoadResult& result) {
  const std::uint64_t good = result.latencies.count();
  std::string json = absl::StrFormat(
      "{\"operation\":%s,\"server\":%s,\"concurrency\":%d,"
      "\"connections\":%d,\"seconds\":%.3f,\"interrupted\":%s,\"calls\":%d,"
      "\"good\":%d,\"good_per_second\":%.3f,\"latency_ms\":{",
      Quoted(subject.operation), Quoted(subject.server), subject.concurrency,
      subject.connections, absl::ToDoubleSeconds(result.elapsed),
      result.interrupted ? "true" : "false", good + result.failed, good,
      PerSecond(good, result.elapsed));
  for (const NamedShare& share : kShares) {
    absl::StrAppendFormat(
        &json, "\"%s\":%.3f,", share.json_name,
        absl::ToDoubleMilliseconds(result.latencies.Percentile(share.share)));
  }
  absl::StrAppendFormat(&json, "\"max\":%.3f},\"errors\":%d,\"failures\":[%s]",
                        absl::ToDoubleMilliseconds(result.latencies.longest()),
                        result.failed, FailuresJson(result));
  if (subject.rate) {
    absl::StrAppendFormat(&json, ",\"rate\":%.3f,\"not_begun\":%d",
                          *subject.rate, result.not_begun);
  }
  return json + "}";
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
  out << Printable(JsonOf(subject, result)) << '\n';
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

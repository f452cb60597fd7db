#include "client/cli/bench_run.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/cli/bench_report.h"
#include "client/cli/failure.h"

namespace ostiary::cli {
namespace {

constexpr int kMaxConcurrency = 1024;
constexpr int kMaxConnections = 64;
constexpr double kMaxRate = 1e6;

}  // namespace

void AddBenchFlags(CLI::App& command, BenchFlags& flags) {
  command.add_option("--duration", flags.duration, "100ms to 1h (10s)")
      ->type_name("DURATION");
  command
      .add_option("--concurrency", flags.concurrency,
                  "Calls under way at a time, 1 to 1024 (16)")
      ->type_name("N")
      ->check(CLI::Range(1, kMaxConcurrency));
  command
      .add_option("--connections", flags.connections,
                  "HTTP/2 connections they share, 1 to 64 (1)")
      ->type_name("N")
      ->check(CLI::Range(1, kMaxConnections));
  command
      .add_option("--rate", flags.rate,
                  "Calls a second; without it as fast as answers come")
      ->type_name("N")
      ->check(CLI::Range(0.001, kMaxRate));
  command.add_flag("--progress", flags.progress,
                   "A line each second even if stderr is no terminal");
  command.add_flag("--yes-load-this-server", flags.consent,
                   "The server is not on this machine, and may be loaded");
}

absl::StatusOr<Bench> PrepareBench(Invocation& run, const char* operation,
                                   const BenchFlags& flags) {
  const auto duration = ParseDurationFlag(
      "--duration", flags.duration, absl::Milliseconds(100), absl::Hours(1));
  if (!duration.ok()) return duration.status();
  const absl::StatusOr<Connection*> connection = run.connection();
  if (!connection.ok()) return connection.status();
  const Endpoint& endpoint = (*connection)->endpoint();
  if (!endpoint.is_on_this_machine && !flags.consent) {
    return UsageError(absl::StrCat(
        endpoint.description,
        " is not on this machine; a load can keep it from serving others. If "
        "that is meant, say --yes-load-this-server"));
  }
  Bench bench{operation, flags, {*duration, std::nullopt}};
  if (flags.rate > 0) bench.plan.rate = flags.rate;
  return bench;
}

absl::StatusOr<ExitCode> RunBench(Invocation& run, const Bench& bench,
                                  const Interrupt& interrupt,
                                  const MakeLane& make) {
  const absl::StatusOr<Connection*> opened = run.connection();
  if (!opened.ok()) return opened.status();
  const Connection& connection = **opened;
  const int connections =
      std::min(bench.flags.connections, bench.flags.concurrency);
  std::vector<ChannelPtr> channels;
  for (int i = 0; i < connections; ++i) {
    channels.push_back(i == 0 ? connection.channel() : connection.NewChannel());
  }
  std::vector<std::unique_ptr<Lane>> lanes;
  for (int i = 0; i < bench.flags.concurrency; ++i) {
    lanes.push_back(
        make(connection, channels[static_cast<std::size_t>(i % connections)]));
  }
  Surroundings& surroundings = run.surroundings();
  const bool tells = bench.flags.progress || surroundings.err_is_terminal;
  const LoadResult result =
      RunLoad(bench.plan, lanes, interrupt, [&](const LoadSecond& second) {
        if (tells) surroundings.err << ProgressLine(second) << std::flush;
      });
  WriteReport({bench.operation, connection.endpoint().description,
               bench.flags.concurrency, connections, bench.plan.rate},
              result, run.format(), run.out());
  return ExitCodeOf(result);
}

}  // namespace ostiary::cli

#ifndef OSTIARY_CLIENT_CLI_BENCH_RUN_H_
#define OSTIARY_CLIENT_CLI_BENCH_RUN_H_

#include <CLI/App.hpp>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "client/cli/bench_lanes.h"
#include "client/cli/interrupt.h"
#include "client/cli/invocation.h"
#include "client/cli/load.h"

namespace ostiary::cli {

// What all bench commands have in common.
struct BenchFlags {
  std::string duration = "10s";
  int concurrency = 16;
  int connections = 1;
  double rate = 0;  // none
  bool progress = false;
  bool consent = false;
};

void AddBenchFlags(CLI::App& command, BenchFlags& flags);

// A bench whose flags were found good.
struct Bench {
  const char* operation;
  BenchFlags flags;
  LoadPlan plan;
};

// Usage errors, before anybody is asked for a password. A server that is not on
// this machine must be named as one that may be loaded: a wrong address in a
// script shall not keep strangers from signing in.
absl::StatusOr<Bench> PrepareBench(Invocation& run, const char* operation,
                                   const BenchFlags& flags);

using MakeLane =
    std::function<std::unique_ptr<Lane>(const Connection&, const ChannelPtr&)>;

// Drives as many lanes as the flags say, tells of the progress and writes the
// report.
absl::StatusOr<ExitCode> RunBench(Invocation& run, const Bench& bench,
                                  const Interrupt& interrupt,
                                  const MakeLane& make);

}  // namespace ostiary::cli

#endif  // OSTIARY_CLIENT_CLI_BENCH_RUN_H_

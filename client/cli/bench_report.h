#ifndef OSTIARY_CLIENT_CLI_BENCH_REPORT_H_
#define OSTIARY_CLIENT_CLI_BENCH_REPORT_H_

#include <optional>
#include <ostream>
#include <string>

#include "client/cli/exit_code.h"
#include "client/cli/load.h"
#include "client/cli/output.h"

namespace ostiary::cli {

// What was done to whom.
struct BenchSubject {
  std::string operation;  // "verify"
  std::string server;
  int concurrency = 0;
  int connections = 0;
  std::optional<double> rate;
};

// "  3s  41230 calls/s  p50 0.312 ms  p99 0.921 ms  errors 0", and a newline.
std::string ProgressLine(const LoadSecond& second);

// "name  value" lines and the errors by code and reason, or one line of JSON.
// Times are milliseconds.
void WriteReport(const BenchSubject& subject, const LoadResult& result,
                 Format format, std::ostream& out);

// kOk without errors; else what the most frequent one ends a command with.
ExitCode ExitCodeOf(const LoadResult& result);

}  // namespace ostiary::cli

#endif  // OSTIARY_CLIENT_CLI_BENCH_REPORT_H_

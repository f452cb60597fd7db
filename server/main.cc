// ostiaryd: flags -> Config -> Assembly -> serve -> drain.

#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "server/assembly.h"
#include "server/base/log.h"
#include "server/config.h"
#include "server/greeting.h"
#include "server/password/calibrate.h"
#include "server/restore.h"
#include "server/restore_text.h"
#include "server/settings.h"

namespace ostiary {
namespace {

constexpr int kExitOk = 0;
constexpr int kExitFailed = 1;
constexpr int kExitUsage = 2;

void Print(std::FILE* to, const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), to);
  if (!text.empty() && text.back() != '\n') std::fputc('\n', to);
  std::fflush(to);
}

int Fail(const absl::Status& status, int exit_code) {
  Print(stderr, "ostiaryd: " + std::string(status.message()));
  return exit_code;
}

// Before any thread starts, so that all of them inherit it: signals are waited
// for in one place.
sigset_t BlockSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP})
    sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return signals;
}

// Debian builds Abseil with its search for deadlocks on: a graph of all locks,
// asked at every lock, in gRPC's code as in ours. The tests search; they run
// under ThreadSanitizer.
void StopSearchingForDeadlocks() {
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
}

int Serve(const Config& config, const sigset_t& signals) {
  StopSearchingForDeadlocks();
  Logger logger(config.LogFormatFor(isatty(STDERR_FILENO) != 0),
                config.log_level);
  for (const std::string& warning : config.warnings) {
    logger.Warning("configuration", {{"warning", warning}});
  }
  auto assembly = Assembly::Build(config, logger);
  if (!assembly.ok()) return Fail(assembly.status(), kExitFailed);
  if (auto status = (*assembly)->Serve(); !status.ok())
    return Fail(status, kExitFailed);
  Print(stdout, Greeting(config, (*assembly)->addresses()));
  logger.Info("ready");

  for (;;) {
    int signal = 0;
    sigwait(&signals, &signal);
    if (signal != SIGHUP) break;
    (*assembly)->ReloadCertificates();
  }
  logger.Info("draining");
  (*assembly)->Drain(config.drain_timeout);
  logger.Info("drained");
  return kExitOk;
}

int RunRestore(const Config& config) {
  Logger logger(config.LogFormatFor(isatty(STDERR_FILENO) != 0),
                config.log_level);
  const auto report = Restore(config, logger);
  if (!report.ok()) return Fail(report.status(), kExitFailed);
  Print(stdout, config.restore_output == RestoreOutput::kJson
                    ? RestoreJson(*report)
                    : RestoreText(*report));
  if (config.restore_report.empty()) return kExitOk;
  const auto written = WriteRestoreReport(*report, config.restore_report);
  // It is done all the same, and must not be done again.
  if (!written.ok())
    Fail(absl::UnavailableError(absl::StrCat(
             "the store is restored, but the report is not written: ",
             written.message())),
         kExitOk);
  return kExitOk;
}

int Calibrate() {
  constexpr absl::Duration kTarget = absl::Milliseconds(100);
  Print(stderr, "Measuring how long a password hash takes on this machine...");
  Print(stdout, CalibrationText(password::Calibrate(kTarget), kTarget));
  return kExitOk;
}

int Main(int argc, char** argv) {
  umask(0077);  // whatever we make is ours alone
  // gRPC would write a line for every failed handshake: anybody could fill the
  // log. GRPC_VERBOSITY still brings them back.
  setenv("GRPC_VERBOSITY", "NONE", 0);
  const sigset_t signals = BlockSignals();
  const auto config = LoadConfig(ConfigSources::OfProcess(argc, argv));
  if (!config.ok()) return Fail(config.status(), kExitUsage);
  const bool effective =
      config->mode == Mode::kServe || config->mode == Mode::kCheckConfig;
  if (effective) {
    if (auto status = CheckSettings(*config); !status.ok())
      return Fail(status, kExitUsage);
  }
  switch (config->mode) {
    case Mode::kServe:
      return Serve(*config, signals);
    case Mode::kRestore:
      return RunRestore(*config);
    case Mode::kCalibrateHash:
      return Calibrate();
    case Mode::kCheckConfig:
      Print(stdout, EffectiveValues(*config));
      return kExitOk;
    case Mode::kPrintOptions:
      Print(stdout, OptionTable(config->table_format));
      return kExitOk;
    case Mode::kVersion:
      Print(stdout, VersionText());
      return kExitOk;
    case Mode::kHelp:
      Print(stdout, HelpText());
      return kExitOk;
  }
  return kExitUsage;
}

}  // namespace
}  // namespace ostiary

int main(int argc, char** argv) { return ostiary::Main(argc, argv); }

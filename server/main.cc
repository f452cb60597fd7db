// ostiaryd: flags -> Config -> Assembly -> serve -> drain.

#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
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
#include "server/base/secret_arena.h"
#include "server/base/wiping.h"
#include "server/config.h"
#include "server/greeting.h"
#include "server/password/calibrate.h"
#include "server/restore.h"
#include "server/restore_text.h"
#include "server/settings.h"
#include "storage/fail_point.h"

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

// Before anything secret is read. Nobody but root may then look into this
// process, and no dump of it is written, wherever the system collects them.
void KeepOutOfCoreDumps() {
  const rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

void ReportArena(SecretArena arena, Logger& logger) {
  if (arena == SecretArena::kLocked) return;
  rlimit limit = {};
  getrlimit(RLIMIT_MEMLOCK, &limit);
  logger.Warning(arena == SecretArena::kAbsent
                     ? "no memory for secrets of their own could be had: they "
                       "lie in ordinary memory"
                     : "the memory for secrets could not be locked: they may "
                       "be swapped to a disk; raise RLIMIT_MEMLOCK",
                 {{"rlimit_memlock", std::to_string(limit.rlim_cur)},
                  {"needed", std::to_string(kSecretArenaBytes)}});
}

// Only tests set it; who does so elsewhere must not overlook it.
constexpr char kFailPointVariable[] = "OSTIARY_FAIL_POINT";

std::string FailPointText() {
  const char* const text = std::getenv(kFailPointVariable);
  return text == nullptr ? "" : text;
}

absl::Status ArmFailPoint() {
  const std::string text = FailPointText();
  if (text.empty()) return absl::OkStatus();
  const absl::Status armed = storage::ArmFailPoint(text);
  if (armed.ok()) return armed;
  return absl::Status(armed.code(), std::string(kFailPointVariable) + ": " +
                                        std::string(armed.message()));
}

void WarnOfFailPoint(Logger& logger) {
  const std::string text = FailPointText();
  if (text.empty()) return;
  logger.Warning("this process kills itself: a fail point is armed",
                 {{"variable", kFailPointVariable}, {"fail_point", text}});
}

int Serve(const Config& config, const sigset_t& signals, SecretArena arena) {
  StopSearchingForDeadlocks();
  Logger logger(config.LogFormatFor(isatty(STDERR_FILENO) != 0),
                config.log_level);
  ReportArena(arena, logger);
  for (const std::string& warning : config.warnings) {
    logger.Warning("configuration", {{"warning", warning}});
  }
  WarnOfFailPoint(logger);
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
  WarnOfFailPoint(logger);
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
  const SecretArena arena = OpenSecretArena();
  const WipingScope wiping;
  const auto config = LoadConfig(ConfigSources::OfProcess(argc, argv));
  if (!config.ok()) return Fail(config.status(), kExitUsage);
  if (auto status = ArmFailPoint(); !status.ok())
    return Fail(status, kExitUsage);
  const bool effective =
      config->mode == Mode::kServe || config->mode == Mode::kCheckConfig;
  if (effective) {
    if (auto status = CheckSettings(*config); !status.ok())
      return Fail(status, kExitUsage);
  }
  const bool opens_keys =
      config->mode == Mode::kServe || config->mode == Mode::kRestore;
  if (opens_keys && !config->core_dumps) KeepOutOfCoreDumps();
  switch (config->mode) {
    case Mode::kServe:
      return Serve(*config, signals, arena);
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

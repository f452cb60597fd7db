// backup.

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "client/cli/failure.h"
#include "client/cli/interrupt.h"
#include "client/cli/printable.h"
#include "client/cli/registry.h"
#include "grpcpp/completion_queue.h"
#include "ostiary/v1/admin_service.grpc.pb.h"

namespace ostiary::cli {
namespace {

using v1::AdminService;

// How often an interrupt is looked for, and progress asked for.
constexpr absl::Duration kGlance = absl::Milliseconds(100);

// On this machine a path means what it means to the person who types it; on
// another one only the server knows.
std::string PathFor(const Connection& connection, const std::string& path) {
  if (path.empty() ||
      connection.endpoint().protection != Protection::kLocalSocket) {
    return path;
  }
  return std::filesystem::absolute(path).lexically_normal().string();
}

// The call, under way. Without a deadline: the server tells when it fails.
class BackUpCall {
 public:
  BackUpCall(const Connection& connection, const std::string& path)
      : stub_(AdminService::NewStub(connection.channel())) {
    connection.PrepareStream(context_);
    v1::BackUpRequest request;
    request.set_path(path);
    reader_ = stub_->AsyncBackUp(&context_, request, &queue_);
    reader_->Finish(&response_, &status_, this);
  }
  ~BackUpCall() {
    context_.TryCancel();
    WaitFor(absl::InfiniteDuration());
    queue_.Shutdown();
  }
  BackUpCall(const BackUpCall&) = delete;
  BackUpCall& operator=(const BackUpCall&) = delete;

  // True once it is over.
  bool WaitFor(absl::Duration patience) {
    if (over_) return true;
    void* tag = nullptr;
    bool ok = false;
    const auto deadline = patience == absl::InfiniteDuration()
                              ? absl::InfiniteFuture()
                              : absl::Now() + patience;
    over_ = queue_.AsyncNext(&tag, &ok, absl::ToChronoTime(deadline)) ==
            grpc::CompletionQueue::GOT_EVENT;
    return over_;
  }
  void Cancel() { context_.TryCancel(); }

  const grpc::Status& status() const { return status_; }
  const v1::Backup& backup() const { return response_.backup(); }

 private:
  const std::unique_ptr<AdminService::Stub> stub_;
  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  v1::BackUpResponse response_;
  grpc::Status status_;
  std::unique_ptr<grpc::ClientAsyncResponseReader<v1::BackUpResponse>> reader_;
  bool over_ = false;
};

// One line that is written over, for who watches.
class Progress {
 public:
  Progress(Invocation& run, Connection& connection)
      : surroundings_(run.surroundings()), connection_(connection) {}
  ~Progress() {
    if (said_) surroundings_.err << "\r\033[K" << std::flush;
  }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void Tell() {
    if (!surroundings_.err_is_terminal) return;
    const auto info = connection_.Call<AdminService>(
        &AdminService::Stub::GetServerInfo, v1::GetServerInfoRequest());
    if (!info.ok() || !info->has_running_backup()) return;
    const v1::BackupProgress& running = info->running_backup();
    surroundings_.err << "\r\033[K" << Printable(running.path()) << "  "
                      << running.percent() << " %"
                      << (running.percent() == 100 ? ", checking" : "")
                      << std::flush;
    said_ = true;
  }

 private:
  Surroundings& surroundings_;
  Connection& connection_;
  bool said_ = false;
};

absl::StatusOr<ExitCode> BackUp(Invocation& run, const std::string& path) {
  const absl::StatusOr<Connection*> connection = run.connection();
  if (!connection.ok()) return connection.status();
  const Interrupt interrupt;
  BackUpCall call(**connection, PathFor(**connection, path));
  {
    Progress progress(run, **connection);
    while (!call.WaitFor(kGlance)) {
      if (interrupt.arrived()) call.Cancel();
      progress.Tell();
    }
  }
  if (call.status().ok()) {
    const absl::StatusOr<ExitCode> shown = run.Answer(call.backup());
    if (shown.ok() && run.format() == Format::kTable) {
      run.surroundings().err
          << "It holds no key-encryption key: keep a copy of that apart from "
             "it.\n";
    }
    return shown;
  }
  if (interrupt.arrived())
    return NoError("interrupted; nothing is left of the backup");
  return (*connection)->Explain(call.status());
}

}  // namespace

void AddBackupCommand(Registry& registry) {
  auto path = std::make_shared<std::string>();
  CLI::App& command = registry.Add(
      registry.root(), "backup",
      "Has the server write a copy of its store while it goes on serving, and "
      "tells where it is. Ctrl-C gives it up and leaves nothing behind. "
      "`ostiaryd restore --from` puts such a copy back.",
      "ostiary backup\n"
      "  ostiary backup /srv/backups/today.db --output json",
      [path](Invocation& run) { return BackUp(run, *path); });
  command
      .add_option("path", *path,
                  "A new file, which the server's user must be able to make "
                  "(a name that tells the time, in the folder `backups` of the "
                  "data directory)")
      ->type_name("PATH");
}

}  // namespace ostiary::cli

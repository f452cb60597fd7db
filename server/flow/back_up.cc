#include "server/flow/back_up.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/base/reason.h"

namespace ostiary::flow {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLongestName = 128;
constexpr std::size_t kLongestPath = 4000;
constexpr absl::string_view kUnfinished = ".part";

bool IsPlainName(absl::string_view name) {
  return !name.empty() && name.size() <= kLongestName && name[0] != '.' &&
         !absl::EndsWith(name, kUnfinished) &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
                  c == '.' || c == '_' || c == '-';
         });
}

std::string NameFor(absl::Time now) {
  return absl::StrCat(
      "ostiary-", absl::FormatTime("%Y%m%dT%H%M%E3S", now, absl::UTCTimeZone()),
      "Z.db");
}

absl::Status MakeFolder(const std::string& folder) {
  if (mkdir(folder.c_str(), 0700) != 0) {
    if (errno == EEXIST) return absl::OkStatus();
    return absl::UnavailableError(
        absl::StrCat("cannot make '", folder, "': ", std::strerror(errno)));
  }
  // Else a power failure could take the folder away with what is in it.
  const std::string parent = fs::path(folder).parent_path().string();
  const int descriptor =
      open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor >= 0) {
    (void)fsync(descriptor);
    close(descriptor);
  }
  return absl::OkStatus();
}

// What a server that was killed had begun. Only one of them writes here.
void RemoveUnfinished(const std::string& folder) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    if (entry.path().extension() == std::string(kUnfinished))
      fs::remove(entry.path(), ignored);
  }
}

}  // namespace

// Whose turn it is.
class BackUp::Turn {
 public:
  explicit Turn(BackUp& back_up) : back_up_(back_up) {
    const MutexLock lock(&back_up_.mutex_);
    taken_ = !back_up_.running_.has_value();
    if (taken_) back_up_.running_ = Running{};
  }
  ~Turn() {
    if (!taken_) return;
    const MutexLock lock(&back_up_.mutex_);
    back_up_.running_.reset();
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  bool taken() const { return taken_; }
  void SetPath(const std::string& path) {
    const MutexLock lock(&back_up_.mutex_);
    back_up_.running_->path = path;
  }

 private:
  BackUp& back_up_;
  bool taken_ = false;
};

std::optional<BackUp::Running> BackUp::running() const {
  const ReaderMutexLock lock(&mutex_);
  return running_;
}

void BackUp::Note(int percent) {
  const MutexLock lock(&mutex_);
  running_->percent = percent;
}

absl::StatusOr<BackUp::Made> BackUp::Run(const Caller& caller,
                                         const std::string& path) {
  Turn turn(*this);
  if (!turn.taken()) {
    return Refuse(Reason::kOverloaded, "Another backup is being made.");
  }
  const absl::Time now = clock_.Now();
  const absl::StatusOr<std::string> place = Place(caller, path, now);
  if (!place.ok()) return place.status();
  turn.SetPath(*place);
  absl::StatusOr<storage::Backup> backup = Write(caller, *place);
  if (!backup.ok()) return Explain(backup.status());
  if (auto written = WriteDown(caller, *backup); !written.ok()) {
    (void)unlink(place->c_str());
    return written;
  }
  logger_.Info("a backup was made",
               {{"path", *place},
                {"bytes", std::to_string(backup->size_bytes)},
                {"sequence", std::to_string(backup->head.sequence)}});
  return Made{*std::move(backup), now};
}

// Where it shall be.
absl::StatusOr<std::string> BackUp::Place(const Caller& caller,
                                          const std::string& path,
                                          absl::Time now) const {
  if (path.find('/') == std::string::npos) {
    const std::string name = path.empty() ? NameFor(now) : path;
    if (!IsPlainName(name)) {
      return RefuseField("path",
                         "must be a name of letters, digits, '.', '_' and "
                         "'-', or an absolute path");
    }
    if (auto made = MakeFolder(folder_); !made.ok())
      return Refuse(Reason::kStoreUnavailable, made.message());
    RemoveUnfinished(folder_);
    return absl::StrCat(folder_, "/", name);
  }
  if (!caller.at_socket) {
    return RefuseField("path",
                       "must be a name, without '/': a path is taken from the "
                       "operator socket alone");
  }
  const fs::path normal = fs::path(path).lexically_normal();
  if (!normal.is_absolute() || !normal.has_filename() ||
      path.size() > kLongestPath || path.find('\0') != std::string::npos) {
    return RefuseField("path", "must be a name or the absolute path of a file");
  }
  std::error_code ignored;
  const fs::path data = fs::path(folder_).parent_path();
  if (fs::equivalent(normal.parent_path(), data, ignored)) {
    return RefuseField("path",
                       "must not be among the server's own files; name "
                       "another directory");
  }
  return normal.string();
}

absl::StatusOr<storage::Backup> BackUp::Write(const Caller& caller,
                                              const std::string& path) {
  storage::BackupOrder order;
  order.path = path;
  order.stop = [&] {
    return stopping_.load() || (caller.cancelled && caller.cancelled());
  };
  order.on_progress = [&](std::int64_t copied, std::int64_t total) {
    Note(total > 0 ? static_cast<int>(copied * 100 / total) : 0);
  };
  return store_.BackUp(order);
}

absl::Status BackUp::WriteDown(const Caller& caller,
                               const storage::Backup& backup) {
  const storage::AuditRow row =
      caller.Did(audit::action::kBackUp, audit::kOk, clock_.Now())
          .With("path", backup.path)
          .With("sha256", backup.sha256)
          .With("sequence", std::to_string(backup.head.sequence))
          .Row();
  return store_.Write(
      [&](storage::WriteTx& tx) { return tx.audit().Append(row); });
}

absl::Status BackUp::Explain(const absl::Status& status) const {
  switch (status.code()) {
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kPermissionDenied:
      return RefuseField("path", status.message());
    case absl::StatusCode::kResourceExhausted:
      return Refuse(Reason::kStoreUnavailable, status.message());
    case absl::StatusCode::kCancelled:
      return stopping_ ? Refuse(Reason::kNotReady, "The server is stopping.")
                       : Refuse(Reason::kCancelled);
    case absl::StatusCode::kDataLoss:
      logger_.Error("the store is damaged",
                    {{"status", std::string(status.message())}});
      return Refuse(Reason::kInternal, status.message());
    default:
      return status;
  }
}

}  // namespace ostiary::flow

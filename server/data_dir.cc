#include "server/data_dir.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace ostiary {
namespace {

absl::Status SystemError(absl::string_view what, const std::string& path) {
  return absl::UnavailableError(
      absl::StrCat("cannot ", what, " '", path, "': ", std::strerror(errno)));
}

absl::Status CheckOwnership(const std::string& path, const struct stat& entry) {
  if (!S_ISDIR(entry.st_mode)) {
    return absl::FailedPreconditionError(
        absl::StrCat("'", path, "' is not a directory"));
  }
  if (entry.st_uid != geteuid()) {
    return absl::FailedPreconditionError(absl::StrFormat(
        "the data directory '%s' belongs to user %d and this is user %d; run "
        "as its owner, or choose another --data-dir",
        path, entry.st_uid, geteuid()));
  }
  const unsigned mode = entry.st_mode & 07777;
  if (mode != 0700) {
    return absl::FailedPreconditionError(absl::StrFormat(
        "the data directory '%s' has mode %04o, which lets others near the "
        "operator socket and the keys; expected 0700: run chmod 700 '%s' once "
        "nobody strange has been in it",
        path, mode, path));
  }
  return absl::OkStatus();
}

absl::Status MakeOrCheck(const std::string& path) {
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return SystemError("make the data directory", path);
  }
  // lstat, not stat: a link here could be turned to another place later.
  struct stat entry {};
  if (lstat(path.c_str(), &entry) != 0) return SystemError("look at", path);
  if (S_ISLNK(entry.st_mode)) {
    return absl::FailedPreconditionError(
        absl::StrCat("the data directory '", path,
                     "' is a link; name the directory itself"));
  }
  return CheckOwnership(path, entry);
}

std::string HolderOf(int lock) {
  char text[32];
  const ssize_t count = pread(lock, text, sizeof(text), 0);
  if (count <= 0) return "another process";
  const absl::string_view pid = absl::StripAsciiWhitespace(
      absl::string_view(text, static_cast<std::size_t>(count)));
  for (const char c : pid) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c))) {
      return "another process";
    }
  }
  return absl::StrCat("process ", pid);
}

// Only for the reader of the error message: the lock is the descriptor's.
absl::Status WriteHolder(int lock, const std::string& path) {
  const std::string pid = absl::StrCat(getpid(), "\n");
  if (ftruncate(lock, 0) != 0 || pwrite(lock, pid.data(), pid.size(), 0) !=
                                     static_cast<ssize_t>(pid.size())) {
    return SystemError("write", path);
  }
  return absl::OkStatus();
}

absl::StatusOr<int> TakeLock(const std::string& data_dir) {
  const std::string path = absl::StrCat(data_dir, "/lock");
  const int lock =
      open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (lock < 0) return SystemError("open the lock file", path);
  if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
    const absl::Status held =
        errno == EWOULDBLOCK
            ? absl::FailedPreconditionError(absl::StrCat(
                  "the data directory '", data_dir, "' is in use by ",
                  HolderOf(lock), "; stop it, or choose another --data-dir"))
            : SystemError("lock", path);
    close(lock);
    return held;
  }
  if (absl::Status written = WriteHolder(lock, path); !written.ok()) {
    close(lock);
    return written;
  }
  return lock;
}

std::string Beside(absl::string_view file, absl::string_view name) {
  const std::size_t slash = file.rfind('/');
  if (slash == absl::string_view::npos) return std::string(name);
  return absl::StrCat(file.substr(0, slash + 1), name);
}

}  // namespace

absl::StatusOr<DataDir> DataDir::Open(const std::string& path) {
  std::string trimmed = path;
  while (trimmed.size() > 1 && trimmed.back() == '/') trimmed.pop_back();
  if (absl::Status made = MakeOrCheck(trimmed); !made.ok()) return made;
  const absl::StatusOr<int> lock = TakeLock(trimmed);
  if (!lock.ok()) return lock.status();
  return DataDir(std::move(trimmed), *lock);
}

DataDir::DataDir(DataDir&& other) noexcept
    : path_(std::move(other.path_)), lock_(std::exchange(other.lock_, -1)) {}

// The file stays: were it removed, a process that waits with the old file open
// and one that makes a new one could both hold "the" lock.
DataDir::~DataDir() {
  if (lock_ >= 0) close(lock_);
}

std::string DefaultStorePath(absl::string_view data_dir) {
  return absl::StrCat(data_dir, "/ostiary.db");
}
std::string DefaultSocketPath(absl::string_view data_dir) {
  return absl::StrCat(data_dir, "/ostiary.sock");
}
std::string DefaultKeyEncryptionKeyPath(absl::string_view data_dir) {
  return absl::StrCat(data_dir, "/kek");
}
std::string BackupFolder(absl::string_view data_dir) {
  return absl::StrCat(data_dir, "/backups");
}
std::string MarkPath(absl::string_view key_encryption_key_file) {
  return Beside(key_encryption_key_file, "mark");
}
std::string RevokedKeysPath(absl::string_view key_encryption_key_file) {
  return Beside(key_encryption_key_file, "revoked-keys");
}

absl::Status CheckSocketPath(absl::string_view path) {
  constexpr std::size_t kMostBytes = 107;  // sockaddr_un::sun_path and its NUL
  if (path.size() <= kMostBytes) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("a socket's path has at most ", kMostBytes, " bytes and '",
                   path, "' has ", path.size(),
                   "; choose a shorter --operator-socket or "
                   "--data-dir"));
}

}  // namespace ostiary

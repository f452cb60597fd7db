#include "server/key/private_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "server/base/secret.h"
#include "storage/fail_point.h"

namespace ostiary::key {
namespace {

constexpr mode_t kOwnerOnly = 0600;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return fd_; }
  bool ok() const { return fd_ >= 0; }

 private:
  int fd_;
};

absl::Status Failed(absl::string_view what, const std::string& path) {
  return absl::FailedPreconditionError(
      absl::StrCat(path, ": cannot ", what, ": ", std::strerror(errno)));
}

absl::Status CheckOwnership(int fd, const std::string& path) {
  struct stat info {};
  if (fstat(fd, &info) != 0) return Failed("look at it", path);
  if (!S_ISREG(info.st_mode)) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, ": expected a regular file"));
  }
  if (info.st_uid != geteuid() && info.st_uid != 0) {
    return absl::FailedPreconditionError(absl::StrCat(
        path, ": belongs to user ", info.st_uid, "; expected this user (",
        geteuid(), ") or root, so that nobody else can change it"));
  }
  if ((info.st_mode & 077) != 0) {
    return absl::FailedPreconditionError(absl::StrCat(
        path, ": group or others may open it; expected mode 0600 (chmod 600 ",
        path, ")"));
  }
  return absl::OkStatus();
}

absl::Status WriteAll(int fd, absl::string_view content,
                      const std::string& path) {
  while (!content.empty()) {
    const ssize_t written = write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return Failed("write it", path);
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  if (fsync(fd) != 0) return Failed("sync it", path);
  return absl::OkStatus();
}

std::string FolderOf(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

// A name of its own: what a crash leaves is found again, and removed.
std::string DraftOf(const std::string& path) {
  return absl::StrCat(path, ".draft");
}

// A new name is durable only when its folder is.
absl::Status SyncFolderOf(const std::string& path) {
  const std::string folder = FolderOf(path);
  const Descriptor fd(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.ok() || fsync(fd.get()) != 0) return Failed("sync it", folder);
  return absl::OkStatus();
}

// True if that is how a file system without a disk answers.
bool HasNothingToSync() { return errno == EINVAL || errno == EROFS; }

}  // namespace

absl::StatusOr<std::string> ReadPrivateFile(const std::string& path,
                                            std::size_t limit) {
  // O_NONBLOCK: a fifo in the file's place must not hang the start.
  const Descriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.ok() && errno == ENOENT) {
    return absl::NotFoundError(absl::StrCat(path, ": no such file"));
  }
  if (!fd.ok()) return Failed("open it", path);
  if (auto s = CheckOwnership(fd.get(), path); !s.ok()) return s;

  std::string content(limit + 1, '\0');
  std::size_t size = 0;
  while (size < content.size()) {
    const ssize_t got =
        read(fd.get(), content.data() + size, content.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Failed("read it", path);
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size > limit) {
    Wipe(content);
    return absl::FailedPreconditionError(
        absl::StrCat(path, ": expected at most ", limit, " bytes"));
  }
  content.resize(size);
  return content;
}

absl::Status CreatePrivateFile(const std::string& path,
                               absl::string_view content) {
  std::string draft = absl::StrCat(path, ".XXXXXX");
  const Descriptor fd(mkostemp(draft.data(), O_CLOEXEC));  // mode 0600
  if (!fd.ok()) return Failed("create it", path);

  absl::Status status = WriteAll(fd.get(), content, path);
  // link, unlike rename, never replaces a file that came in between.
  if (status.ok() && link(draft.c_str(), path.c_str()) != 0) {
    status = errno == EEXIST
                 ? absl::AlreadyExistsError(absl::StrCat(path, ": exists"))
                 : Failed("create it", path);
  }
  unlink(draft.c_str());
  if (!status.ok()) return status;
  return SyncFolderOf(path);
}

absl::Status ReplacePrivateFile(const std::string& path,
                                absl::string_view content) {
  struct stat info {};
  if (lstat(path.c_str(), &info) == 0 && S_ISLNK(info.st_mode)) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, ": is a link; what it names is not replaced"));
  }
  const std::string draft = DraftOf(path);
  unlink(draft.c_str());  // of a crash
  const Descriptor fd(open(draft.c_str(),
                           O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
                           kOwnerOnly));
  if (!fd.ok()) return Failed("replace it", path);
  absl::Status status = WriteAll(fd.get(), content, path);
  Pass(storage::FailPoint::kKekDraft);
  if (status.ok() && rename(draft.c_str(), path.c_str()) != 0)
    status = Failed("replace it", path);
  if (!status.ok()) {
    unlink(draft.c_str());
    return status;
  }
  return SyncFolderOf(path);
}

void DropDraftOf(const std::string& path) { unlink(DraftOf(path).c_str()); }

absl::Status SyncPrivateFile(const std::string& path) {
  const Descriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.ok()) return Failed("open it", path);
  if (fsync(fd.get()) != 0 && !HasNothingToSync())
    return Failed("sync it", path);
  const std::string folder = FolderOf(path);
  const Descriptor names(
      open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!names.ok()) return Failed("open it", folder);
  if (fsync(names.get()) != 0 && !HasNothingToSync())
    return Failed("sync it", folder);
  return absl::OkStatus();
}

}  // namespace ostiary::key

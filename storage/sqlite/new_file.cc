#include "storage/sqlite/new_file.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace ostiary::storage::sqlite {
namespace {

constexpr std::size_t kReadAtATime = std::size_t{1} << 20;
// Left free: the server's own writes go on.
constexpr std::int64_t kSpareBytes = std::int64_t{16} << 20;
constexpr std::size_t kSha256Size = 32;

std::string FolderOf(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

absl::Status SystemError(absl::string_view what, const std::string& path) {
  const std::string message =
      absl::StrCat("cannot ", what, " '", path, "': ", std::strerror(errno));
  switch (errno) {
    case ENOENT:
    case ENOTDIR:
      return absl::NotFoundError(message);
    case EACCES:
    case EPERM:
    case EROFS:
      return absl::PermissionDeniedError(message);
    case EEXIST:
      return absl::AlreadyExistsError(message);
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return absl::ResourceExhaustedError(message);
    default:
      return absl::UnavailableError(message);
  }
}

absl::Status CheckFolder(const std::string& folder) {
  struct stat entry {};
  if (stat(folder.c_str(), &entry) != 0) return SystemError("look at", folder);
  if (!S_ISDIR(entry.st_mode)) {
    return absl::NotFoundError(
        absl::StrCat("'", folder, "' is not a directory"));
  }
  const bool ours = entry.st_uid == geteuid() || entry.st_uid == 0;
  const bool others_write = (entry.st_mode & (S_IWGRP | S_IWOTH)) != 0;
  const bool sticky = (entry.st_mode & S_ISVTX) != 0;
  if (ours && (!others_write || sticky)) return absl::OkStatus();
  return absl::PermissionDeniedError(absl::StrCat(
      "in '", folder,
      "' others could put a file of theirs in the way; name a directory that "
      "only this server's user can write"));
}

absl::Status Taken(const std::string& path) {
  return absl::AlreadyExistsError(absl::StrCat(
      "'", path, "' is there already, and nothing is written over"));
}

bool Exists(const std::string& path) {
  struct stat entry {};
  return lstat(path.c_str(), &entry) == 0;
}

}  // namespace

absl::Status SyncFolderOf(const std::string& path) {
  const std::string folder = FolderOf(path);
  const int descriptor =
      open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return SystemError("open", folder);
  const bool synced = fsync(descriptor) == 0;
  const absl::Status status =
      synced ? absl::OkStatus() : SystemError("sync", folder);
  close(descriptor);
  return status;
}

absl::StatusOr<NewFile> NewFile::Create(const std::string& path) {
  if (auto status = CheckFolder(FolderOf(path)); !status.ok()) return status;
  if (Exists(path)) return Taken(path);
  std::string part = absl::StrCat(path, ".part");
  const int file = open(
      part.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file >= 0) return NewFile(path, std::move(part), file);
  if (errno != EEXIST) return SystemError("make", part);
  return absl::AlreadyExistsError(
      absl::StrCat("'", part,
                   "' is there: a backup that is being written, or what is "
                   "left of one that was interrupted; then remove it"));
}

NewFile::NewFile(NewFile&& other) noexcept
    : path_(std::move(other.path_)),
      part_(std::move(other.part_)),
      file_(std::exchange(other.file_, -1)),
      published_(other.published_) {}

NewFile::~NewFile() {
  if (file_ < 0) return;
  if (!published_) unlink(part_.c_str());
  close(file_);
}

absl::Status NewFile::CheckRoom(std::int64_t bytes) const {
  struct statvfs disk {};
  if (fstatvfs(file_, &disk) != 0) return SystemError("look at", part_);
  const auto free = static_cast<std::int64_t>(disk.f_bavail) *
                    static_cast<std::int64_t>(disk.f_frsize);
  if (free >= bytes + kSpareBytes) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat("no room for '", path_, "': it takes ", bytes >> 20,
                   " MiB, some must stay free, and there are ", free >> 20));
}

absl::Status NewFile::FlushSoFar() const {
  if (fdatasync(file_) != 0) return SystemError("write", part_);
  return absl::OkStatus();
}

absl::StatusOr<NewFile::Digest> NewFile::Describe() const {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(
      EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  if (context == nullptr ||
      EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) != 1)
    return absl::UnavailableError("no SHA-256 to be had");
  std::vector<char> buffer(kReadAtATime);
  Digest digest;
  for (;;) {
    const ssize_t count = pread(file_, buffer.data(), buffer.size(),
                                static_cast<off_t>(digest.size_bytes));
    if (count < 0) return SystemError("read", part_);
    if (count == 0) break;
    EVP_DigestUpdate(context.get(), buffer.data(),
                     static_cast<std::size_t>(count));
    digest.size_bytes += count;
  }
  std::array<unsigned char, kSha256Size> sum;
  if (EVP_DigestFinal_ex(context.get(), sum.data(), nullptr) != 1)
    return absl::UnavailableError("no SHA-256 to be had");
  digest.sha256 = absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(sum.data()), sum.size()));
  return digest;
}

absl::Status NewFile::Publish() {
  if (fsync(file_) != 0) return SystemError("sync", part_);
  if (renameat2(AT_FDCWD, part_.c_str(), AT_FDCWD, path_.c_str(),
                RENAME_NOREPLACE) != 0) {
    if (errno == EEXIST) return Taken(path_);
    // A file system that cannot rename so can make a second name.
    if (errno != EINVAL || link(part_.c_str(), path_.c_str()) != 0)
      return SystemError("name", path_);
    unlink(part_.c_str());
  }
  published_ = true;
  absl::Status synced = SyncFolderOf(path_);
  if (!synced.ok()) unlink(path_.c_str());
  return synced;
}

}  // namespace ostiary::storage::sqlite

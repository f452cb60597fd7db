#include "storage/sqlite/reserve.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace ostiary::storage::sqlite {
namespace {

constexpr std::int64_t kStatBlock = 512;  // the unit of st_blocks

// What the file holds of real blocks, from its beginning.
std::int64_t Allocated(const struct stat& file) {
  return std::min<std::int64_t>(file.st_size, file.st_blocks * kStatBlock);
}

std::int64_t FreeBytes(int file) {
  struct statvfs disk = {};
  if (fstatvfs(file, &disk) != 0) return 0;
  return static_cast<std::int64_t>(disk.f_bavail) *
         static_cast<std::int64_t>(disk.f_frsize);
}

}  // namespace

bool MeansNoRoom(int error_number) {
  return error_number == ENOSPC || error_number == EDQUOT ||
         error_number == EFBIG;
}

absl::StatusOr<std::unique_ptr<Reserve>> Reserve::Open(
    const std::string& path) {
  const int file =
      open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  const int open_error = errno;
  struct stat found = {};
  if (file < 0 || fstat(file, &found) != 0) {
    // Not even its name has room: a reserve of nothing.
    if (file < 0 && MeansNoRoom(open_error))
      return std::unique_ptr<Reserve>(new Reserve(-1, 0));
    if (file >= 0) close(file);
    return absl::ErrnoToStatus(open_error, absl::StrCat("cannot open ", path));
  }
  std::unique_ptr<Reserve> reserve(
      new Reserve(file, std::min(Allocated(found), kBytes)));
  if (reserve->whole()) return reserve;
  const int error = reserve->Fill();
  if (error != 0 && !MeansNoRoom(error)) {
    return absl::ErrnoToStatus(error, absl::StrCat("cannot fill ", path));
  }
  // What begins on a full disk needs a little itself.
  if (error != 0 && FreeBytes(file) < kPieceBytes) reserve->GiveUpPiece();
  return reserve;
}

Reserve::~Reserve() {
  if (file_ >= 0) close(file_);
}

bool Reserve::GiveUpPiece() {
  if (bytes() == 0) return false;
  const std::int64_t left = std::max<std::int64_t>(bytes() - kPieceBytes, 0);
  if (ftruncate(file_, left) != 0) return false;
  bytes_.store(left, std::memory_order_relaxed);
  return true;
}

bool Reserve::Refill() {
  if (file_ < 0) return false;
  if (FreeBytes(file_) < kBytes - bytes() + kSlackBytes) return false;
  return whole() || Fill() == 0;
}

int Reserve::Fill() {
  // Real blocks, or zeros written where the file system knows of no others.
  const int error = posix_fallocate(file_, 0, kBytes);
  if (error == 0) {
    bytes_.store(kBytes, std::memory_order_relaxed);
    return 0;
  }
  // What it got before it failed must not stay allocated and uncounted.
  if (ftruncate(file_, bytes()) != 0) return errno;
  return error;
}

}  // namespace ostiary::storage::sqlite

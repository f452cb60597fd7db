#include "storage/sqlite/file_header.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace ostiary::storage::sqlite {
namespace {

constexpr char kMagic[] = "SQLite format 3";  // and its NUL: 16 bytes
constexpr std::size_t kHeaderSize = 100;
constexpr off_t kFormatAt = 18;  // who may write, who may read: 1 or 2 (WAL)
constexpr off_t kVersionAt = 60;
constexpr off_t kApplicationAt = 68;
constexpr std::array<unsigned char, 2> kNoLog = {1, 1};

using Header = std::array<unsigned char, kHeaderSize>;

absl::Status SystemError(absl::string_view what) {
  return absl::UnavailableError(
      absl::StrCat("cannot ", what, ": ", std::strerror(errno)));
}

std::int32_t NumberAt(const Header& header, off_t at) {
  std::uint32_t number = 0;
  for (off_t i = at; i < at + 4; ++i)
    number = number << 8 | header[static_cast<std::size_t>(i)];
  return static_cast<std::int32_t>(number);
}

absl::Status WriteAt(int file, const void* bytes, std::size_t size, off_t at) {
  if (pwrite(file, bytes, size, at) != static_cast<ssize_t>(size))
    return SystemError("write the header of the database");
  return absl::OkStatus();
}

absl::Status WriteApplicationId(int file, std::int32_t id) {
  const auto number = static_cast<std::uint32_t>(id);
  const std::array<unsigned char, 4> bytes = {
      static_cast<unsigned char>(number >> 24),
      static_cast<unsigned char>(number >> 16),
      static_cast<unsigned char>(number >> 8),
      static_cast<unsigned char>(number)};
  return WriteAt(file, bytes.data(), bytes.size(), kApplicationAt);
}

}  // namespace

absl::StatusOr<std::optional<FileHeader>> ReadHeader(int file) {
  Header header;
  const ssize_t count = pread(file, header.data(), header.size(), 0);
  if (count < 0) return SystemError("read the header of the database");
  if (count != static_cast<ssize_t>(header.size()) ||
      std::memcmp(header.data(), kMagic, sizeof(kMagic)) != 0) {
    return std::optional<FileHeader>();
  }
  return std::make_optional(FileHeader{NumberAt(header, kApplicationAt),
                                       NumberAt(header, kVersionAt)});
}

absl::StatusOr<std::optional<FileHeader>> ReadHeader(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) {
    return errno == ENOENT
               ? absl::NotFoundError(absl::StrCat("there is no ", path))
               : SystemError(absl::StrCat("read ", path));
  }
  absl::StatusOr<std::optional<FileHeader>> header = ReadHeader(file);
  close(file);
  return header;
}

absl::Status SealHeader(int file) {
  if (auto written = WriteAt(file, kNoLog.data(), kNoLog.size(), kFormatAt);
      !written.ok())
    return written;
  return WriteApplicationId(file, kBackupId);
}

absl::Status UnsealHeader(const std::string& path) {
  const int file = open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  if (file < 0) return SystemError(absl::StrCat("open ", path));
  absl::Status status = WriteApplicationId(file, kApplicationId);
  if (status.ok() && fsync(file) != 0)
    status = SystemError(absl::StrCat("sync ", path));
  close(file);
  return status;
}

}  // namespace ostiary::storage::sqlite

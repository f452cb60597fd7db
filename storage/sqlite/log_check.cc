#include "storage/sqlite/log_check.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "storage/sqlite/connection.h"
#include "storage/sqlite/summing_vfs.h"

namespace ostiary::storage::sqlite {
namespace {

// The format: https://www.sqlite.org/fileformat2.html#walformat and
// https://www.sqlite.org/walformat.html.
constexpr std::uint32_t kMagic = 0x377f0682;  // and 1: sums of big-endian words
constexpr std::size_t kHeaderBytes = 32;
constexpr std::size_t kFrameHeaderBytes = 24;
constexpr std::size_t kIndexHeaderBytes = 48;
constexpr std::uint32_t kLargestPage = 65536;

using Check = std::array<std::uint32_t, 2>;
using Salt = std::array<unsigned char, 8>;

std::uint32_t Big(const unsigned char* at) {
  return static_cast<std::uint32_t>(at[0]) << 24 | at[1] << 16 | at[2] << 8 |
         at[3];
}

std::uint32_t Native(const unsigned char* at) {
  std::uint32_t word;
  std::memcpy(&word, at, sizeof(word));
  return word;
}

std::uint32_t Little(const unsigned char* at) {
  return static_cast<std::uint32_t>(at[3]) << 24 | at[2] << 16 | at[1] << 8 |
         at[0];
}

using WordReader = std::uint32_t (*)(const unsigned char*);

Check Add(Check check, WordReader word, const unsigned char* at,
          std::size_t size) {
  for (const unsigned char* const end = at + size; at != end; at += 8) {
    check[0] += word(at) + check[1];
    check[1] += word(at + 4) + check[0];
  }
  return check;
}

Salt SaltAt(const unsigned char* at) {
  Salt salt;
  std::copy_n(at, salt.size(), salt.begin());
  return salt;
}

struct Header {
  std::size_t page_size = 0;
  WordReader word = Big;
  Salt salt{};
  Check check{};
};

std::optional<Header> ParseHeader(const unsigned char* bytes) {
  const std::uint32_t magic = Big(bytes);
  const std::uint32_t page_size = Big(bytes + 8);
  if ((magic & ~1u) != kMagic || page_size < 512 || page_size > kLargestPage ||
      (page_size & (page_size - 1)) != 0) {
    return std::nullopt;
  }
  Header header;
  header.page_size = page_size;
  header.word = (magic & 1) != 0 ? Big : Little;
  header.salt = SaltAt(bytes + 16);
  header.check = Add({0, 0}, header.word, bytes, 24);
  if (header.check != Check{Big(bytes + 24), Big(bytes + 28)})
    return std::nullopt;
  return header;
}

struct Frame {
  bool current = false;  // written since the log started anew
  bool commits = false;
  bool follows = false;  // its check goes on from that of the frame before
  Check check{};         // as it says itself
};

Frame ParseFrame(const Header& header, const Check& before,
                 const unsigned char* bytes) {
  Frame frame;
  frame.current = SaltAt(bytes + 8) == header.salt;
  frame.commits = Big(bytes + 4) != 0;
  frame.check = {Big(bytes + 16), Big(bytes + 20)};
  Check check = Add(before, header.word, bytes, 8);
  check = Add(check, header.word, bytes + kFrameHeaderBytes, header.page_size);
  frame.follows = frame.current && Big(bytes) != 0 && check == frame.check;
  return frame;
}

// The frames in their order.
class FrameReader {
 public:
  FrameReader(sqlite3_file* file, const Header& header, sqlite3_int64 size)
      : file_(file),
        header_(header),
        bytes_(kFrameHeaderBytes + header.page_size),
        count_((size - static_cast<sqlite3_int64>(kHeaderBytes)) /
               static_cast<sqlite3_int64>(bytes_.size())),
        before_(header.check) {}

  sqlite3_int64 read() const { return next_; }
  int code() const { return code_; }

  // Nothing: the end, or a read failed and code() says how. What lies behind
  // such a place says nothing about damage.
  std::optional<Frame> Next() {
    if (next_ >= count_ || code_ != SQLITE_OK) return std::nullopt;
    code_ = file_->pMethods->xRead(
        file_, bytes_.data(), static_cast<int>(bytes_.size()),
        static_cast<sqlite3_int64>(kHeaderBytes) +
            next_ * static_cast<sqlite3_int64>(bytes_.size()));
    if (code_ != SQLITE_OK) return std::nullopt;
    ++next_;
    const Frame frame = ParseFrame(header_, before_, bytes_.data());
    before_ = frame.check;
    return frame;
  }

 private:
  sqlite3_file* const file_;
  const Header header_;
  std::vector<unsigned char> bytes_;
  const sqlite3_int64 count_;
  Check before_;
  sqlite3_int64 next_ = 0;
  int code_ = SQLITE_OK;
};

absl::Status Damaged(const std::string& path, absl::string_view what) {
  return absl::DataLossError(absl::StrCat(
      path, "-wal is damaged: ", what,
      "; what was committed last would be undone, revocations among it"));
}

absl::Status CheckHeader(const std::string& path, sqlite3_file* file,
                         sqlite3_int64 size) {
  std::vector<unsigned char> bytes(65536);
  for (sqlite3_int64 at = 0; at < size;) {
    const auto count =
        static_cast<std::size_t>(std::min<sqlite3_int64>(size - at, 65536));
    const int code =
        file->pMethods->xRead(file, bytes.data(), static_cast<int>(count), at);
    if (code != SQLITE_OK) return StatusFrom(code, path);
    if (std::any_of(bytes.begin(), bytes.begin() + static_cast<long>(count),
                    [](unsigned char byte) { return byte != 0; })) {
      return Damaged(path, "its header is not whole");
    }
    at += static_cast<sqlite3_int64>(count);
  }
  return absl::OkStatus();
}

// Behind the first frame that is not whole: whether a transaction ends and the
// next one goes on from there.
bool AnotherOneFollows(const std::optional<Frame>& broken,
                       FrameReader& frames) {
  bool ended = broken.has_value() && broken->current && broken->commits;
  while (const std::optional<Frame> frame = frames.Next()) {
    if (ended && frame->follows) return true;
    ended = frame->current && frame->commits;
  }
  return false;
}

// How many frames STORE-shm says had been synced; 0 if it says nothing.
absl::StatusOr<sqlite3_int64> SyncedFrames(sqlite3_vfs* vfs,
                                           const std::string& path,
                                           const Header& header) {
  const std::string index = absl::StrCat(path, "-shm");
  int there = 0;
  if (vfs->xAccess(vfs, index.c_str(), SQLITE_ACCESS_EXISTS, &there) !=
          SQLITE_OK ||
      there == 0) {
    return 0;
  }
  const auto file = VfsFile::Open(
      vfs, index, SQLITE_OPEN_READONLY | SQLITE_OPEN_MAIN_JOURNAL);
  if (!file.ok()) return file.status();
  sqlite3_file* const raw = (*file)->get();
  std::array<unsigned char, 2 * kIndexHeaderBytes> bytes{};
  if (raw->pMethods->xRead(raw, bytes.data(), bytes.size(), 0) != SQLITE_OK)
    return 0;  // too short to say anything
  const unsigned char* const first = bytes.data();
  const Check check = Add({0, 0}, Native, first, kIndexHeaderBytes - 8);
  const bool whole =
      std::memcmp(first, first + kIndexHeaderBytes, kIndexHeaderBytes) == 0 &&
      first[12] == 1 && check == Check{Native(first + 40), Native(first + 44)};
  if (!whole || SaltAt(first + 32) != header.salt) return 0;
  return static_cast<sqlite3_int64>(Native(first + 16));
}

absl::Status CheckFrames(sqlite3_vfs* vfs, const std::string& path,
                         const Header& header, FrameReader& frames) {
  sqlite3_int64 whole = 0;
  std::optional<Frame> frame = frames.Next();
  for (; frame.has_value() && frame->follows; frame = frames.Next()) ++whole;
  const bool more = AnotherOneFollows(frame, frames);
  if (frames.code() != SQLITE_OK) return StatusFrom(frames.code(), path);
  const std::string end = absl::StrCat("it breaks off after frame ", whole);
  if (more) return Damaged(path, absl::StrCat(end, " and goes on later"));
  const absl::StatusOr<sqlite3_int64> synced = SyncedFrames(vfs, path, header);
  if (!synced.ok()) return synced.status();
  if (*synced > whole) {
    return Damaged(path, absl::StrCat(end, ", ", *synced, " had been synced"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckLog(sqlite3_vfs* vfs, const std::string& path) {
  const std::string log = absl::StrCat(path, "-wal");
  int there = 0;
  const int code = vfs->xAccess(vfs, log.c_str(), SQLITE_ACCESS_EXISTS, &there);
  if (code != SQLITE_OK) return StatusFrom(code, log);
  if (there == 0) return absl::OkStatus();
  const auto file =
      VfsFile::Open(vfs, log, SQLITE_OPEN_READWRITE | SQLITE_OPEN_WAL);
  if (!file.ok()) return file.status();
  sqlite3_file* const raw = (*file)->get();
  sqlite3_int64 size = 0;
  if (const int sized = raw->pMethods->xFileSize(raw, &size);
      sized != SQLITE_OK) {
    return StatusFrom(sized, log);
  }
  if (size < static_cast<sqlite3_int64>(kHeaderBytes)) return absl::OkStatus();
  unsigned char bytes[kHeaderBytes];
  if (const int read = raw->pMethods->xRead(raw, bytes, sizeof(bytes), 0);
      read != SQLITE_OK) {
    return StatusFrom(read, log);
  }
  const std::optional<Header> header = ParseHeader(bytes);
  if (!header.has_value()) return CheckHeader(path, raw, size);
  FrameReader frames(raw, *header, size);
  return CheckFrames(vfs, path, *header, frames);
}

}  // namespace ostiary::storage::sqlite

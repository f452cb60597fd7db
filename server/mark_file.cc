#include "server/mark_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "storage/fail_point.h"

namespace ostiary {
namespace {

// On disk: one line,
//   ostiary-mark 1 <epoch> <sequence> <microseconds since 1970> <fnv1a64 hex>
// The sum finds damage, not malice: who can write here is the operator.
constexpr absl::string_view kMagic = "ostiary-mark";
constexpr absl::string_view kVersion = "1";
constexpr std::size_t kMaxBytes = 256;
constexpr absl::Duration kMostBackwards = absl::Seconds(60);

std::uint64_t Fnv1a(absl::string_view bytes) {
  std::uint64_t sum = 14695981039346656037u;
  for (const char c : bytes) {
    sum = (sum ^ static_cast<unsigned char>(c)) * 1099511628211u;
  }
  return sum;
}

std::string Format(const Mark& mark) {
  const std::string body =
      absl::StrCat(kMagic, " ", kVersion, " ", mark.epoch, " ", mark.sequence,
                   " ", absl::ToUnixMicros(mark.time));
  return absl::StrFormat("%s %016x\n", body, Fnv1a(body));
}

// nullopt unless it is exactly what Format writes.
std::optional<Mark> Parse(absl::string_view text) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, ' ');
  Mark mark;
  std::int64_t micros = 0;
  if (parts.size() != 6 || !absl::SimpleAtoi(parts[2], &mark.epoch) ||
      !absl::SimpleAtoi(parts[3], &mark.sequence) ||
      !absl::SimpleAtoi(parts[4], &micros)) {
    return std::nullopt;
  }
  mark.time = absl::FromUnixMicros(micros);
  if (absl::string_view(Format(mark)) != text) return std::nullopt;
  return mark;
}

absl::Status SystemError(absl::string_view what, const std::string& path) {
  return absl::UnavailableError(
      absl::StrCat("cannot ", what, " '", path, "': ", std::strerror(errno)));
}

class File {
 public:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  ~File() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  bool ok() const { return descriptor_ >= 0; }
  int get() const { return descriptor_; }

 private:
  const int descriptor_;
};

absl::Status WriteWhole(const std::string& path, absl::string_view text) {
  const File file(open(path.c_str(),
                       O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
                       0600));
  if (!file.ok()) return SystemError("write", path);
  // A file left by a crash under another umask keeps its mode otherwise.
  if (fchmod(file.get(), 0600) != 0 ||
      write(file.get(), text.data(), text.size()) !=
          static_cast<ssize_t>(text.size()) ||
      fsync(file.get()) != 0) {
    return SystemError("write", path);
  }
  return absl::OkStatus();
}

// Makes the rename itself durable.
absl::Status SyncDirectoryOf(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "."
                                : slash == 0               ? "/"
                                             : path.substr(0, slash);
  const File file(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!file.ok() || fsync(file.get()) != 0) {
    return SystemError("sync", directory);
  }
  return absl::OkStatus();
}

absl::Status Damaged(const std::string& path) {
  return absl::DataLossError(absl::StrCat(
      "the mark file '", path,
      "' is damaged, so it cannot be told whether the store has gone back in "
      "time; run ostiaryd restore --sessions=end|keep"));
}

std::string Say(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone());
}

}  // namespace

absl::StatusOr<std::optional<Mark>> MarkFile::Read() const {
  const File file(open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file.ok()) {
    if (errno == ENOENT) return std::optional<Mark>();
    return SystemError("read", path_);
  }
  char bytes[kMaxBytes + 1];
  const ssize_t count = read(file.get(), bytes, sizeof(bytes));
  if (count < 0) return SystemError("read", path_);
  const std::optional<Mark> mark =
      Parse(absl::string_view(bytes, static_cast<std::size_t>(count)));
  if (!mark.has_value()) return Damaged(path_);
  return mark;
}

absl::Status MarkFile::Write(const Mark& mark) const {
  const std::string next = absl::StrCat(path_, ".new");
  if (absl::Status written = WriteWhole(next, Format(mark)); !written.ok()) {
    return written;
  }
  Pass(storage::FailPoint::kMarkBefore);
  if (std::rename(next.c_str(), path_.c_str()) != 0) {
    return SystemError("replace", path_);
  }
  Pass(storage::FailPoint::kMarkAfter);
  return SyncDirectoryOf(path_);
}

absl::Status MissingMark(const std::string& path) {
  return absl::FailedPreconditionError(absl::StrCat(
      "the mark file '", path,
      "' is missing and the store has been served before, so it cannot be "
      "told whether the store has gone back in time; put the file back (it "
      "lies beside the key-encryption key), or run ostiaryd restore "
      "--sessions=end|keep to take the store over safely"));
}

absl::Status CheckAgainstMark(const Mark& mark, std::uint32_t epoch,
                              std::uint64_t sequence, absl::Time now) {
  if (epoch != mark.epoch) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the store is of epoch ", epoch, " and this server last wrote epoch ",
        mark.epoch,
        ": another database was put in its place; run ostiaryd restore "
        "--sessions=end|keep to take it over safely"));
  }
  if (sequence < mark.sequence) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the store went back in time: its ledger ends at ", sequence,
        " and this server had reached ", mark.sequence,
        ", so what was revoked since would be accepted again; run ostiaryd "
        "restore --sessions=end|keep to take it over safely"));
  }
  if (now < mark.time - kMostBackwards) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the machine's clock says ", Say(now), " and this server last ran at ",
        Say(mark.time),
        ": expired tokens would be accepted again; set the clock right, or, "
        "if it was the earlier one that was wrong, run ostiaryd restore"));
  }
  return absl::OkStatus();
}

}  // namespace ostiary

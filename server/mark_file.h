#ifndef OSTIARY_SERVER_MARK_FILE_H_
#define OSTIARY_SERVER_MARK_FILE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace ostiary {

// How far the ledger had come, and what time it was, when this server last
// looked. Kept beside the key-encryption key, outside every backup.
struct Mark {
  std::uint32_t epoch = 0;
  std::uint64_t sequence = 0;
  absl::Time time;  // whole microseconds on disk
  friend bool operator==(const Mark&, const Mark&) = default;
};

// The mark on disk. Rewritten every second by one thread; not thread-safe.
class MarkFile {
 public:
  explicit MarkFile(std::string path) : path_(std::move(path)) {}

  // The last mark written; nullopt if there never was one. kDataLoss if the
  // file is there and is not a whole mark: it must not be taken for a new
  // installation, or damaging it would be a way to hide a restore.
  absl::StatusOr<std::optional<Mark>> Read() const;

  const std::string& path() const { return path_; }

  // Replaces the mark, mode 0600, in one step: after a crash at any moment the
  // old one or the new one is there. Durable when it returns.
  absl::Status Write(const Mark& mark) const;

 private:
  std::string path_;
};

// The refusal of a store that has had a mark once, while there is none:
// removing the file must not be a way to hide a restore, nor must a copy on
// another machine pass for a store that never went back.
absl::Status MissingMark(const std::string& path);

// Whether a store whose ledger stands at (epoch, sequence) may be served by a
// process that believes it is `now`.
//
// Refused (kFailedPrecondition) if the store is behind the mark or of another
// epoch: an old copy was put in place, and tokens revoked since would live
// again; the message names `ostiaryd restore`. Refused if `now` is more than
// 60 seconds before the mark's time: expired tokens would live again.
absl::Status CheckAgainstMark(const Mark& mark, std::uint32_t epoch,
                              std::uint64_t sequence, absl::Time now);

}  // namespace ostiary

#endif  // OSTIARY_SERVER_MARK_FILE_H_

#ifndef OSTIARY_STORAGE_SQLITE_RESERVE_H_
#define OSTIARY_STORAGE_SQLITE_RESERVE_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace ostiary::storage::sqlite {

// Room on the disk that is ours already: a file of real blocks beside the
// store. Once the disk is full it is given up a piece at a time, so that who
// else fills the disk finds no more than a piece, and what ends access can
// still be written. README.md says why it is as large as it is.
//
// Used by the writer's thread; bytes() by any.
class Reserve {
 public:
  static constexpr std::int64_t kBytes = 8 << 20;
  static constexpr std::int64_t kPieceBytes = 1 << 20;
  // So much must be free beside the whole reserve before a full disk counts as
  // freed: else the first ordinary write would fill it again.
  static constexpr std::int64_t kSlackBytes = 1 << 20;

  // Opens or makes the file (mode 0600) and fills it as far as there is room;
  // a disk without any is no error. What the system else has against it is,
  // with its code and the path.
  static absl::StatusOr<std::unique_ptr<Reserve>> Open(const std::string& path);
  ~Reserve();
  Reserve(const Reserve&) = delete;
  Reserve& operator=(const Reserve&) = delete;

  // Frees one piece. False if none is left.
  bool GiveUpPiece();
  // True if there is room for all of the reserve, which then is whole again,
  // and the slack. Cheap if there is not: it is asked before every write.
  bool Refill();

  bool whole() const { return bytes() == kBytes; }
  std::int64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

 private:
  Reserve(int file, std::int64_t bytes) : file_(file), bytes_(bytes) {}
  // An error number; 0: it is whole now.
  int Fill();

  const int file_;
  std::atomic<std::int64_t> bytes_;
};

// True for the error numbers that say "no more room": the disk, a quota, a
// limit on the size of files.
bool MeansNoRoom(int error_number);

}  // namespace ostiary::storage::sqlite

#endif  // OSTIARY_STORAGE_SQLITE_RESERVE_H_

#ifndef OSTIARY_TESTS_STORAGE_FAULTS_FAULTY_VFS_H_
#define OSTIARY_TESTS_STORAGE_FAULTS_FAULTY_VFS_H_

#include <string>

namespace ostiary::testing {

// What goes wrong, and which calls of SQLite's count for it.
enum class Fault {
  kReadError,   // a read: EIO
  kShortRead,   // a read: half of it, the rest zeroes
  kWriteError,  // a write: half of it, then EIO
  kDiskFull,    // a write: half of it, then no room
  // A sync fails as Linux does it: what was to be written is dropped, though it
  // can still be read, and the next sync says that all is well.
  kSyncError,
  kOtherError,  // opening, locking, sharing memory, truncating, asking, ...
  kNoMemory,    // an allocation of SQLite's
};
inline constexpr Fault kEveryFault[] = {
    Fault::kReadError, Fault::kShortRead,  Fault::kWriteError, Fault::kDiskFull,
    Fault::kSyncError, Fault::kOtherError, Fault::kNoMemory};
const char* FaultName(Fault fault);

enum class Times { kOnce, kFromThenOn };

// A disk under every SQLite of this process that fails when it is told to, and
// that knows what would be left of its files if power failed: no real sync is
// made. One for the process, on any thread.
class FaultyDisk {
 public:
  // Before the process first uses SQLite.
  static void Install();

  // The `call`th call that counts for `fault`, from now on, fails; or that and
  // all after it.
  static void Arm(Fault fault, Times times, int call);
  // How many calls counted since Arm. The fault struck if they reached it.
  static int Disarm();

  // Copies the store (the file and its log) as another process would find it
  // after a kill -9, with all that the system still has to write or has given
  // up to write.
  static void CopyAsAfterKill(const std::string& from, const std::string& to);
  // The same as a power failure would leave it: what was synced.
  static void CopyAsAfterPowerLoss(const std::string& from,
                                   const std::string& to);
  // The store there has been removed, and nobody has it open.
  static void Forget(const std::string& path);
};

}  // namespace ostiary::testing

#endif  // OSTIARY_TESTS_STORAGE_FAULTS_FAULTY_VFS_H_

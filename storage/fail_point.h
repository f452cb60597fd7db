#ifndef OSTIARY_STORAGE_FAIL_POINT_H_
#define OSTIARY_STORAGE_FAIL_POINT_H_

#include <atomic>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

// Places at which this process can be told to die, in the programs as they
// ship: what a crash leaves behind is asked of the very code that runs.
// tests/faults kills at each of them.
namespace ostiary::storage {

// Their names and what lies before and after each are in fail_point.cc.
enum class FailPoint : int {
  kCommitBefore,
  kCommitAfter,
  kCommitAnnounced,
  kReplyBefore,
  kMigrationBefore,
  kMigrationBetween,
  kMigrationCommit,
  kMigrationAfter,
  kCheckpointBefore,
  kCheckpointAfter,
  kKeyBefore,
  kKeyAfter,
  kRevokedFileBefore,
  kRevokedFileAfter,
  kMarkBefore,
  kMarkAfter,
  kStartKek,
  kStartStore,
  kStartKeys,
  kStartSymmetric,
  kRestoreSessions,
  kRestoreEpoch,
  kRestoreCopied,
  kRestoreAside,
  kRestoreLogAside,
  kRestorePlaced,
  kBackupBefore,
  kBackupAfter,
};
inline constexpr int kFailPoints = 28;

// Written once, before any thread starts. None: no place is armed.
inline constexpr int kNoFailPoint = -1;
inline std::atomic<int> armed_fail_point{kNoFailPoint};

// Does not return at the passage that was asked for: the process ends as by
// kill -9, with no destructor run and nothing flushed.
void CountPassage();

// Costs one relaxed load where nothing is armed. Thread-safe.
inline void Pass(FailPoint point) {
  if (armed_fail_point.load(std::memory_order_relaxed) ==
      static_cast<int>(point)) {
    CountPassage();
  }
}

// Arms the place in `text`, "commit.before" or "commit.before:3": the process
// dies at that passage, the first if none is named. At most once in a process.
// kInvalidArgument names what there is to choose from.
absl::Status ArmFailPoint(absl::string_view text);

// Every name with what it means, a line each.
std::string FailPointTable();

}  // namespace ostiary::storage

#endif  // OSTIARY_STORAGE_FAIL_POINT_H_

#ifndef OSTIARY_STORAGE_SQLITE_CHECKPOINTER_H_
#define OSTIARY_STORAGE_SQLITE_CHECKPOINTER_H_

#include "absl/status/status.h"
#include "storage/sqlite/connection.h"
#include "storage/sqlite/readers.h"

namespace ostiary::storage::sqlite {

// Keeps the write-ahead log short: copies it into the file between two commit
// groups, when it has grown by kPages. Runs on the writer's thread, where no
// new page can be added meanwhile: a checkpointer beside a busy writer never
// catches up, and the log starts anew only once all of it has been copied.
//
// Used by the thread that uses `connection`.
class Checkpointer {
 public:
  // 4 MiB of pages: long enough to copy a hot page once for many commits.
  static constexpr int kPages = 1000;
  // From here on the writer waits for readers that are in the log, at most
  // kPatienceMilliseconds for each kPages of growth. Only a Read that itself
  // takes longer lets the log grow beyond. Nobody waits for a LongRead.
  static constexpr int kTooManyPages = 4 * kPages;
  static constexpr int kPatienceMilliseconds = 100;

  // Both must outlive this object. Takes over `connection`'s log hook and
  // switches its automatic checkpoints off.
  Checkpointer(Connection& connection, Readers& readers);
  ~Checkpointer();
  Checkpointer(const Checkpointer&) = delete;
  Checkpointer& operator=(const Checkpointer&) = delete;

  // To be called between transactions. What could not be copied is copied next
  // time; kResourceExhausted: because the file has no room to grow.
  absl::Status AfterCommit();

  // Copies what it can at once, so that the log may start anew.
  absl::Status CopyNow();

  // Copies everything and cuts the log to nothing; for the end.
  void Finish();

 private:
  absl::Status Checkpoint(int mode);

  Connection& connection_;
  Readers& readers_;
  int pages_in_log_ = 0;
  int next_at_ = kPages;
};

}  // namespace ostiary::storage::sqlite

#endif  // OSTIARY_STORAGE_SQLITE_CHECKPOINTER_H_

#ifndef OSTIARY_STORAGE_SQLITE_WRITER_H_
#define OSTIARY_STORAGE_SQLITE_WRITER_H_

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "storage/sqlite/checkpointer.h"
#include "storage/sqlite/connection.h"
#include "storage/sqlite/readers.h"
#include "storage/sqlite/reserve.h"
#include "storage/sqlite/transaction.h"
#include "storage/store.h"

namespace ostiary::storage::sqlite {

// The one thread that writes. Everything that waits becomes one group: one
// transaction, one commit, one sync of the disk for all. No timer: while a
// group is being committed the next one gathers.
//
// On a full disk only what ends access is written, from the reserve; all else
// is refused until there is room again (README.md).
//
// An operation that fails is undone; its neighbours do not notice. Hardly one
// fails after it has written, so the group first runs without savepoints, and
// once more, with one for each operation, if one has to be undone after all. An
// operation may see what one before it in the group wrote; if the commit fails,
// both fail.
//
// Thread-safe.
class Writer {
 public:
  // The references must outlive this object.
  Writer(std::unique_ptr<Connection> connection,
         std::unique_ptr<Reserve> reserve, Readers& readers,
         CommitNumber& commits, StoreListener listener);
  // Commits what waits, then copies the log into the file.
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // As Store::Write.
  absl::Status Write(Store::WriteFn fn);

  DiskRoom disk_room() const;

 private:
  // One waiting call. Lives on its caller's stack.
  struct Operation;
  class Gate;
  // What is committed together, and the gate its callers wait at.
  struct Group {
    std::vector<Operation*> operations;
    std::shared_ptr<Gate> gate;
  };

  void Loop();
  Group TakeWaiting();  // empty: the end
  void Run(Group group);
  // Commits all of the group or, on a full disk, what of it ends access; the
  // others have their outcome then and are taken out of the group.
  absl::Status CommitWithRoom(Group& group, LedgerHead* head);
  absl::Status CommitFromReserve(Group& group, LedgerHead* head);
  absl::Status KeepWhatEndsAccess(Group& group);
  // Everything up to and including the commit. An error is everyone's.
  absl::Status Commit(const Group& group, LedgerHead* head);
  // Frees a piece of the reserve and copies the log, so that it may start anew
  // within what it has. False if none was left.
  bool MakeRoom();
  void CopyLog();

  // How what an operation wrote is undone if it fails: not at all, the group
  // has to run again, or by itself.
  enum class Undo { kWithGroup, kToSavepoint };
  enum class Applied { kAll, kGroupMustBeUndone };
  // An error of the four means that the transaction itself is broken.
  absl::StatusOr<Applied> ApplyAll(const Group& group, Undo undo);
  absl::StatusOr<Applied> Apply(Operation& operation);
  absl::StatusOr<Applied> ApplyInSavepoint(Operation& operation);
  // Runs the body and notes its outcome.
  absl::Status RunBody(Operation& operation);
  // What was written so far in this transaction, by all operations.
  struct Written {
    std::int64_t rows = 0;
    std::int64_t endings = 0;
    std::int64_t sessions_opened = 0;
  };
  Written written();
  bool EndsAccess(const Written& before);
  // What the listener would be told, cut back to so much.
  struct News {
    std::size_t appended = 0;
    std::size_t flipped = 0;
  };
  News news();
  void KeepNews(const News& news);
  absl::Status Abandon(absl::Status cause);
  void Announce(const LedgerHead& head);

  const std::unique_ptr<Connection> connection_;
  CommitNumber& commits_;
  const StoreListener listener_;
  SqliteWriteTx tx_;           // the writer's thread
  Checkpointer checkpointer_;  // the writer's thread
  const std::unique_ptr<Reserve> reserve_;
  std::atomic<bool> disk_full_{false};  // set by the writer's thread

  std::mutex mutex_;
  std::condition_variable arrived_;
  Group waiting_;          // guarded by mutex_; its gate is never null
  bool stopping_ = false;  // guarded by mutex_

  std::thread thread_;  // last: it uses all of the above
};

}  // namespace ostiary::storage::sqlite

#endif  // OSTIARY_STORAGE_SQLITE_WRITER_H_

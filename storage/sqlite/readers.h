#ifndef OSTIARY_STORAGE_SQLITE_READERS_H_
#define OSTIARY_STORAGE_SQLITE_READERS_H_

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "storage/sqlite/connection.h"
#include "storage/sqlite/transaction.h"
#include "storage/store.h"

namespace ostiary::storage::sqlite {

// How many commits this process has made. The writer raises it before it
// answers; a reader that begins after the answer sees a snapshot at least as
// new.
using CommitNumber = std::atomic<std::uint64_t>;

// The connections that read, and the snapshots they keep.
//
// Opening a read transaction costs more than looking a row up, so a connection
// keeps its snapshot after a Read and offers it to the next one. It is let go
//   - when the commit number has moved (a Read must see what was acknowledged;
//     ReadRecent need not),
//   - after kKeepSnapshot without a Read,
//   - while a checkpoint is under way: a log with a reader in it cannot start
//     anew, and one idle reader would let it grow without bound.
//
// Thread-safe.
class Readers {
 public:
  static constexpr std::chrono::milliseconds kKeepSnapshot{100};

  // `commits` must outlive this object. At least one connection.
  Readers(std::vector<std::unique_ptr<Connection>> connections,
          const CommitNumber& commits);
  // No Read may be under way.
  ~Readers();
  Readers(const Readers&) = delete;
  Readers& operator=(const Readers&) = delete;

  absl::Status Read(Store::ReadFn fn);
  // On a snapshot that was opened less than kKeepSnapshot ago, whatever has
  // been committed since.
  absl::Status ReadRecent(Store::ReadFn fn);

  // While it lives no snapshot is kept: those of idle connections end now,
  // those of busy ones with their Read. One at a time.
  class NoSnapshotsKept {
   public:
    explicit NoSnapshotsKept(Readers& readers);
    ~NoSnapshotsKept();
    NoSnapshotsKept(const NoSnapshotsKept&) = delete;
    NoSnapshotsKept& operator=(const NoSnapshotsKept&) = delete;

   private:
    Readers& readers_;
  };

  // While one lives, somebody reads an old snapshot for long (a backup): the
  // log cannot start anew, and nobody is to wait for it.
  class LongRead {
   public:
    explicit LongRead(Readers& readers) : readers_(readers) {
      ++readers_.long_reads_;
    }
    ~LongRead() { --readers_.long_reads_; }
    LongRead(const LongRead&) = delete;
    LongRead& operator=(const LongRead&) = delete;

   private:
    Readers& readers_;
  };
  bool has_long_read() const { return long_reads_ > 0; }

 private:
  using Clock = std::chrono::steady_clock;

  // A connection and what it keeps. Belongs to `idle_` or to one thread.
  struct Reader {
    explicit Reader(std::unique_ptr<Connection> owned)
        : connection(std::move(owned)), tx(*connection) {}

    std::unique_ptr<Connection> connection;
    SqliteReadTx tx;
    bool has_snapshot = false;
    std::uint64_t commit = 0;     // the snapshot is at least this new
    std::uint64_t pause = 0;      // `pauses_` when the Read began
    Clock::time_point opened_at;  // the snapshot
    Clock::time_point used_at;
  };

  Reader* Take();
  void GiveBack(Reader* reader);
  static absl::Status Run(Reader& reader, Store::ReadFn fn);
  // Gives the reader a snapshot with everything that was acknowledged.
  absl::Status Refresh(Reader& reader);
  static void EndSnapshot(Reader& reader);
  // Ends the snapshots of idle readers that were last used before `before`.
  void EndIdleSnapshots(Clock::time_point before);
  bool AnyIdleSnapshotLocked() const;
  void ForgetOldSnapshots();  // the body of `forgetter_`

  // Constant after construction.
  const CommitNumber& commits_;
  std::vector<std::unique_ptr<Reader>> readers_;

  std::atomic<int> long_reads_{0};

  std::mutex mutex_;
  std::condition_variable freed_;  // a reader became idle
  std::condition_variable kept_;   // an idle reader keeps a snapshot, or end
  std::vector<Reader*> idle_;      // guarded by mutex_; last used last
  bool keeping_ = true;            // guarded by mutex_
  std::uint64_t pauses_ = 0;       // guarded by mutex_; NoSnapshotsKept ended
  bool forgetter_sleeps_ = false;  // guarded by mutex_
  bool stopping_ = false;          // guarded by mutex_

  std::thread forgetter_;  // last: it uses all of the above
};

}  // namespace ostiary::storage::sqlite

#endif  // OSTIARY_STORAGE_SQLITE_READERS_H_

#ifndef OSTIARY_STORAGE_STORE_H_
#define OSTIARY_STORAGE_STORE_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "storage/backup.h"
#include "storage/tables.h"

namespace ostiary::storage {

// A consistent view of the store at one moment.
class ReadTx {
 public:
  virtual ~ReadTx() = default;
  virtual const AccountReader& accounts() = 0;
  virtual const SessionReader& sessions() = 0;
  virtual const LedgerReader& ledger() = 0;
  virtual const StatusListReader& status_lists() = 0;
  virtual const KeyReader& keys() = 0;
  virtual const AuditReader& audit() = 0;
  virtual const FactReader& facts() = 0;
};

// The same, and it can change things. All of it commits, or none.
class WriteTx {
 public:
  virtual ~WriteTx() = default;
  virtual AccountTable& accounts() = 0;
  virtual SessionTable& sessions() = 0;
  virtual LedgerTable& ledger() = 0;
  virtual StatusListTable& status_lists() = 0;
  virtual KeyTable& keys() = 0;
  virtual AuditTable& audit() = 0;
  virtual FactTable& facts() = 0;
};

// What a backend tells the house, from its writer's thread. Must be quick and
// must not call the store.
struct StoreListener {
  // Ledger rows just committed, in order, with the head they lead to. Called
  // after the commit is durable and before any of its callers is answered: a
  // revocation is in force in memory before it is acknowledged.
  std::function<void(const LedgerHead& head,
                     const std::vector<LedgerRow>& rows)>
      on_ledger;
  // Slots of status lists just flipped. Called like on_ledger, before it: who
  // sees a ledger row sees what was flipped with it.
  std::function<void(const std::vector<StatusSlot>& flipped)> on_status_flips;
  // A commit group has been made durable; `took` from its begin to its end,
  // `operations` how many Write calls it carried.
  std::function<void(absl::Time began, absl::Duration took,
                     std::size_t operations)>
      on_commit;
};

struct DiskRoom {
  bool full = false;  // only what ends access is written
  std::int64_t reserve_bytes = 0;
};

// The cellar: everything that must survive is behind this door.
//
// Thread-safe.
class Store {
 public:
  using ReadFn = absl::FunctionRef<absl::Status(ReadTx&)>;
  using WriteFn = absl::FunctionRef<absl::Status(WriteTx&)>;

  virtual ~Store() = default;

  // Runs `fn` on a snapshot. Returns what `fn` returned, or why none could be
  // had (kUnavailable).
  virtual absl::Status Read(ReadFn fn) = 0;

  // As Read, but the snapshot may be some 100 ms old, which spares a busy store
  // the opening of one for each call. For what never changes once it is there:
  // who does not find it asks Read.
  virtual absl::Status ReadRecent(ReadFn fn) { return Read(fn); }

  // Runs `fn` in a transaction and returns once it is durable. `fn` may run
  // more than once and on another thread, one at a time: it has no effect
  // outside the transaction but to assign the caller's locals afresh, and it
  // does not call Write. An error
  // from `fn` rolls everything back and is returned; so what must survive a
  // refusal is an outcome of `fn`, turned into an error after the commit.
  // kUnavailable: not committed. kUnknown: the commit itself failed and the
  // change may or may not survive a crash; until then it is not there.
  // kResourceExhausted: the disk is full, not committed.
  //
  // On a full disk what ends access is still written, from a reserve, and all
  // else is refused. Which is which is seen from what `fn` wrote, so that no
  // flow can forget to say it: to end access is to write the ledger or to flip
  // a slot of a status list, and to open no session.
  virtual absl::Status Write(WriteFn fn) = 0;

  // True if the store can be written now; for readiness.
  virtual absl::Status Ping() = 0;

  // Writes a copy of everything that is committed when it begins, while reads
  // and writes go on. It takes long: for a thread that nobody waits for. The
  // file appears under its name whole, checked and durable, or not at all.
  //
  // kAlreadyExists: there is something at the path. kNotFound: its folder is
  // not there. kPermissionDenied: we may not write there, or others may.
  // kResourceExhausted: no room. kCancelled: stopped. kDataLoss: the copy is
  // not sound, so the store is not. kUnavailable else. Each message can be
  // told to an operator.
  virtual absl::StatusOr<Backup> BackUp(const BackupOrder&) {
    return absl::UnimplementedError("this store makes no backups");
  }

  // How the disk stood at the last write.
  virtual DiskRoom disk_room() const { return {}; }
};

// Read and Write for bodies that produce a value.
template <typename T>
absl::StatusOr<T> ReadValue(Store& store,
                            absl::FunctionRef<absl::StatusOr<T>(ReadTx&)> fn) {
  std::optional<T> value;
  const absl::Status status = store.Read([&](ReadTx& tx) -> absl::Status {
    absl::StatusOr<T> result = fn(tx);
    if (!result.ok()) return result.status();
    value.emplace(*std::move(result));
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return *std::move(value);
}

template <typename T>
absl::StatusOr<T> WriteValue(
    Store& store, absl::FunctionRef<absl::StatusOr<T>(WriteTx&)> fn) {
  std::optional<T> value;
  const absl::Status status = store.Write([&](WriteTx& tx) -> absl::Status {
    absl::StatusOr<T> result = fn(tx);
    if (!result.ok()) return result.status();
    value.emplace(*std::move(result));
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return *std::move(value);
}

}  // namespace ostiary::storage

#endif  // OSTIARY_STORAGE_STORE_H_

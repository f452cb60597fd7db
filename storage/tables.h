#ifndef OSTIARY_STORAGE_TABLES_H_
#define OSTIARY_STORAGE_TABLES_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "storage/rows.h"

namespace ostiary::storage {

// The tables. Each comes in two types: `...Reader` in a ReadTx, and the table
// itself, which can also write, in a WriteTx. A missing row is an empty
// optional. A failed call leaves the transaction usable only for rolling back.
// Objects belong to their transaction and live as long as it does.

class AccountReader {
 public:
  virtual ~AccountReader() = default;
  virtual absl::StatusOr<std::optional<AccountRow>> Find(
      const Key16& account_id) const = 0;
  virtual absl::StatusOr<std::optional<AccountRow>> FindByUsername(
      absl::string_view username_key) const = 0;
  virtual absl::StatusOr<std::optional<AccountRow>> FindByEmail(
      absl::string_view email_key) const = 0;
  // Up to `limit` rows with account_id > `after`, ascending. `after` of all
  // zeroes begins at the beginning.
  virtual absl::StatusOr<std::vector<AccountRow>> List(
      const Key16& after, std::size_t limit) const = 0;
  // How many accounts carry a password hash that begins with each shape: the
  // hash with salt and digest cut off ("$argon2id$v=19$m=19456,t=2,p=1",
  // "$2b$12"). Kept by the table, not counted by a scan.
  virtual absl::StatusOr<std::map<std::string, std::int64_t>> HashShapes()
      const = 0;
};

class AccountTable : public AccountReader {
 public:
  // kAlreadyExists if the username key or the email key belongs to another row.
  virtual absl::Status Insert(const AccountRow& row) = 0;
  // Replaces the row with this account_id. kNotFound if there is none,
  // kAlreadyExists as for Insert.
  virtual absl::Status Update(const AccountRow& row) = 0;
  // True if a row was deleted.
  virtual absl::StatusOr<bool> Delete(const Key16& account_id) = 0;
};

class SessionReader {
 public:
  virtual ~SessionReader() = default;
  virtual absl::StatusOr<std::optional<SessionRow>> Find(
      const Key16& session_id) const = 0;
  // All sessions of the account, oldest (by session_id) first, at most `limit`.
  virtual absl::StatusOr<std::vector<SessionRow>> ListByAccount(
      const Key16& account_id, std::size_t limit) const = 0;
  // Those of them that are neither revoked nor past a lifetime at `now` and
  // were opened at `session_floor` or later; oldest first, at most `limit`.
  virtual absl::StatusOr<std::vector<SessionRow>> ListLive(
      const Key16& account_id, std::uint32_t session_floor, absl::Time now,
      std::size_t limit) const = 0;
};

class SessionTable : public SessionReader {
 public:
  virtual absl::Status Insert(const SessionRow& row) = 0;
  // Replaces the row with this session_id if its generation still is
  // `expected_generation` and it is not revoked; false if not, and nothing is
  // changed. A session does not change hands: false also if the account
  // differs. The one compare-and-set behind refresh rotation.
  virtual absl::StatusOr<bool> UpdateIf(const SessionRow& row,
                                        std::uint32_t expected_generation) = 0;
  // Marks the session revoked. False if there is none or it already is.
  virtual absl::StatusOr<bool> Revoke(const Key16& session_id,
                                      absl::Time now) = 0;
  virtual absl::StatusOr<std::int64_t> DeleteByAccount(
      const Key16& account_id) = 0;
  // Deletes up to `limit` sessions that ended (expired or were revoked) before
  // `before`. Returns how many.
  virtual absl::StatusOr<std::int64_t> DeleteEnded(absl::Time before,
                                                   std::size_t limit) = 0;
};

class LedgerReader {
 public:
  virtual ~LedgerReader() = default;
  virtual absl::StatusOr<LedgerHead> Head() const = 0;
  // Rows with sequence > `after`, ascending, at most `limit`.
  virtual absl::StatusOr<std::vector<LedgerRow>> After(
      std::int64_t after, std::size_t limit) const = 0;
  // The same in place of what `rows` held, whose memory is used again: for who
  // reads a whole ledger.
  virtual absl::Status ReadAfter(std::int64_t after, std::size_t limit,
                                 std::vector<LedgerRow>& rows) const {
    absl::StatusOr<std::vector<LedgerRow>> found = After(after, limit);
    if (!found.ok()) return found.status();
    rows = *std::move(found);
    return absl::OkStatus();
  }
  // The newest row of this kind about `key`.
  virtual absl::StatusOr<std::optional<LedgerRow>> FindNewest(
      LedgerKind kind, absl::string_view key) const = 0;
};

class LedgerTable : public LedgerReader {
 public:
  // Appends `row` with the next sequence and check; both are ignored in the
  // argument. Returns the row as it will be committed. The sequence is read
  // from the head row inside the transaction: a rollback leaves no gap.
  virtual absl::StatusOr<LedgerRow> Append(LedgerRow row) = 0;
  // Forgets up to `limit` rows whose expire_time is before `now`. The head
  // does not move.
  virtual absl::StatusOr<std::int64_t> DeleteExpired(absl::Time now,
                                                     std::size_t limit) = 0;
  // Begins a new epoch: the head's epoch becomes `epoch`, which must be higher
  // than it was (kFailedPrecondition), its sequence at least
  // `sequence_at_least` and never less than it was. The check goes on; no row
  // is written, and the listener hears of it with the next one.
  virtual absl::Status BeginEpoch(std::uint32_t epoch,
                                  std::int64_t sequence_at_least) = 0;
};

// Token Status Lists and their slots. A slot that was flipped stays so.
class StatusListReader {
 public:
  virtual ~StatusListReader() = default;
  // Every list, oldest (by list_id) first.
  virtual absl::StatusOr<std::vector<StatusListRow>> Lists() const = 0;
  // The slot that the session was given last; of two given at the same time,
  // one that is not flipped.
  virtual absl::StatusOr<std::optional<StatusSlotRow>> NewestOf(
      const Key16& session_id) const = 0;
  // Slots of the list with a number > `after`, ascending, at most `limit`.
  // `after` of -1 begins at the beginning.
  virtual absl::StatusOr<std::vector<StatusSlotRow>> SlotsOf(
      const Key16& list_id, std::int64_t after, std::size_t limit) const = 0;
  // Of them only those that are flipped; the others cost nothing.
  virtual absl::StatusOr<std::vector<StatusSlot>> FlippedOf(
      const Key16& list_id, std::int64_t after, std::size_t limit) const = 0;
};

// What is flipped is told to the listener (on_status_flips), so that it is in
// force in memory before the transaction's caller is answered.
class StatusListTable : public StatusListReader {
 public:
  // Writes the list down unless it is there already.
  virtual absl::Status Open(const StatusListRow& row) = 0;
  // kAlreadyExists if the slot was ever given to anybody.
  virtual absl::Status Take(const StatusSlotRow& row) = 0;
  // Each returns how many slots were flipped that had not been before.
  virtual absl::StatusOr<std::int64_t> Flip(const StatusSlot& place) = 0;
  virtual absl::StatusOr<std::int64_t> FlipSession(const Key16& session_id) = 0;
  // Slots of sessions that are in the table `sessions` now.
  virtual absl::StatusOr<std::int64_t> FlipAccount(const Key16& account_id) = 0;
  // Every list there is says "not valid" of every slot from now on.
  virtual absl::Status InvalidateAll() = 0;
  // Forgets up to `limit` slots of lists whose expire_time is before `now`, and
  // the lists that have none left. Returns how many slots.
  virtual absl::StatusOr<std::int64_t> DeleteExpired(absl::Time now,
                                                     std::size_t limit) = 0;
};

class KeyReader {
 public:
  virtual ~KeyReader() = default;
  // Every key of whatever purpose, by key_id.
  virtual absl::StatusOr<std::vector<KeyRow>> ListAll() const = 0;
  // All keys of this purpose, oldest first.
  virtual absl::StatusOr<std::vector<KeyRow>> List(
      absl::string_view purpose) const = 0;
  virtual absl::StatusOr<std::optional<KeyRow>> Find(
      absl::string_view key_id) const = 0;
};

class KeyTable : public KeyReader {
 public:
  virtual absl::Status Insert(const KeyRow& row) = 0;
  // kNotFound if there is no row with this key_id.
  virtual absl::Status Update(const KeyRow& row) = 0;
  virtual absl::StatusOr<bool> Delete(absl::string_view key_id) = 0;
};

class AuditReader {
 public:
  virtual ~AuditReader() = default;
  // Rows with audit_id > `after`, ascending, at most `limit`.
  virtual absl::StatusOr<std::vector<AuditRow>> After(
      std::int64_t after, std::size_t limit) const = 0;
};

class AuditTable : public AuditReader {
 public:
  // Assigns audit_id.
  virtual absl::Status Append(const AuditRow& row) = 0;
  virtual absl::StatusOr<std::int64_t> DeleteBefore(absl::Time before,
                                                    std::size_t limit) = 0;
};

// Single facts about the installation, by name: its id, the access ceiling.
class FactReader {
 public:
  virtual ~FactReader() = default;
  virtual absl::StatusOr<std::optional<std::string>> Find(
      absl::string_view name) const = 0;
};

class FactTable : public FactReader {
 public:
  virtual absl::Status Put(absl::string_view name, absl::string_view value) = 0;
};

}  // namespace ostiary::storage

#endif  // OSTIARY_STORAGE_TABLES_H_

#include "server/key/key_ring.h"

#include <algorithm>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "server/base/reason.h"
#include "server/key/key_rows.h"
#include "server/key/lifecycle.h"
#include "storage/fail_point.h"

namespace ostiary::key {
namespace {

using storage::KeyRow;

// A change uses up at most this many keys of the usual algorithm: a successor
// and the one prepared after it.
constexpr std::size_t kSpares = 2;

storage::AuditRow AuditBy(absl::string_view actor) {
  storage::AuditRow audit;
  audit.actor = std::string(actor);
  return audit;
}

absl::Status Conflict(absl::string_view sentence) {
  return Refuse(Reason::kKeyStateConflict, sentence);
}

// What the file or the ledger calls revoked is revoked, in all three places,
// whatever a restored backup says.
absl::Status RevokeAgain(storage::WriteTx& tx, KeyChange& change,
                         const KeyView::RevokedIds& in_file) {
  constexpr absl::string_view kReason = "revoked before, found at start";
  for (const std::string& key_id : in_file) {
    const auto row = change.EnsureInLedger(key_id, kReason);
    if (!row.ok()) return row.status();
  }
  const std::vector<KeyRow> rows = change.rows();
  for (const KeyRow& row : rows) {
    if (row.state == kStateRevoked) continue;
    const auto known =
        tx.ledger().FindNewest(storage::LedgerKind::kKey, row.key_id);
    if (!known.ok()) return known.status();
    if (!known->has_value()) continue;
    const auto revoked = change.Revoke(row.key_id, kReason);
    if (!revoked.ok()) return revoked.status();
  }
  return absl::OkStatus();
}

bool HasPrepared(const std::vector<KeyRow>& rows, absl::string_view algorithm) {
  return std::any_of(rows.begin(), rows.end(), [&](const KeyRow& row) {
    return row.state == kStatePrepared && row.algorithm == algorithm;
  });
}

}  // namespace

KeyRing::KeyRing(storage::Store& store, const KeyEncryptionKey& kek,
                 const Clock& clock, KeyRingOptions options)
    : store_(store),
      kek_(kek),
      clock_(clock),
      options_(std::move(options)),
      file_(options_.revoked_keys_file) {}

absl::StatusOr<std::unique_ptr<KeyRing>> KeyRing::Load(
    storage::Store& store, const KeyEncryptionKey& kek, const Clock& clock,
    KeyRingOptions options) {
  if (auto s = ValidateSchedule(options.schedule); !s.ok()) return s;
  std::unique_ptr<KeyRing> ring(
      new KeyRing(store, kek, clock, std::move(options)));
  if (auto s = ring->Start(); !s.ok()) return s;
  return ring;
}

absl::Status KeyRing::Start() {
  absl::MutexLock lock(&operations_);
  absl::StatusOr<KeyView::RevokedIds> in_file = file_.Read();
  if (!in_file.ok()) return in_file.status();
  in_file_ = *std::move(in_file);
  const absl::StatusOr<int> changes =
      Change(AuditBy("start"), options_.algorithm,
             [&ids = in_file_](storage::WriteTx& tx, KeyChange& change) {
               return RevokeAgain(tx, change, ids);
             });
  if (absl::IsResourceExhausted(changes.status()))
    return StartAsItIs(changes.status());
  if (!changes.ok()) return changes.status();
  return WriteRevokedFile();
}

// The keys that are there go on signing and verifying; the schedule is asked
// again every minute.
absl::Status KeyRing::StartAsItIs(const absl::Status& cause) {
  std::vector<KeyRow> rows;
  bool must_revoke = false;
  const auto look = [&](storage::ReadTx& tx) -> absl::Status {
    must_revoke = false;
    absl::StatusOr<std::vector<KeyRow>> found = tx.keys().List(kAccessPurpose);
    if (!found.ok()) return found.status();
    rows = *std::move(found);
    const auto is_in_ledger =
        [&](absl::string_view key_id) -> absl::StatusOr<bool> {
      const auto row =
          tx.ledger().FindNewest(storage::LedgerKind::kKey, key_id);
      if (!row.ok()) return row.status();
      return row->has_value();
    };
    for (const std::string& key_id : in_file_) {
      const auto known = is_in_ledger(key_id);
      if (!known.ok()) return known.status();
      if (!*known) must_revoke = true;
    }
    for (const KeyRow& row : rows) {
      if (row.state == kStateRevoked) continue;
      const auto known = is_in_ledger(row.key_id);
      if (!known.ok()) return known.status();
      if (*known) must_revoke = true;
    }
    return absl::OkStatus();
  };
  if (auto s = store_.Read(look); !s.ok()) return s;
  if (must_revoke || rows.empty()) return cause;
  return Publish(std::move(rows));
}

std::shared_ptr<const KeyView> KeyRing::Snapshot() const {
  absl::ReaderMutexLock lock(&snapshot_mutex_);
  return snapshot_;
}

std::shared_ptr<const KeyView> KeyRing::SnapshotToSign() const {
  absl::ReaderMutexLock lock(&snapshot_mutex_);
  snapshot_mutex_.Await(absl::Condition(&up_to_date_));
  return snapshot_;
}

absl::StatusOr<std::string> KeyRing::Prepare(jwt::Algorithm algorithm,
                                             const storage::AuditRow& audit) {
  absl::MutexLock lock(&operations_);
  const absl::string_view name = jwt::AlgorithmName(algorithm);
  std::string key_id;
  const absl::StatusOr<int> changes =
      Change(audit, algorithm, [&](storage::WriteTx&, KeyChange& change) {
        if (HasPrepared(change.rows(), name)) {
          return Conflict(
              absl::StrCat("A key for ", name, " is prepared already."));
        }
        absl::StatusOr<std::string> prepared = change.Prepare(name);
        if (prepared.ok()) key_id = *std::move(prepared);
        return prepared.status();
      });
  if (!changes.ok()) return changes.status();
  return key_id;
}

absl::Status KeyRing::Activate(absl::string_view key_id, Lead lead,
                               const storage::AuditRow& audit) {
  absl::MutexLock lock(&operations_);
  return Change(audit, options_.algorithm,
                [&](storage::WriteTx&, KeyChange& change) {
                  const absl::StatusOr<KeyRow*> row = change.Find(key_id);
                  if (!row.ok()) return row.status();
                  const absl::Time from = MaySignFrom(**row, options_.schedule);
                  if ((*row)->state == kStatePrepared &&
                      lead == Lead::kRequired && clock_.Now() < from) {
                    return Conflict(absl::StrCat(
                        "Key ", key_id, " may sign from ",
                        absl::FormatTime(absl::RFC3339_sec, from,
                                         absl::UTCTimeZone()),
                        ", when every consumer has had the time to fetch it."));
                  }
                  return change.Activate(key_id);
                })
      .status();
}

absl::Status KeyRing::Retire(absl::string_view key_id,
                             const storage::AuditRow& audit) {
  absl::MutexLock lock(&operations_);
  return Change(audit, options_.algorithm,
                [&](storage::WriteTx&, KeyChange& change) {
                  const absl::StatusOr<KeyRow*> row = change.Find(key_id);
                  if (!row.ok()) return row.status();
                  if ((*row)->state == kStateActive) {
                    return Conflict(absl::StrCat(
                        "Key ", key_id,
                        " signs; activate another one, that retires it."));
                  }
                  return change.Retire(key_id);
                })
      .status();
}

absl::StatusOr<KeyRevocation> KeyRing::Revoke(absl::string_view key_id,
                                              absl::string_view reason,
                                              const storage::AuditRow& audit) {
  absl::MutexLock lock(&operations_);
  KeyRevocation revocation;
  const absl::StatusOr<int> changes = Change(
      audit, options_.algorithm, [&](storage::WriteTx& tx, KeyChange& change) {
        const absl::StatusOr<storage::LedgerRow> row =
            change.Revoke(key_id, reason);
        if (!row.ok()) return row.status();
        const absl::StatusOr<storage::LedgerHead> head = tx.ledger().Head();
        if (!head.ok()) return head.status();
        revocation = {head->epoch, row->sequence};
        return absl::OkStatus();
      });
  if (!changes.ok()) return changes.status();
  if (auto s = WriteRevokedFile(); !s.ok()) {
    return absl::UnavailableError(absl::StrCat(
        "the key is revoked, but the revoked-key file does not say so: ",
        s.message()));
  }
  return revocation;
}

absl::StatusOr<int> KeyRing::ApplySchedule() {
  absl::MutexLock lock(&operations_);
  const absl::StatusOr<int> changes = DoWhatIsDue();
  if (!changes.ok()) return changes;
  // Last: a file that cannot be written must not stop the rotation.
  if (auto s = WriteRevokedFile(); !s.ok()) return s;
  return changes;
}

absl::StatusOr<int> KeyRing::DoWhatIsDue() {
  absl::StatusOr<std::vector<KeyRow>> rows = ReadRows();
  if (!rows.ok()) return rows.status();
  const bool due =
      !DueSteps(*rows, options_.schedule, algorithm_name(), clock_.Now())
           .empty();
  if (due) {
    return Change(
        AuditBy("schedule"), options_.algorithm,
        [](storage::WriteTx&, KeyChange&) { return absl::OkStatus(); });
  }
  // Somebody else's change, or a commit of ours that seemed to fail.
  if (*rows == rows_) return 0;
  if (auto s = Publish(*std::move(rows)); !s.ok()) return s;
  return 0;
}

// Runs `work` and then whatever is due, in one transaction; publishes the
// result. `extra` is an algorithm that `work` needs a key of.
//
// The time is read in the transaction: what a key signed was committed before
// the time its end is given, however long the operation waited for its turn.
absl::StatusOr<int> KeyRing::Change(const storage::AuditRow& audit,
                                    jwt::Algorithm extra, Work work) {
  const absl::Cleanup settled = [this] { SetAhead(false); };
  std::vector<KeyRow> rows;
  int changes = 0;
  const auto body = [&](storage::WriteTx& tx,
                        const KeyChange::Circumstances& circumstances) {
    absl::StatusOr<KeyChange> change = KeyChange::Begin(tx, circumstances);
    if (!change.ok()) return change.status();
    if (auto s = work(tx, *change); !s.ok()) return s;
    const std::vector<Step> due = DueSteps(change->rows(), options_.schedule,
                                           algorithm_name(), circumstances.now);
    if (auto s = change->Run(due, algorithm_name()); !s.ok()) return s;
    rows = change->rows();
    changes = change->changes();
    return absl::OkStatus();
  };
  const auto attempt = [&](const std::vector<SigningKey>& fresh) {
    Pass(storage::FailPoint::kKeyBefore);
    return store_.Write([&](storage::WriteTx& tx) {
      SetAhead(true);
      return body(tx, {kek_, clock_.Now(), audit, fresh});
    });
  };
  absl::Status written = attempt(spares_);
  if (absl::IsAborted(written)) {  // too few keys at hand
    if (auto s = MakeSpares(extra); !s.ok()) return s;
    written = attempt(spares_);
  }
  // After kUnknown a spare may be in the store; it must not get there twice.
  if (absl::IsUnknown(written)) spares_.clear();
  if (!written.ok()) return written;
  Pass(storage::FailPoint::kKeyAfter);
  DropUsedSpares(rows);
  if (auto s = Publish(std::move(rows)); !s.ok()) return s;
  return changes;
}

absl::Status KeyRing::MakeSpares(jwt::Algorithm extra) {
  std::vector<jwt::Algorithm> wanted(kSpares, options_.algorithm);
  wanted.push_back(extra);
  spares_.clear();
  for (const jwt::Algorithm algorithm : wanted) {
    absl::StatusOr<SigningKey> spare = SigningKey::Generate(algorithm);
    if (!spare.ok()) return spare.status();
    spares_.push_back(*std::move(spare));
  }
  return absl::OkStatus();
}

void KeyRing::DropUsedSpares(const std::vector<KeyRow>& rows) {
  const auto used = [&](const SigningKey& spare) {
    return std::any_of(rows.begin(), rows.end(), [&](const KeyRow& row) {
      return row.key_id == spare.key_id();
    });
  };
  spares_.erase(std::remove_if(spares_.begin(), spares_.end(), used),
                spares_.end());
}

absl::Status KeyRing::Publish(std::vector<KeyRow> rows) {
  absl::StatusOr<std::shared_ptr<const KeyView>> view =
      KeyView::Build(rows, in_file_, kek_, options_.schedule);
  if (!view.ok()) return view.status();
  rows_ = std::move(rows);
  absl::MutexLock lock(&snapshot_mutex_);
  snapshot_ = *std::move(view);
  return absl::OkStatus();
}

void KeyRing::SetAhead(bool ahead) {
  absl::MutexLock lock(&snapshot_mutex_);
  up_to_date_ = !ahead;
}

// Brings the file up to the rows: a crash may have come between the two.
absl::Status KeyRing::WriteRevokedFile() {
  for (const KeyRow& row : rows_) {
    if (row.state != kStateRevoked || in_file_.contains(row.key_id)) continue;
    Pass(storage::FailPoint::kRevokedFileBefore);
    if (auto s = file_.Append(row.key_id); !s.ok()) return s;
    Pass(storage::FailPoint::kRevokedFileAfter);
    in_file_.insert(row.key_id);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<KeyRow>> KeyRing::ReadRows() const {
  return storage::ReadValue<std::vector<KeyRow>>(
      store_,
      [](storage::ReadTx& tx) { return tx.keys().List(kAccessPurpose); });
}

absl::string_view KeyRing::algorithm_name() const {
  return jwt::AlgorithmName(options_.algorithm);
}

}  // namespace ostiary::key

#include "server/key/key_change.h"

#include <algorithm>
#include <boost/json.hpp>
#include <optional>
#include <utility>

#include "server/base/reason.h"
#include "server/key/key_rows.h"

namespace ostiary::key {
namespace {

using storage::KeyRow;
using storage::LedgerKind;
using storage::LedgerRow;

std::string DetailOf(absl::string_view key_id, absl::string_view reason) {
  boost::json::object detail;
  detail["key_id"] = std::string(key_id);
  if (!reason.empty()) detail["reason"] = std::string(reason);
  return boost::json::serialize(detail);
}

}  // namespace

absl::StatusOr<KeyChange> KeyChange::Begin(storage::WriteTx& tx,
                                           const Circumstances& circumstances) {
  absl::StatusOr<std::vector<KeyRow>> rows = tx.keys().List(kAccessPurpose);
  if (!rows.ok()) return rows.status();
  return KeyChange(tx, circumstances, *std::move(rows));
}

absl::StatusOr<KeyRow*> KeyChange::Find(absl::string_view key_id) {
  const auto found =
      std::find_if(rows_.begin(), rows_.end(),
                   [&](const KeyRow& row) { return row.key_id == key_id; });
  if (found == rows_.end()) {
    return Refuse(Reason::kNotFound, "There is no such signing key.");
  }
  return &*found;
}

absl::StatusOr<std::string> KeyChange::Prepare(absl::string_view algorithm) {
  const absl::StatusOr<const SigningKey*> key = FindFresh(algorithm);
  if (!key.ok()) return key.status();
  absl::StatusOr<KeyRow> row =
      NewKeyRow(circumstances_.kek, **key, circumstances_.now);
  if (!row.ok()) return row.status();
  if (auto s = tx_.keys().Insert(*row); !s.ok()) return s;
  if (auto s = Audit("key.prepare", row->key_id, ""); !s.ok()) return s;
  rows_.push_back(*row);
  return row->key_id;
}

absl::Status KeyChange::Activate(absl::string_view key_id) {
  absl::StatusOr<KeyRow*> row = Find(key_id);
  if (!row.ok()) return row.status();
  if (auto s = MarkActive(**row, circumstances_.now); !s.ok()) return s;
  for (const KeyRow& other : rows_) {
    if (&other == *row || other.state != kStateActive) continue;
    if (auto s = Retire(other.key_id); !s.ok()) return s;
  }
  return Save(**row, "key.activate");
}

absl::Status KeyChange::Retire(absl::string_view key_id) {
  absl::StatusOr<KeyRow*> row = Find(key_id);
  if (!row.ok()) return row.status();
  KeyRow retired = **row;
  if (auto s = MarkRetired(retired, circumstances_.now); !s.ok()) return s;
  if (auto s = DropPrivatePart(circumstances_.kek, retired); !s.ok()) return s;
  **row = std::move(retired);
  return Save(**row, "key.retire");
}

absl::StatusOr<LedgerRow> KeyChange::Revoke(absl::string_view key_id,
                                            absl::string_view reason) {
  absl::StatusOr<KeyRow*> row = Find(key_id);
  if (!row.ok()) return row.status();
  if ((*row)->state != kStateRevoked) {
    if (auto s = MarkRevoked(**row, circumstances_.now); !s.ok()) return s;
    (*row)->sealed.clear();
    if (auto s = Save(**row, "key.revoke", reason); !s.ok()) return s;
  }
  return EnsureInLedger(key_id, reason);
}

absl::StatusOr<LedgerRow> KeyChange::EnsureInLedger(absl::string_view key_id,
                                                    absl::string_view reason) {
  absl::StatusOr<std::optional<LedgerRow>> known =
      tx_.ledger().FindNewest(LedgerKind::kKey, key_id);
  if (!known.ok()) return known.status();
  if (known->has_value()) return **std::move(known);
  LedgerRow row;
  row.kind = LedgerKind::kKey;
  row.key = std::string(key_id);
  row.commit_time = circumstances_.now;
  row.expire_time = absl::InfiniteFuture();  // key rows are never forgotten
  row.reason = std::string(reason);
  return tx_.ledger().Append(std::move(row));
}

absl::Status KeyChange::Run(const std::vector<Step>& steps,
                            absl::string_view algorithm) {
  std::string prepared;  // by the newest kPrepare
  for (const Step& step : steps) {
    absl::Status status;
    switch (step.kind) {
      case Step::Kind::kPrepare: {
        absl::StatusOr<std::string> key_id = Prepare(algorithm);
        status = key_id.status();
        if (key_id.ok()) prepared = *std::move(key_id);
        break;
      }
      case Step::Kind::kActivate:
        status = Activate(step.key_id.empty() ? prepared : step.key_id);
        break;
      case Step::Kind::kRetire:
        status = Retire(step.key_id);
        break;
      case Step::Kind::kDelete:
        status = Delete(step.key_id);
        break;
    }
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::StatusOr<const SigningKey*> KeyChange::FindFresh(
    absl::string_view algorithm) const {
  for (const SigningKey& key : circumstances_.fresh) {
    if (jwt::AlgorithmName(key.algorithm()) != algorithm) continue;
    if (!Has(key.key_id())) return &key;
  }
  return absl::AbortedError("no key was made in advance");
}

bool KeyChange::Has(absl::string_view key_id) const {
  return std::any_of(rows_.begin(), rows_.end(),
                     [&](const KeyRow& row) { return row.key_id == key_id; });
}

absl::Status KeyChange::Delete(absl::string_view key_id) {
  absl::StatusOr<KeyRow*> row = Find(key_id);
  if (!row.ok()) return row.status();
  const absl::StatusOr<bool> deleted = tx_.keys().Delete(key_id);
  if (!deleted.ok()) return deleted.status();
  if (auto s = Audit("key.delete", key_id, ""); !s.ok()) return s;
  rows_.erase(rows_.begin() + (*row - rows_.data()));
  return absl::OkStatus();
}

absl::Status KeyChange::Save(const KeyRow& row, absl::string_view action,
                             absl::string_view reason) {
  if (auto s = tx_.keys().Update(row); !s.ok()) return s;
  return Audit(action, row.key_id, reason);
}

absl::Status KeyChange::Audit(absl::string_view action,
                              absl::string_view key_id,
                              absl::string_view reason) {
  ++changes_;
  storage::AuditRow row = circumstances_.audit;
  row.time = circumstances_.now;
  row.action = std::string(action);
  row.outcome = "ok";
  row.detail = DetailOf(key_id, reason);
  return tx_.audit().Append(row);
}

}  // namespace ostiary::key

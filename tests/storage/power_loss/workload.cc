#include "tests/storage/power_loss/workload.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/ledger_check.h"

namespace ostiary::testing {
namespace {

using storage::AccountRow;
using storage::AuditRow;
using storage::Key16;
using storage::KeyRow;
using storage::LedgerKind;
using storage::LedgerRow;
using storage::ReadTx;
using storage::SessionRow;
using storage::StatusSlot;
using storage::WriteTx;

constexpr std::size_t kEverything = 1'000'000;
constexpr const char* kStates[] = {"prepared", "active", "retired", "revoked"};

const Key16 kList = {'l', 'i', 's', 't'};

// Runs steps until one fails.
class Steps {
 public:
  Steps& operator<<(absl::Status status) {
    if (status_.ok()) status_ = std::move(status);
    return *this;
  }
  template <typename T>
  Steps& operator<<(const absl::StatusOr<T>& value) {
    return *this << value.status();
  }
  absl::Status status() const { return status_; }

 private:
  absl::Status status_;
};

absl::Status Audit(WriteTx& tx, int number, const std::string& what) {
  AuditRow row;
  row.time = absl::FromUnixSeconds(1'700'000'000 + number);
  row.action = what;
  row.outcome = "ok";
  row.actor = "workload";
  row.session_id = std::to_string(number);
  return tx.audit().Append(row);
}

LedgerRow Entry(LedgerKind kind, std::string key) {
  LedgerRow row;
  row.kind = kind;
  row.key = std::move(key);
  row.reason = "workload";
  return row;
}

std::string Text(const Key16& key) {
  return std::string(key.begin(), key.end());
}

bool HasEntry(const Found& found, const std::string& key) {
  return std::any_of(found.ledger.begin(), found.ledger.end(),
                     [&key](const LedgerRow& row) { return row.key == key; });
}

std::ptrdiff_t StateOf(const KeyRow& row) {
  return std::find(std::begin(kStates), std::end(kStates), row.state) -
         std::begin(kStates);
}

}  // namespace

std::string Contradiction(const Found& found) {
  storage::LedgerHead head = found.head;
  head.sequence = 0;
  head.check = 0;
  for (const LedgerRow& row : found.ledger) {
    if (row.sequence != ++head.sequence)
      return absl::StrCat("the ledger has a gap before ", row.sequence);
    head.check = storage::NextLedgerCheck(head.check, row);
    if (row.check != head.check)
      return absl::StrCat("the ledger's check is wrong at ", row.sequence);
  }
  if (head != found.head) return "the ledger does not end at its head";
  for (const auto& [number, slot] : found.slots) {
    const auto session = found.sessions.find(slot.session_id);
    const bool revoked =
        session != found.sessions.end() && session->second.revoked();
    if (slot.flipped != revoked)
      return absl::StrCat("slot ", number, " and its session disagree");
    if (slot.flipped != (found.flipped.count(number) == 1))
      return absl::StrCat("slot ", number, " and its index disagree");
  }
  return "";
}

Workload::Workload(int lane, std::uint64_t seed) : lane_(lane), chance_(seed) {}

Operation Workload::OpenList() {
  return {0, "open a status list",
          [](WriteTx& tx) {
            storage::StatusListRow row;
            row.list_id = kList;
            row.slots = 1u << 20;
            row.open_time = absl::FromUnixSeconds(1);
            row.close_time = absl::FromUnixSeconds(2'000'000'000);
            row.expire_time = absl::FromUnixSeconds(2'000'000'000);
            Steps steps;
            steps << tx.status_lists().Open(row) << Audit(tx, 0, "list");
            return steps.status();
          },
          nullptr};
}

Operation Workload::Next(int number) {
  if (accounts_.size() < 4) return SignUp(number);
  if (sessions_.size() < 4) return SignIn(number);
  switch (Pick(16)) {
    case 0:
      return SignUp(number);
    case 1:
    case 2:
      return SignIn(number);
    case 3:
    case 4:
      return Revoke(number, Pick(sessions_.size()));
    case 5:
      return ChangePassword(number, accounts_[Pick(accounts_.size())]);
    case 6:
      return ChangeRoles(number, accounts_[Pick(accounts_.size())]);
    case 7:
      return ChangeKey(number);
    case 8:
      if (accounts_.size() > 6)
        return DeleteAccount(number, Pick(accounts_.size()));
      return SignUp(number);
    default:
      return Refresh(number, sessions_[Pick(sessions_.size())]);
  }
}

Operation Workload::Bulk(int number, std::size_t bytes) {
  const std::string name = absl::StrCat("bulk-", lane_);
  // Each time another letter: SQLite leaves a page alone that stays the same.
  const char letter = static_cast<char>('a' + number % 26);
  const std::string value = absl::StrCat(number, std::string(bytes, letter));
  return {number, "bulk",
          [=](WriteTx& tx) {
            Steps steps;
            steps << tx.facts().Put(name, value) << Audit(tx, number, "bulk");
            return steps.status();
          },
          nullptr};
}

Operation Workload::SignUp(int number) {
  AccountRow row;
  row.account_id = NewKey();
  row.username = row.username_key = absl::StrCat("user-", lane_, "-", made_);
  // Some rows need pages of their own.
  row.metadata_json = absl::StrCat(
      "{\"note\":\"", std::string(Pick(9) == 0 ? 9000 : 90, 'n'), "\"}");
  row.password_hash = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$ZGlnZXN0";
  row.create_time = row.update_time = Now();
  accounts_.push_back(row);
  return {number, "sign up",
          [=](WriteTx& tx) {
            Steps steps;
            steps << tx.accounts().Insert(row) << Audit(tx, number, "up");
            return steps.status();
          },
          nullptr};
}

Operation Workload::SignIn(int number) {
  SessionRow row;
  row.session_id = NewKey();
  row.account_id = accounts_[Pick(accounts_.size())].account_id;
  row.client_id = "client";
  row.salt = std::string(32, static_cast<char>(number));
  row.user_agent = std::string(Pick(200), 'a');
  row.create_time = row.rotated_at = Now();
  row.expire_time = absl::FromUnixSeconds(2'000'000'000);
  sessions_.push_back(row);
  storage::StatusSlotRow slot;
  slot.place = {kList, static_cast<std::uint32_t>(number)};
  slot.session_id = row.session_id;
  slot.take_time = row.create_time;
  return {number, "sign in",
          [=](WriteTx& tx) {
            Steps steps;
            steps << tx.sessions().Insert(row) << tx.status_lists().Take(slot)
                  << Audit(tx, number, "in");
            return steps.status();
          },
          [=](const Found& found) {
            return found.slots.count(slot.place.slot) == 1;
          }};
}

Operation Workload::Refresh(int number, SessionRow& session) {
  const std::uint32_t before = session.generation++;
  session.rotated_at = Now();
  session.request_id_hash = std::string(Pick(2) * 32, 'h');
  const SessionRow row = session;
  return {number, "refresh",
          [=](WriteTx& tx) {
            Steps steps;
            const auto moved = tx.sessions().UpdateIf(row, before);
            steps << moved;
            if (moved.ok() && !*moved) steps << absl::AbortedError("refresh");
            steps << Audit(tx, number, "refresh");
            return steps.status();
          },
          [=](const Found& found) {
            const auto at = found.sessions.find(row.session_id);
            return at != found.sessions.end() &&
                   at->second.generation >= row.generation;
          }};
}

Operation Workload::Revoke(int number, std::size_t index) {
  const Key16 id = sessions_[index].session_id;
  sessions_.erase(sessions_.begin() + static_cast<std::ptrdiff_t>(index));
  return {number, "revoke",
          [=](WriteTx& tx) {
            Steps steps;
            steps << tx.sessions().Revoke(id, absl::FromUnixSeconds(number))
                  << tx.status_lists().FlipSession(id)
                  << tx.ledger().Append(Entry(LedgerKind::kSession, Text(id)))
                  << Audit(tx, number, "revoke");
            return steps.status();
          },
          [=](const Found& found) {
            const auto at = found.sessions.find(id);
            return at != found.sessions.end() && at->second.revoked() &&
                   HasEntry(found, Text(id));
          }};
}

Operation Workload::ChangePassword(int number, AccountRow& account) {
  ++account.credential_version;
  ++account.session_floor;
  account.password_hash =
      absl::StrCat("$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$", number);
  const AccountRow row = account;
  return {number, "change password",
          [=](WriteTx& tx) {
            Steps steps;
            steps << tx.accounts().Update(row)
                  << tx.ledger().Append(
                         Entry(LedgerKind::kAccount,
                               absl::StrCat(number, Text(row.account_id))))
                  << Audit(tx, number, "password");
            return steps.status();
          },
          [=](const Found& found) {
            const auto at = found.accounts.find(row.account_id);
            return (at == found.accounts.end() ||
                    at->second.credential_version >= row.credential_version) &&
                   HasEntry(found, absl::StrCat(number, Text(row.account_id)));
          }};
}

Operation Workload::ChangeRoles(int number, AccountRow& account) {
  ++account.generation;
  account.roles = {absl::StrCat("role-", account.generation)};
  const AccountRow row = account;
  return {number, "change roles",
          [=](WriteTx& tx) {
            Steps steps;
            steps << tx.accounts().Update(row)
                  << tx.ledger().Append(
                         Entry(LedgerKind::kAccount,
                               absl::StrCat(number, Text(row.account_id))))
                  << Audit(tx, number, "roles");
            return steps.status();
          },
          [=](const Found& found) {
            const auto at = found.accounts.find(row.account_id);
            const bool there = at == found.accounts.end() ||
                               at->second.generation > row.generation ||
                               at->second.roles == row.roles;
            return there &&
                   HasEntry(found, absl::StrCat(number, Text(row.account_id)));
          }};
}

Operation Workload::ChangeKey(int number) {
  const bool fresh = keys_.empty() || keys_.back().state == kStates[3];
  if (fresh) {
    KeyRow row;
    row.key_id = absl::StrCat("key-", lane_, "-", number);
    row.purpose = "access";
    row.algorithm = "ES256";
    row.state = kStates[0];
    row.sealed = std::string(200, 's');
    keys_.push_back(row);
  } else {
    keys_.back().state = kStates[StateOf(keys_.back()) + 1];
  }
  const KeyRow row = keys_.back();
  return {number, "change a key",
          [=](WriteTx& tx) {
            Steps steps;
            steps << (fresh ? tx.keys().Insert(row) : tx.keys().Update(row))
                  << Audit(tx, number, "key");
            return steps.status();
          },
          [=](const Found& found) {
            const auto at = found.keys.find(row.key_id);
            return at != found.keys.end() &&
                   StateOf(at->second) >= StateOf(row);
          }};
}

Operation Workload::DeleteAccount(int number, std::size_t index) {
  const Key16 id = accounts_[index].account_id;
  accounts_.erase(accounts_.begin() + static_cast<std::ptrdiff_t>(index));
  return {number, "delete an account",
          [=](WriteTx& tx) {
            Steps steps;
            steps << tx.accounts().Delete(id)
                  << tx.ledger().Append(Entry(LedgerKind::kAccount, Text(id)))
                  << Audit(tx, number, "delete");
            return steps.status();
          },
          [=](const Found& found) {
            return found.accounts.count(id) == 0 && HasEntry(found, Text(id));
          }};
}

absl::StatusOr<Found> Workload::ReadAll(storage::Store& store) {
  Found found;
  const absl::Status read = store.Read([&found](ReadTx& tx) -> absl::Status {
    found = {};
    const auto accounts = tx.accounts().List({}, kEverything);
    if (!accounts.ok()) return accounts.status();
    for (const AccountRow& row : *accounts)
      found.accounts[row.account_id] = row;
    const auto audit = tx.audit().After(0, kEverything);
    if (!audit.ok()) return audit.status();
    for (const AuditRow& row : *audit)
      found.audited.insert(std::atoi(row.session_id.c_str()));
    const auto head = tx.ledger().Head();
    if (!head.ok()) return head.status();
    found.head = *head;
    auto ledger = tx.ledger().After(0, kEverything);
    if (!ledger.ok()) return ledger.status();
    found.ledger = *std::move(ledger);
    const auto slots = tx.status_lists().SlotsOf(kList, -1, kEverything);
    if (!slots.ok()) return slots.status();
    for (const storage::StatusSlotRow& row : *slots) {
      found.slots[row.place.slot] = row;
      const auto session = tx.sessions().Find(row.session_id);
      if (!session.ok()) return session.status();
      if (session->has_value()) found.sessions[row.session_id] = **session;
    }
    const auto flipped = tx.status_lists().FlippedOf(kList, -1, kEverything);
    if (!flipped.ok()) return flipped.status();
    for (const StatusSlot& slot : *flipped) found.flipped.insert(slot.slot);
    const auto keys = tx.keys().List("access");
    if (!keys.ok()) return keys.status();
    for (const KeyRow& row : *keys) found.keys[row.key_id] = row;
    return absl::OkStatus();
  });
  if (!read.ok()) return read;
  return found;
}

std::size_t Workload::Pick(std::size_t below) {
  return std::uniform_int_distribution<std::size_t>(0, below - 1)(chance_);
}

Key16 Workload::NewKey() {
  Key16 key{};
  const std::string text = absl::StrCat(absl::Dec(++made_, absl::kZeroPad8));
  std::copy(text.begin(), text.end(), key.begin());
  key[8] = static_cast<std::uint8_t>('a' + lane_);
  for (std::size_t i = 9; i < key.size(); ++i)
    key[i] = static_cast<std::uint8_t>('a' + Pick(26));
  return key;
}

absl::Time Workload::Now() {
  return absl::FromUnixSeconds(1'700'000'000 + static_cast<int>(made_));
}

}  // namespace ostiary::testing

#include "server/flow/manage_accounts.h"

#include <algorithm>
#include <utility>

#include "server/account/identifiers.h"
#include "server/account/roles.h"
#include "server/base/reason.h"
#include "server/flow/account_change.h"

namespace ostiary::flow {
namespace {

using account::Event;
using MaybeEvent = std::optional<Event>;
using MaybeRow = std::optional<storage::AccountRow>;

constexpr int kDefaultPageSize = 50;
constexpr int kMaxPageSize = 1000;

absl::StatusOr<storage::AccountRow> Required(absl::StatusOr<MaybeRow> row) {
  if (!row.ok()) return row.status();
  if (!row->has_value()) return Refuse(Reason::kNotFound);
  return **std::move(row);
}

absl::StatusOr<MaybeRow> Find(const storage::AccountReader& accounts,
                              const AccountKey& key) {
  switch (key.kind) {
    case AccountKey::Kind::kId: {
      const auto id = AccountId::Parse(key.text);
      if (!id.has_value()) return MaybeRow();
      return accounts.Find(id->bytes());
    }
    case AccountKey::Kind::kUsername: {
      const auto username = account::UsernameKey(key.text, "username");
      return username.ok() ? accounts.FindByUsername(*username) : MaybeRow();
    }
    case AccountKey::Kind::kEmail: {
      const auto email = account::EmailKey(key.text, "email");
      return email.ok() ? accounts.FindByEmail(*email) : MaybeRow();
    }
  }
  return MaybeRow();
}

// Takes over what is to change, by the same rules as for a new account. The
// caller's transaction then writes the row.
absl::Status TakeOver(const ProfileChange& change, storage::AccountRow& row) {
  AccountDraft draft;
  draft.username = change.username.value_or(row.username);
  draft.email = change.email.value_or(row.email);
  draft.display_name = change.display_name.value_or(row.display_name);
  draft.roles = row.roles;
  // A new address has not been proved, whatever the old one was.
  const bool same_address = draft.email == row.email;
  draft.email_verified =
      change.email_verified.value_or(same_address && row.email_verified);
  absl::StatusOr<storage::AccountRow> checked = DraftRow(draft);
  if (!checked.ok()) return checked.status();
  row.username = std::move(checked->username);
  row.username_key = std::move(checked->username_key);
  row.email = std::move(checked->email);
  row.email_key = std::move(checked->email_key);
  row.email_verified = checked->email_verified;
  row.display_name = std::move(checked->display_name);
  if (change.metadata_json.has_value())
    row.metadata_json = *change.metadata_json;
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<storage::AccountRow> ManageAccounts::Create(
    const Caller& caller, const AccountDraft& draft,
    const std::optional<Credential>& credential) const {
  absl::StatusOr<storage::AccountRow> drafted = DraftRow(draft);
  if (!drafted.ok()) return drafted;
  if (credential.has_value()) {
    auto hash = new_passwords_.HashOf(caller, *credential, *drafted);
    if (!hash.ok()) return hash.status();
    drafted->password_hash = *std::move(hash);
  }
  return storage::WriteValue<storage::AccountRow>(
      store_, [&](storage::WriteTx& tx) -> absl::StatusOr<storage::AccountRow> {
        const absl::Time now = clock_.Now();
        storage::AccountRow row = *drafted;
        if (auto inserted = InsertAccount(tx, random_, now, row);
            !inserted.ok())
          return inserted;
        auto audited = tx.audit().Append(
            caller.Did(audit::action::kCreateAccount, audit::kOk, now)
                .About(AccountId(row.account_id))
                .Row());
        if (!audited.ok()) return audited;
        return row;
      });
}

absl::StatusOr<storage::AccountRow> ManageAccounts::Get(
    const AccountKey& key) const {
  return Required(storage::ReadValue<MaybeRow>(
      store_, [&](storage::ReadTx& tx) { return Find(tx.accounts(), key); }));
}

absl::StatusOr<ManageAccounts::Page> ManageAccounts::List(
    int page_size, absl::string_view page_token) const {
  if (page_size < 0) return RefuseField("page_size", "must not be negative");
  storage::Key16 after{};
  if (!page_token.empty()) {
    const auto id = ParseId("page_", page_token);
    if (!id.has_value()) {
      return RefuseField("page_token",
                         "must be the next_page_token of the page before");
    }
    after = *id;
  }
  const auto limit = static_cast<std::size_t>(
      page_size == 0 ? kDefaultPageSize : std::min(page_size, kMaxPageSize));
  using Rows = std::vector<storage::AccountRow>;
  absl::StatusOr<Rows> rows =
      storage::ReadValue<Rows>(store_, [&](storage::ReadTx& tx) {
        return tx.accounts().List(after, limit + 1);
      });
  if (!rows.ok()) return rows.status();
  Page page;
  page.accounts = *std::move(rows);
  if (page.accounts.size() > limit) {
    page.accounts.pop_back();
    page.next_page_token = FormatId("page_", page.accounts.back().account_id);
  }
  return page;
}

absl::StatusOr<ChangedAccount> ManageAccounts::Change(
    const Caller& caller, absl::string_view account_id,
    absl::string_view action, absl::string_view reason, Body body) const {
  const auto id = AccountId::Parse(account_id);
  if (!id.has_value()) return Refuse(Reason::kNotFound);
  return storage::WriteValue<ChangedAccount>(
      store_, [&](storage::WriteTx& tx) -> absl::StatusOr<ChangedAccount> {
        absl::StatusOr<storage::AccountRow> row =
            Required(tx.accounts().Find(id->bytes()));
        if (!row.ok()) return row.status();
        ChangedAccount changed{*std::move(row), ""};
        const absl::Time now = clock_.Now();
        absl::StatusOr<MaybeEvent> event = body(tx, changed.account, now);
        if (!event.ok()) return event.status();
        if (!event->has_value()) return changed;
        auto revision = ChangeAccount(tx, **event, now, access_ceiling_, reason,
                                      changed.account);
        if (!revision.ok()) return MaskDuplicate(revision.status());
        changed.revision = *std::move(revision);
        auto audited = tx.audit().Append(caller.Did(action, audit::kOk, now)
                                             .About(*id)
                                             .With("reason", reason)
                                             .Row());
        if (!audited.ok()) return audited;
        return changed;
      });
}

absl::StatusOr<storage::AccountRow> ManageAccounts::Update(
    const Caller& caller, absl::string_view account_id,
    const ProfileChange& change) const {
  auto changed = Change(caller, account_id, audit::action::kUpdateAccount, "",
                        [&](storage::WriteTx&, storage::AccountRow& row,
                            absl::Time) -> absl::StatusOr<MaybeEvent> {
                          if (auto taken = TakeOver(change, row); !taken.ok())
                            return taken;
                          return Event::kProfileChanged;
                        });
  if (!changed.ok()) return changed.status();
  return std::move(changed->account);
}

absl::StatusOr<ChangedAccount> ManageAccounts::Disable(
    const Caller& caller, absl::string_view account_id,
    absl::string_view reason) const {
  return Change(caller, account_id, audit::action::kDisableAccount, reason,
                [](storage::WriteTx&, storage::AccountRow& row,
                   absl::Time) -> absl::StatusOr<MaybeEvent> {
                  if (row.disabled) return MaybeEvent();
                  row.disabled = true;
                  return Event::kDisabled;
                });
}

absl::StatusOr<ChangedAccount> ManageAccounts::Enable(
    const Caller& caller, absl::string_view account_id) const {
  return Change(caller, account_id, audit::action::kEnableAccount, "",
                [](storage::WriteTx&, storage::AccountRow& row,
                   absl::Time) -> absl::StatusOr<MaybeEvent> {
                  if (!row.disabled) return MaybeEvent();
                  row.disabled = false;
                  return Event::kEnabled;
                });
}

absl::StatusOr<ChangedAccount> ManageAccounts::Delete(
    const Caller& caller, absl::string_view account_id,
    absl::string_view reason) const {
  return Change(caller, account_id, audit::action::kDeleteAccount, reason,
                [](storage::WriteTx& tx, storage::AccountRow& row,
                   absl::Time) -> absl::StatusOr<MaybeEvent> {
                  auto flipped = tx.status_lists().FlipAccount(row.account_id);
                  if (!flipped.ok()) return flipped.status();
                  auto sessions = tx.sessions().DeleteByAccount(row.account_id);
                  if (!sessions.ok()) return sessions.status();
                  auto deleted = tx.accounts().Delete(row.account_id);
                  if (!deleted.ok()) return deleted.status();
                  return Event::kDeleted;
                });
}

absl::StatusOr<ChangedAccount> ManageAccounts::SetPassword(
    const Caller& caller, absl::string_view account_id,
    const Credential& credential) const {
  absl::StatusOr<storage::AccountRow> current =
      Get({AccountKey::Kind::kId,
           std::string(account_id.data(), account_id.size())});
  if (!current.ok()) return current.status();
  absl::StatusOr<std::string> hash =
      new_passwords_.HashOf(caller, credential, *current);
  if (!hash.ok()) return hash.status();
  return Change(caller, account_id, audit::action::kSetPassword, "password set",
                [&](storage::WriteTx&, storage::AccountRow& row,
                    absl::Time) -> absl::StatusOr<MaybeEvent> {
                  row.password_hash = *hash;
                  return Event::kPasswordSet;
                });
}

absl::StatusOr<ChangedAccount> ManageAccounts::GrantRole(
    const Caller& caller, absl::string_view account_id,
    absl::string_view role) const {
  if (auto checked = account::CheckRole(role, "role"); !checked.ok())
    return checked;
  return Change(caller, account_id, audit::action::kGrantRole, role,
                [&](storage::WriteTx&, storage::AccountRow& row,
                    absl::Time) -> absl::StatusOr<MaybeEvent> {
                  if (!account::AddRole(row.roles, role)) return MaybeEvent();
                  if (row.roles.size() > account::kMaxRoles) {
                    return RefuseField("role",
                                       "the account has 32 roles already");
                  }
                  return Event::kRoleGranted;
                });
}

absl::StatusOr<ChangedAccount> ManageAccounts::RevokeRole(
    const Caller& caller, absl::string_view account_id,
    absl::string_view role) const {
  if (auto checked = account::CheckRole(role, "role"); !checked.ok())
    return checked;
  return Change(caller, account_id, audit::action::kRevokeRole, role,
                [&](storage::WriteTx&, storage::AccountRow& row,
                    absl::Time) -> absl::StatusOr<MaybeEvent> {
                  if (!account::RemoveRole(row.roles, role))
                    return MaybeEvent();
                  return Event::kRoleTaken;
                });
}

}  // namespace ostiary::flow

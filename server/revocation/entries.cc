#include "server/revocation/entries.h"

namespace ostiary::revocation {
namespace {

storage::LedgerRow Entry(storage::LedgerKind kind, std::string key,
                         absl::Time now, absl::Time expire_time,
                         absl::string_view reason) {
  storage::LedgerRow row;
  row.kind = kind;
  row.key = std::move(key);
  row.commit_time = now;
  row.expire_time = expire_time;
  row.reason = std::string(reason.data(), reason.size());
  return row;
}

}  // namespace

storage::LedgerRow TokenEntry(absl::string_view token_id,
                              absl::Time expire_time, absl::Time now,
                              absl::string_view reason) {
  return Entry(storage::LedgerKind::kToken,
               std::string(token_id.data(), token_id.size()), now,
               expire_time + kForgetMargin, reason);
}

storage::LedgerRow SessionEntry(const SessionId& session_id, absl::Time now,
                                absl::Duration ceiling,
                                absl::string_view reason) {
  return Entry(storage::LedgerKind::kSession, session_id.ToString(), now,
               now + ceiling + kForgetMargin, reason);
}

storage::LedgerRow AccountEntry(const AccountId& account_id,
                                std::uint64_t min_generation, absl::Time now,
                                absl::Duration ceiling,
                                absl::string_view reason) {
  storage::LedgerRow row =
      Entry(storage::LedgerKind::kAccount, account_id.ToString(), now,
            now + ceiling + kForgetMargin, reason);
  row.min_generation = min_generation;
  return row;
}

storage::LedgerRow ClientEntry(absl::string_view client_id, absl::Time now,
                               absl::Duration ceiling,
                               absl::string_view reason) {
  storage::LedgerRow row =
      Entry(storage::LedgerKind::kClient,
            std::string(client_id.data(), client_id.size()), now,
            now + ceiling + kForgetMargin, reason);
  row.issued_before = now + kIssuedBeforeMargin;
  return row;
}

storage::LedgerRow AllEntry(absl::Time now, absl::Duration ceiling,
                            absl::string_view reason) {
  storage::LedgerRow row = Entry(storage::LedgerKind::kAll, "", now,
                                 now + ceiling + kForgetMargin, reason);
  row.issued_before = now + kIssuedBeforeMargin;
  return row;
}

}  // namespace ostiary::revocation

#ifndef OSTIARY_SERVER_AUDIT_EVENT_H_
#define OSTIARY_SERVER_AUDIT_EVENT_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/base/ids.h"
#include "storage/rows.h"

namespace ostiary::audit {

// What changes or tries to; the words live on disk and are never renamed.
namespace action {
inline constexpr absl::string_view kSignUp = "account.sign_up";
inline constexpr absl::string_view kCreateAccount = "account.create";
inline constexpr absl::string_view kUpdateAccount = "account.update";
inline constexpr absl::string_view kDisableAccount = "account.disable";
inline constexpr absl::string_view kEnableAccount = "account.enable";
inline constexpr absl::string_view kDeleteAccount = "account.delete";
inline constexpr absl::string_view kSetPassword = "account.set_password";
inline constexpr absl::string_view kChangePassword = "account.change_password";
inline constexpr absl::string_view kGrantRole = "account.grant_role";
inline constexpr absl::string_view kRevokeRole = "account.revoke_role";
inline constexpr absl::string_view kSignIn = "session.sign_in";
inline constexpr absl::string_view kRefresh = "session.refresh";
inline constexpr absl::string_view kSignOut = "session.sign_out";
inline constexpr absl::string_view kRevokeSession = "session.revoke";
inline constexpr absl::string_view kRevokeAllSessions = "session.revoke_all";
inline constexpr absl::string_view kEvictSession = "session.evict";
inline constexpr absl::string_view kRevokeToken = "token.revoke";
inline constexpr absl::string_view kRevokeClient = "client.revoke";
inline constexpr absl::string_view kBackUp = "store.back_up";
inline constexpr absl::string_view kRestore = "store.restore";
}  // namespace action

inline constexpr absl::string_view kOk = "ok";

// Builds one row. What is not set stays empty.
class Event {
 public:
  Event(absl::string_view action, absl::string_view outcome, absl::Time time);

  // "operator", "acct_...", "anonymous"; and where the call came from.
  Event& By(absl::string_view actor, absl::string_view address);
  Event& About(const AccountId& account_id);
  Event& About(const SessionId& session_id);
  Event& Client(absl::string_view client_id);
  // One more fact; no secret.
  Event& With(absl::string_view key, absl::string_view value);

  storage::AuditRow Row() const;

 private:
  storage::AuditRow row_;
  std::vector<std::pair<std::string, std::string>> facts_;
};

}  // namespace ostiary::audit

#endif  // OSTIARY_SERVER_AUDIT_EVENT_H_

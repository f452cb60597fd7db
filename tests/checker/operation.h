#ifndef OSTIARY_TESTS_CHECKER_OPERATION_H_
#define OSTIARY_TESTS_CHECKER_OPERATION_H_

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace ostiary::checker {

// What was asked for or seen. The words of the files are those of KindName:
// "sign_in", "change_password", ... README.md says which fields each has.
enum class Kind {
  kSignUp,
  kSignIn,
  kRefresh,
  kVerify,  // any path: the RPC, introspection, a local verifier
  kSignOut,
  kRevokeToken,
  kRevokeSession,
  kRevokeAll,
  kChangePassword,
  kSetPassword,
  kDisable,
  kEnable,
  kDelete,
  kRestart,  // of the server: from when it stopped until it served again
  // Observations; always "ok".
  kLedgerRow,
  kLedgerHead,
  kAuditRow,
  kKeyPublished,
  kKeyRevoked,
};

absl::string_view KindName(Kind kind);
std::optional<Kind> ParseKind(absl::string_view name);

enum class Outcome {
  kOk,
  kRefused,  // `reason` says why; nothing has changed but what the rules say
  kUnknown,  // cut off: it happened wholly, later, or never
};

absl::string_view OutcomeName(Outcome outcome);
std::optional<Outcome> ParseOutcome(absl::string_view name);

// Later than everything: the end of what was never answered.
inline constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

// One call with its answer, or one thing seen. Secrets are never in here, only
// what Fingerprint (history.h) makes of them.
struct Operation {
  std::int64_t id = 0;       // its place in the history; for people
  std::string process = {};  // who asked
  Kind kind = Kind::kVerify;
  Outcome outcome = Outcome::kUnknown;
  std::string reason = {};  // of a refusal: "REFRESH_REJECTED", "TOKEN_REVOKED"
  // On one clock for the whole history. What ended before another began
  // happened before it; anything else may have happened in either order.
  std::int64_t start = 0;
  std::int64_t end = kNever;
  // The server's clock at those moments, microseconds since 1970; 0: not known.
  std::int64_t start_time = 0;
  std::int64_t end_time = 0;

  std::string account = {};  // "acct_..."
  std::string session = {};  // "sess_..."
  // The access token: of the answer, or asked about. A retry repeats the id;
  // if the account's generation has risen meanwhile, it is another token.
  std::string token_id = {};           // jti
  std::uint64_t token_generation = 0;  // gen; 0: not known
  std::string key = {};                // kid; or the ledger row's key
  std::int64_t issue_time = 0;         // iat, microseconds; 0: not known
  std::string presented =
      {};                    // fingerprint of the refresh token that was given
  std::string refresh = {};  // fingerprint of the refresh token that was got
  std::string request_id = {};  // of a refresh
  std::string password = {};  // a name or fingerprint: as presented, or as set
  std::string new_password = {};  // the same: what a change sets
  std::uint32_t epoch = 0;        // of the ticket, ledger row or head
  std::int64_t sequence = 0;
  std::string entry = {};   // kLedgerRow: "token", "session", "account", ...
  std::string action = {};  // kAuditRow: "session.sign_in"; its outcome is "ok"

  bool ok() const { return outcome == Outcome::kOk; }
  bool refused() const { return outcome == Outcome::kRefused; }
  bool unknown() const { return outcome == Outcome::kUnknown; }
  // Names the token, text for text.
  std::string token() const {
    return token_id + "@" + std::to_string(token_generation);
  }
  // True if it was over before `other` began.
  bool Before(const Operation& other) const { return end < other.start; }

  friend bool operator==(const Operation&, const Operation&) = default;
};

// One line of a file, without the newline; and back. Unknown fields are
// refused: a field spelled wrong would be a check that never bites.
std::string ToJsonLine(const Operation& operation);
absl::StatusOr<Operation> FromJsonLine(absl::string_view line);

}  // namespace ostiary::checker

#endif  // OSTIARY_TESTS_CHECKER_OPERATION_H_

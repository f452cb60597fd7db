#ifndef OSTIARY_TESTS_CHECKER_CASE_FILE_H_
#define OSTIARY_TESTS_CHECKER_CASE_FILE_H_

#include <string>
#include <unordered_map>
#include <vector>

#include "tests/checker/invariants.h"
#include "tests/checker/operation.h"
#include "tests/checker/violation.h"

namespace ostiary::checker {

// A history, sorted into what the rules ask for. Points into the history.
struct CaseFile {
  using Operations = std::vector<const Operation*>;
  using ByName = std::unordered_map<std::string, Operations>;

  explicit CaseFile(const std::vector<Operation>& history);

  Operations all;
  ByName by_account;  // calls about the account, whatever their kind
  ByName openings;    // session -> the sign-ins that answered with it
  ByName of_session;  // session -> verify, refresh, sign_out, ... about it
  ByName minted;      // token() -> the calls that answered with it
  ByName minted_id;   // token_id -> the same
  ByName presented;   // refresh token -> the refreshes it was given to
  ByName handed_out;  // refresh token -> the calls that answered with it
  ByName revoked_keys;
  Operations restarts;

  static const Operations& In(const ByName& names, const std::string& name);

  // True if the session was there before `event` began.
  bool OpenedBefore(const std::string& session, const Operation& event) const;
  // True if the token was handed out before `event` began.
  bool MintedBefore(const std::string& token, const Operation& event) const;
  // True if a key that signed the token of `seen` was perhaps revoked when it
  // was looked at. Until the key itself is gone, its tokens are told revoked.
  bool KeyMayBeRevoked(const Operation& seen) const;
  // When a call that was cut off can no longer happen: the start of the first
  // restart after it began; or its end, if somebody knows.
  std::int64_t LatestOf(const Operation& unknown) const;
};

// What an operation ends once it has happened, whoever sent it.
bool EndsOneSession(Kind kind);     // that of `session`
bool EndsAccountTokens(Kind kind);  // those minted before it
// A refresh token that was presented once too often, and the session with it;
// or the session had ended before. Either way it is over.
bool IsRejectedRefresh(const Operation& operation);

// True if `event`, once it happened, must refuse the token of `session`.
bool MustEndToken(const CaseFile& file, const Operation& event,
                  const Operation& seen);
// True if it must refuse every refresh of the session.
bool MustEndSession(const CaseFile& file, const Operation& event,
                    const Operation& seen);
// True if it may have been the reason.
bool MayEndToken(const Operation& event, const Operation& seen);

using Violations = std::vector<Violation>;

void CheckRevocations(const CaseFile& file, Violations& found);
void CheckUnknowns(const CaseFile& file, Violations& found);
void CheckRefreshes(const CaseFile& file, const Rules& rules,
                    Violations& found);
void CheckPasswords(const CaseFile& file, Violations& found);
void CheckTokenIds(const CaseFile& file, Violations& found);
void CheckLedger(const CaseFile& file, Violations& found);
void CheckAudit(const CaseFile& file, Violations& found);
void CheckKeys(const CaseFile& file, const Rules& rules, Violations& found);

}  // namespace ostiary::checker

#endif  // OSTIARY_TESTS_CHECKER_CASE_FILE_H_

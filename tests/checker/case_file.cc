#include "tests/checker/case_file.h"

#include <algorithm>

namespace ostiary::checker {

CaseFile::CaseFile(const std::vector<Operation>& history) {
  for (const Operation& op : history) {
    all.push_back(&op);
    if (op.kind == Kind::kRestart) restarts.push_back(&op);
    if (op.kind == Kind::kKeyRevoked) revoked_keys[op.key].push_back(&op);
    if (op.kind == Kind::kAuditRow) continue;
    if (!op.account.empty()) by_account[op.account].push_back(&op);
    if (!op.session.empty()) of_session[op.session].push_back(&op);
    if (!op.presented.empty() && op.kind == Kind::kRefresh)
      presented[op.presented].push_back(&op);
    const bool mints = op.kind == Kind::kSignIn || op.kind == Kind::kRefresh;
    if (!mints || !op.ok()) continue;
    if (op.kind == Kind::kSignIn) openings[op.session].push_back(&op);
    if (!op.token_id.empty()) {
      minted[op.token()].push_back(&op);
      minted_id[op.token_id].push_back(&op);
    }
    if (!op.refresh.empty()) handed_out[op.refresh].push_back(&op);
  }
}

const CaseFile::Operations& CaseFile::In(const ByName& names,
                                         const std::string& name) {
  static const Operations kNone;
  const auto it = names.find(name);
  return it == names.end() ? kNone : it->second;
}

bool CaseFile::OpenedBefore(const std::string& session,
                            const Operation& event) const {
  const Operations& calls = In(openings, session);
  return !calls.empty() && calls.front()->Before(event);
}

bool CaseFile::MintedBefore(const std::string& token,
                            const Operation& event) const {
  const Operations& calls = In(minted, token);
  return !calls.empty() &&
         std::all_of(calls.begin(), calls.end(), [&](const Operation* call) {
           return call->Before(event);
         });
}

bool CaseFile::KeyMayBeRevoked(const Operation& seen) const {
  for (const Operation* mint : In(minted_id, seen.token_id)) {
    for (const Operation* revoked : In(revoked_keys, mint->key)) {
      if (revoked->start < seen.end) return true;
    }
  }
  return false;
}

std::int64_t CaseFile::LatestOf(const Operation& unknown) const {
  const auto next =
      std::lower_bound(restarts.begin(), restarts.end(), unknown.start,
                       [](const Operation* restart, std::int64_t start) {
                         return restart->start < start;
                       });
  // Its answer may have been lost without a restart: `end` says so if known.
  return next == restarts.end() ? unknown.end
                                : std::min(unknown.end, (*next)->end);
}

bool EndsOneSession(Kind kind) {
  return kind == Kind::kRevokeSession || kind == Kind::kSignOut;
}

bool EndsAccountTokens(Kind kind) {
  return kind == Kind::kRevokeAll || kind == Kind::kDisable ||
         kind == Kind::kDelete || kind == Kind::kSetPassword ||
         kind == Kind::kChangePassword;
}

bool IsRejectedRefresh(const Operation& operation) {
  return operation.kind == Kind::kRefresh && operation.refused() &&
         operation.reason == "REFRESH_REJECTED";
}

bool MustEndToken(const CaseFile& file, const Operation& event,
                  const Operation& seen) {
  if (event.kind == Kind::kRevokeToken) return event.token_id == seen.token_id;
  if (MustEndSession(file, event, seen)) return true;
  return EndsAccountTokens(event.kind) && event.account == seen.account &&
         file.MintedBefore(seen.token(), event);
}

bool MustEndSession(const CaseFile& file, const Operation& event,
                    const Operation& seen) {
  if (EndsOneSession(event.kind)) return event.session == seen.session;
  if (event.account != seen.account) return false;
  if (event.kind == Kind::kDelete) return true;
  if (!EndsAccountTokens(event.kind)) return false;
  // The session that changes the password lives on.
  const bool survives =
      event.kind == Kind::kChangePassword && event.session == seen.session;
  return !survives && file.OpenedBefore(seen.session, event);
}

bool MayEndToken(const Operation& event, const Operation& seen) {
  if (event.refused() && !IsRejectedRefresh(event)) return false;
  switch (event.kind) {
    case Kind::kRevokeToken:
      return event.token_id == seen.token_id;
    case Kind::kRefresh:  // theft
      return !event.ok() && event.session == seen.session;
    case Kind::kRevokeSession:
    case Kind::kSignOut:
      return event.session == seen.session;
    default:
      return EndsAccountTokens(event.kind) && event.account == seen.account;
  }
}

std::vector<Violation> Judge(const std::vector<Operation>& history,
                             const Rules& rules) {
  const CaseFile file(history);
  Violations found;
  CheckRevocations(file, found);
  CheckUnknowns(file, found);
  CheckRefreshes(file, rules, found);
  CheckPasswords(file, found);
  CheckTokenIds(file, found);
  CheckLedger(file, found);
  CheckAudit(file, found);
  CheckKeys(file, rules, found);
  return found;
}

}  // namespace ostiary::checker

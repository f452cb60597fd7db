// A revocation that was acknowledged holds; one that was cut off happened
// wholly or not at all.

#include <algorithm>
#include <map>
#include <set>

#include "tests/checker/case_file.h"

namespace ostiary::checker {
namespace {

bool IsRevokedVerdict(const Operation& operation) {
  return operation.kind == Kind::kVerify && operation.refused() &&
         operation.reason == "TOKEN_REVOKED";
}

bool LetsIn(const Operation& operation) {
  return operation.ok() &&
         (operation.kind == Kind::kVerify || operation.kind == Kind::kRefresh);
}

// The event that ended something first, by when it was acknowledged.
class Earliest {
 public:
  void Offer(const Operation* event) {
    if (event_ == nullptr || event->end < event_->end) event_ = event;
  }
  const Operation* event() const { return event_; }

 private:
  const Operation* event_ = nullptr;
};

bool IsEvent(const Operation& op) {
  if (op.unknown()) return false;
  return IsRejectedRefresh(op) ||
         (op.ok() && (op.kind == Kind::kRevokeToken ||
                      EndsOneSession(op.kind) || EndsAccountTokens(op.kind)));
}

// What ends the tokens or sessions of one account, found once for each.
class Ends {
 public:
  Ends(const CaseFile& file, const CaseFile::Operations& calls) : file_(file) {
    for (const Operation* op : calls) {
      if (IsEvent(*op)) events_.push_back(op);
    }
  }

  const Operation* OfToken(const Operation& seen) {
    return Find(tokens_, seen.session + " " + seen.token(),
                [&](const Operation& event) {
                  return Rejected(event, seen) ||
                         MustEndToken(file_, event, seen);
                });
  }

  const Operation* OfSession(const Operation& seen) {
    return Find(sessions_, seen.session, [&](const Operation& event) {
      return Rejected(event, seen) || MustEndSession(file_, event, seen);
    });
  }

 private:
  // A refresh token of the session's own that was rejected: it had ended, or
  // has now, for theft.
  bool Rejected(const Operation& event, const Operation& seen) const {
    return event.kind == Kind::kRefresh && event.session == seen.session &&
           !CaseFile::In(file_.handed_out, event.presented).empty();
  }

  template <typename Matches>
  const Operation* Find(std::map<std::string, const Operation*>& known,
                        const std::string& name, const Matches& matches) {
    const auto [it, is_new] = known.emplace(name, nullptr);
    if (!is_new) return it->second;
    Earliest earliest;
    for (const Operation* event : events_) {
      if (matches(*event)) earliest.Offer(event);
    }
    return it->second = earliest.event();
  }

  const CaseFile& file_;
  CaseFile::Operations events_;
  std::map<std::string, const Operation*> tokens_;
  std::map<std::string, const Operation*> sessions_;
};

void CheckAcknowledged(const CaseFile& file, const CaseFile::Operations& calls,
                       Violations& found) {
  Ends ends(file, calls);
  for (const Operation* op : calls) {
    if (!LetsIn(*op)) continue;
    const Operation* event =
        op->kind == Kind::kVerify ? ends.OfToken(*op) : ends.OfSession(*op);
    if (event == nullptr || !event->Before(*op)) continue;
    const bool rejected = event->kind == Kind::kRefresh;
    found.push_back({rejected ? "refusal_holds" : "revocation_holds",
                     rejected ? "a session whose refresh token had been "
                                "rejected let somebody in"
                              : "what had been revoked let somebody in",
                     {*event, *op}});
  }
}

// A token that was once found revoked stays so, whoever revoked it.
void CheckVerdicts(const CaseFile& file, Violations& found) {
  std::map<std::string, const Operation*> first_revoked;
  for (const Operation* op : file.all) {
    if (!IsRevokedVerdict(*op)) continue;
    const Operation*& first = first_revoked[op->token()];
    if (first == nullptr || op->end < first->end) first = op;
  }
  for (const Operation* op : file.all) {
    if (op->kind != Kind::kVerify || !op->ok()) continue;
    const auto it = first_revoked.find(op->token());
    if (it == first_revoked.end() || !it->second->Before(*op)) continue;
    found.push_back({"refusal_holds",
                     "a token that had been refused as revoked passed",
                     {*it->second, *op}});
  }
}

void CheckDisabled(const CaseFile::Operations& calls, Violations& found) {
  CaseFile::Operations disabled, enabled;
  for (const Operation* op : calls) {
    if (op->kind == Kind::kDisable && op->ok()) disabled.push_back(op);
    if (op->kind == Kind::kEnable && !op->refused()) enabled.push_back(op);
  }
  for (const Operation* op : calls) {
    if (op->kind != Kind::kSignIn || !op->ok()) continue;
    for (const Operation* event : disabled) {
      const bool may_be_enabled = std::any_of(
          enabled.begin(), enabled.end(), [&](const Operation* enable) {
            return !enable->Before(*event) && !op->Before(*enable);
          });
      if (!event->Before(*op) || may_be_enabled) continue;
      found.push_back({"disabled_stays_out",
                       "somebody signed in to a disabled account",
                       {*event, *op}});
      break;
    }
  }
}

// --- What was cut off.

struct Evidence {
  CaseFile::Operations happened;  // only the call can have been the reason
  CaseFile::Operations not_yet;   // what it ends still lets somebody in
};

// What may have ended something.
CaseFile::Operations Reasons(const CaseFile::Operations& calls) {
  CaseFile::Operations reasons;
  for (const Operation* op : calls) {
    const bool ends = op->kind == Kind::kRevokeToken ||
                      EndsOneSession(op->kind) || EndsAccountTokens(op->kind);
    const bool may_be_theft = op->kind == Kind::kRefresh && !op->ok();
    if ((ends && !op->refused()) || may_be_theft) reasons.push_back(op);
  }
  return reasons;
}

Evidence Gather(const CaseFile& file, const CaseFile::Operations& calls,
                const CaseFile::Operations& reasons, const Operation& cut_off) {
  Evidence evidence;
  for (const Operation* op : calls) {
    if (op->end < cut_off.start) continue;
    if (LetsIn(*op)) {
      const bool covered = op->kind == Kind::kVerify
                               ? MustEndToken(file, cut_off, *op)
                               : MustEndSession(file, cut_off, *op);
      if (covered) evidence.not_yet.push_back(op);
    }
    if (!IsRevokedVerdict(*op) || !MayEndToken(cut_off, *op)) continue;
    const bool other_reason = std::any_of(
        reasons.begin(), reasons.end(), [&](const Operation* other) {
          return other->start < op->end && other != &cut_off &&
                 MayEndToken(*other, *op);
        });
    if (!other_reason && !file.KeyMayBeRevoked(*op))
      evidence.happened.push_back(op);
  }
  return evidence;
}

void CheckCutOff(const CaseFile& file, const CaseFile::Operations& calls,
                 const CaseFile::Operations& reasons, const Operation& cut_off,
                 Violations& found) {
  const Evidence evidence = Gather(file, calls, reasons, cut_off);
  const std::int64_t settled = file.LatestOf(cut_off);
  for (const Operation* seen : evidence.happened) {
    for (const Operation* passed : evidence.not_yet) {
      if (seen->Before(*passed)) {
        found.push_back({"unknown_is_all_or_nothing",
                         "a part of what was cut off happened",
                         {cut_off, *seen, *passed}});
        return;
      }
      if (passed->start > settled && passed->Before(*seen)) {
        found.push_back({"unknown_is_all_or_nothing",
                         "what had not happened when the server was started "
                         "again happened after it",
                         {cut_off, *passed, *seen}});
        return;
      }
    }
  }
}

// Beyond it the oldest session ends by itself, which no call shows.
constexpr std::size_t kMostSessions = 100;

bool MayEvict(const CaseFile::Operations& calls) {
  return std::count_if(calls.begin(), calls.end(), [](const Operation* op) {
           return op->kind == Kind::kSignIn && !op->refused();
         }) >= static_cast<std::ptrdiff_t>(kMostSessions);
}

}  // namespace

void CheckRevocations(const CaseFile& file, Violations& found) {
  for (const auto& [account, calls] : file.by_account) {
    CheckAcknowledged(file, calls, found);
    CheckDisabled(calls, found);
  }
  CheckVerdicts(file, found);
}

void CheckUnknowns(const CaseFile& file, Violations& found) {
  for (const auto& [account, calls] : file.by_account) {
    if (MayEvict(calls)) continue;
    const CaseFile::Operations reasons = Reasons(calls);
    for (const Operation* op : calls) {
      const bool revokes = op->kind == Kind::kRevokeToken ||
                           EndsOneSession(op->kind) ||
                           EndsAccountTokens(op->kind);
      if (op->unknown() && revokes)
        CheckCutOff(file, calls, reasons, *op, found);
    }
  }
}

}  // namespace ostiary::checker

// The ledger, the audit log and the published keys tell the same story as the
// answers.

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/checker/case_file.h"

namespace ostiary::checker {
namespace {

using Place = std::pair<std::uint32_t, std::int64_t>;  // epoch, sequence

Place PlaceOf(const Operation& op) { return {op.epoch, op.sequence}; }

bool IsRow(const Operation& op) { return op.kind == Kind::kLedgerRow; }
bool IsHead(const Operation& op) { return op.kind == Kind::kLedgerHead; }

// An answer that carries a ticket.
bool HasTicket(const Operation& op) {
  return op.ok() && op.sequence > 0 && !IsRow(op) && !IsHead(op);
}

// What the row of a ticket must be about: "session sess_1".
std::string SubjectOf(const Operation& op) {
  if (op.kind == Kind::kRevokeToken) return "token " + op.token_id;
  if (EndsOneSession(op.kind)) return "session " + op.session;
  return "account " + op.account;
}

void CheckReadings(const CaseFile& file, Violations& found) {
  std::map<std::string, const Operation*> last_row, last_head;
  std::map<Place, const Operation*> meaning;
  for (const Operation* op : file.all) {
    if (IsRow(*op)) {
      const Operation*& last = last_row[op->process];
      if (last != nullptr && last->epoch == op->epoch &&
          op->sequence != last->sequence + 1) {
        found.push_back({"ledger_in_order",
                         "the ledger has a gap or went back",
                         {*last, *op}});
      }
      if (last != nullptr && op->epoch < last->epoch) {
        found.push_back(
            {"ledger_in_order", "the epoch went back", {*last, *op}});
      }
      last = op;
      const Operation*& first = meaning.emplace(PlaceOf(*op), op).first->second;
      if (first->entry != op->entry || first->key != op->key) {
        found.push_back({"ledger_in_order",
                         "one sequence number means two revocations",
                         {*first, *op}});
      }
    }
    if (IsHead(*op)) {
      const Operation*& last = last_head[op->process];
      if (last != nullptr && PlaceOf(*op) < PlaceOf(*last)) {
        found.push_back(
            {"ledger_in_order", "the head went back", {*last, *op}});
      }
      last = op;
    }
  }
}

// Nothing that was acknowledged before a restart is missing after it.
void CheckHeadsAfterRestarts(const CaseFile& file, Violations& found) {
  CaseFile::Operations reached;
  for (const Operation* op : file.all) {
    if (HasTicket(*op) || IsRow(*op) || IsHead(*op)) reached.push_back(op);
  }
  std::sort(
      reached.begin(), reached.end(),
      [](const Operation* a, const Operation* b) { return a->end < b->end; });
  auto next_reached = reached.begin();
  auto next_restart = file.restarts.begin();
  const Operation* furthest = nullptr;
  for (const Operation* op : file.all) {
    for (; next_restart != file.restarts.end() &&
           (*next_restart)->end < op->start;
         ++next_restart) {
      for (; next_reached != reached.end() &&
             (*next_reached)->end < (*next_restart)->start;
           ++next_reached) {
        if (furthest == nullptr || PlaceOf(*furthest) < PlaceOf(**next_reached))
          furthest = *next_reached;
      }
    }
    if (!IsHead(*op) || furthest == nullptr) continue;
    if (PlaceOf(*op) < PlaceOf(*furthest)) {
      found.push_back({"ledger_in_order",
                       "the ledger is behind what was known before a restart",
                       {*furthest, *op}});
    }
  }
}

struct Reading {
  Place last{0, 0};
  std::int64_t began = kNever;
};

void CheckTickets(const CaseFile& file, Violations& found) {
  std::map<Place, const Operation*> rows;
  std::map<std::string, Reading> readings;
  for (const Operation* op : file.all) {
    if (!IsRow(*op)) continue;
    rows.emplace(PlaceOf(*op), op);
    Reading& reading = readings[op->process];
    reading.last = std::max(reading.last, PlaceOf(*op));
    reading.began = std::min(reading.began, op->start);
  }
  std::map<Place, const Operation*> claimed;
  for (const Operation* op : file.all) {
    if (!HasTicket(*op)) continue;
    const Operation& first = *claimed.emplace(PlaceOf(*op), op).first->second;
    if (SubjectOf(first) != SubjectOf(*op)) {
      found.push_back({"ticket_has_its_row",
                       "two revocations were given one ticket",
                       {first, *op}});
    }
    const auto row = rows.find(PlaceOf(*op));
    if (row != rows.end() && absl::StrCat(row->second->entry, " ",
                                          row->second->key) != SubjectOf(*op)) {
      found.push_back({"ticket_has_its_row",
                       "the row of a ticket is about something else",
                       {*op, *row->second}});
    }
    for (const auto& [process, reading] : readings) {
      if (op->end < reading.began && reading.last < PlaceOf(*op)) {
        found.push_back({"ticket_has_its_row",
                         "a later reading of the ledger ends before the row "
                         "of an acknowledged revocation",
                         {*op}});
      }
    }
  }
}

// What the audit row of a change is about.
std::optional<std::string> AuditOf(const Operation& op) {
  switch (op.kind) {
    case Kind::kSignUp:
      return "account.sign_up " + op.account;
    case Kind::kSignIn:
      return "session.sign_in " + op.session;
    case Kind::kSignOut:
      return "session.sign_out " + op.session;
    case Kind::kRevokeToken:
      return "token.revoke " + op.token_id;
    case Kind::kRevokeSession:
      return "session.revoke " + op.session;
    case Kind::kRevokeAll:
      return "session.revoke_all " + op.account;
    case Kind::kChangePassword:
      return "account.change_password " + op.account;
    case Kind::kSetPassword:
      return "account.set_password " + op.account;
    case Kind::kDisable:
      return "account.disable " + op.account;
    case Kind::kEnable:
      return "account.enable " + op.account;
    case Kind::kDelete:
      return "account.delete " + op.account;
    default:
      return std::nullopt;
  }
}

std::string NameInAudit(const Operation& row) {
  const absl::string_view action = row.action;
  if (action == "token.revoke") return row.action + " " + row.token_id;
  const bool about_session = action == "session.sign_in" ||
                             action == "session.sign_out" ||
                             action == "session.revoke";
  return row.action + " " + (about_session ? row.session : row.account);
}

// Only the first of several such calls changes anything.
bool MayBeRepeated(Kind kind) {
  return kind == Kind::kRevokeToken || kind == Kind::kDisable ||
         kind == Kind::kEnable || EndsOneSession(kind);
}

}  // namespace

void CheckLedger(const CaseFile& file, Violations& found) {
  CheckReadings(file, found);
  CheckHeadsAfterRestarts(file, found);
  CheckTickets(file, found);
}

void CheckAudit(const CaseFile& file, Violations& found) {
  std::map<std::string, int> rows;
  std::int64_t reading_began = kNever;
  for (const Operation* op : file.all) {
    if (op->kind != Kind::kAuditRow) continue;
    ++rows[NameInAudit(*op)];
    reading_began = std::min(reading_began, op->start);
  }
  if (rows.empty()) return;
  std::map<std::string, int> acknowledged;
  for (const Operation* op : file.all) {
    if (!op->ok() || op->end >= reading_began) continue;
    // A token that had expired is answered without a row (RFC 7009).
    if (op->kind == Kind::kRevokeToken && op->sequence == 0) continue;
    // Enabling what was never disabled changes nothing.
    if (op->kind == Kind::kEnable &&
        acknowledged["account.disable " + op->account] == 0) {
      continue;
    }
    const auto name = AuditOf(*op);
    if (!name.has_value()) continue;
    int& count = acknowledged[*name];
    if (MayBeRepeated(op->kind)) {
      count = 1;
    } else {
      ++count;
    }
    if (rows[*name] >= count) continue;
    found.push_back(
        {"audit_row_exists", absl::StrCat("no audit row says ", *name), {*op}});
  }
}

void CheckKeys(const CaseFile& file, const Rules& rules, Violations& found) {
  std::map<std::string, const Operation*> published;
  const Operation* first_key = nullptr;
  std::int64_t first_revoked = kNever;
  for (const Operation* op : file.all) {
    if (op->kind == Kind::kKeyRevoked)
      first_revoked = std::min(first_revoked, op->start);
    if (op->kind != Kind::kKeyPublished) continue;
    const Operation*& first = published.emplace(op->key, op).first->second;
    if (op->end < first->end) first = op;
    // Keys seen in the same look as the very first may sign already: one does.
    if (first_key == nullptr) first_key = op;
  }
  if (published.empty()) return;
  const std::int64_t lead =
      absl::ToInt64Microseconds(rules.prepare_lead - rules.clock_slack);
  std::set<std::string> told;
  for (const Operation* op : file.all) {
    const bool mints = op->kind == Kind::kSignIn || op->kind == Kind::kRefresh;
    if (!mints || !op->ok() || op->key.empty()) continue;
    // The successor of a revoked key cannot wait.
    if (op->end >= first_revoked) continue;
    const auto it = published.find(op->key);
    if (it != published.end()) {
      if (it->second->end_time == first_key->end_time || lead <= 0) continue;
      if (it->second->start_time == 0 || op->end_time == 0) continue;
      // The first look at it may have been late: nobody can tell then.
      if (op->end_time - it->second->start_time >= lead) continue;
    }
    if (!told.insert(op->key).second) continue;
    Violation violation{"key_was_published",
                        "a key signed that had not been published for its lead",
                        {*op}};
    if (it != published.end()) violation.operations.push_back(*it->second);
    found.push_back(std::move(violation));
  }
}

}  // namespace ostiary::checker

// Of one generation at most one successor exists, and an older token never
// succeeds again (server/session/rotation.h, protocol.md 4).

#include <algorithm>
#include <map>
#include <set>

#include "tests/checker/case_file.h"

namespace ostiary::checker {
namespace {

constexpr std::int64_t kMicrosPerSecond = 1'000'000;

const Operation* FirstSuccess(const CaseFile::Operations& refreshes) {
  const Operation* first = nullptr;
  for (const Operation* op : refreshes) {
    if (op->ok() && (first == nullptr || op->end < first->end)) first = op;
  }
  return first;
}

// How long nobody was answered between the two: the server was down, or a
// commit stalled for over a second, which makes its callers wait.
std::int64_t PausesBetween(const CaseFile& file, const Operation& first,
                           const Operation& again) {
  std::int64_t pauses = 0;
  for (const Operation* op : file.all) {
    if (op->end < first.start || op->start > again.end) continue;
    const std::int64_t took = op->end_time - op->start_time;
    if (op->start_time == 0 || op->end_time == 0) continue;
    if (op->kind == Kind::kRestart || took > kMicrosPerSecond) pauses += took;
  }
  return pauses;
}

void CheckOneSuccessor(const CaseFile::Operations& refreshes,
                       const Operation& first, Violations& found) {
  for (const Operation* op : refreshes) {
    if (!op->ok() ||
        (op->refresh == first.refresh && op->session == first.session)) {
      continue;
    }
    found.push_back({"one_successor",
                     "one refresh token was exchanged for two successors",
                     {first, *op}});
  }
}

void CheckOlderIsDead(const CaseFile& file,
                      const CaseFile::Operations& refreshes,
                      const Operation& first, Violations& found) {
  const Operation* successor_used =
      FirstSuccess(CaseFile::In(file.presented, first.refresh));
  if (successor_used == nullptr) return;
  for (const Operation* op : refreshes) {
    if (!op->ok() || !successor_used->Before(*op)) continue;
    found.push_back({"older_token_is_dead",
                     "a refresh token succeeded although its successor had "
                     "been used",
                     {first, *successor_used, *op}});
  }
}

void CheckWindow(const CaseFile& file, const CaseFile::Operations& refreshes,
                 const Operation& first, const Rules& rules,
                 Violations& found) {
  const bool named =
      std::any_of(refreshes.begin(), refreshes.end(),
                  [](const Operation* op) { return !op->request_id.empty(); });
  const std::int64_t window = absl::ToInt64Microseconds(
      (named ? rules.request_id_window : rules.retry_window) +
      rules.clock_slack);
  for (const Operation* op : refreshes) {
    if (!op->ok() || op->start_time == 0 || first.end_time == 0) continue;
    const std::int64_t gap = op->start_time - first.end_time;
    if (gap < window || gap - PausesBetween(file, first, *op) < window)
      continue;
    found.push_back({"retry_window",
                     "a refresh token was honoured again after the window for "
                     "an honest repeat",
                     {first, *op}});
  }
}

}  // namespace

void CheckRefreshes(const CaseFile& file, const Rules& rules,
                    Violations& found) {
  for (const auto& [presented, refreshes] : file.presented) {
    const Operation* first = FirstSuccess(refreshes);
    if (first == nullptr) continue;
    CheckOneSuccessor(refreshes, *first, found);
    CheckOlderIsDead(file, refreshes, *first, found);
    CheckWindow(file, refreshes, *first, rules, found);
  }
  // Two generations that lead to one token are no better than one that leads
  // to two.
  for (const auto& [token, answers] : file.handed_out) {
    for (const Operation* op : answers) {
      const Operation& first = *answers.front();
      if (op->kind == first.kind && op->session == first.session &&
          op->presented == first.presented &&
          (op == &first || op->kind == Kind::kRefresh)) {
        continue;
      }
      found.push_back({"one_successor",
                       "one refresh token was handed out for two things",
                       {first, *op}});
    }
  }
}

void CheckTokenIds(const CaseFile& file, Violations& found) {
  for (const auto& [token_id, answers] : file.minted_id) {
    const Operation& first = *answers.front();
    for (const Operation* op : answers) {
      if (op == &first) continue;
      const bool retry =
          op->kind == Kind::kRefresh && first.kind == Kind::kRefresh &&
          op->presented == first.presented && op->session == first.session;
      if (retry) continue;
      found.push_back({"token_ids_are_unique",
                       "two access tokens have one id",
                       {first, *op}});
    }
  }
  for (const auto& [session, sign_ins] : file.openings) {
    if (sign_ins.size() < 2) continue;
    found.push_back({"token_ids_are_unique",
                     "two sign-ins opened one session",
                     {*sign_ins[0], *sign_ins[1]}});
  }
}

}  // namespace ostiary::checker

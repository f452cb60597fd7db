#include "server/key/lifecycle.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "server/base/reason.h"

namespace ostiary::key {
namespace {

using storage::KeyRow;
using Kind = Step::Kind;

const KeyRow* FindActive(const std::vector<KeyRow>& rows) {
  const auto found =
      std::find_if(rows.begin(), rows.end(),
                   [](const KeyRow& row) { return row.state == kStateActive; });
  return found == rows.end() ? nullptr : &*found;
}

// The prepared key that is next: the wanted algorithm first, then the one
// published for longest.
const KeyRow* FindNext(const std::vector<KeyRow>& rows,
                       absl::string_view algorithm) {
  const KeyRow* next = nullptr;
  for (const KeyRow& row : rows) {
    if (row.state != kStatePrepared) continue;
    const bool wanted = row.algorithm == algorithm;
    const bool next_wanted = next != nullptr && next->algorithm == algorithm;
    const bool better =
        next == nullptr || (wanted && !next_wanted) ||
        (wanted == next_wanted && row.create_time < next->create_time);
    if (better) next = &row;
  }
  return next;
}

bool HasPreparedBeside(const std::vector<KeyRow>& rows, const KeyRow* taken,
                       absl::string_view algorithm) {
  return std::any_of(rows.begin(), rows.end(), [&](const KeyRow& row) {
    return &row != taken && row.state == kStatePrepared &&
           row.algorithm == algorithm;
  });
}

// Passed over at a rotation because it is of an algorithm no longer wanted: it
// would stay in the JWKS for ever.
bool PassedOver(const KeyRow& row, const KeyRow& active,
                absl::string_view algorithm) {
  return row.state == kStatePrepared && row.algorithm != algorithm &&
         active.algorithm == algorithm &&
         row.create_time < active.activate_time;
}

bool Gone(const KeyRow& row, const Schedule& schedule, absl::Time now) {
  return row.state == kStateRetired &&
         now >= row.retire_time + schedule.retire_keep;
}

absl::Status Conflict(const KeyRow& row, absl::string_view what) {
  return Refuse(
      Reason::kKeyStateConflict,
      absl::StrCat("Key ", row.key_id, " is ", row.state, "; ", what));
}

}  // namespace

std::optional<KeyState> ParseKeyState(absl::string_view state) {
  if (state == kStatePrepared) return KeyState::kPrepared;
  if (state == kStateActive) return KeyState::kActive;
  if (state == kStateRetired) return KeyState::kRetired;
  if (state == kStateRevoked) return KeyState::kRevoked;
  return std::nullopt;
}

absl::Time MaySignFrom(const KeyRow& row, const Schedule& schedule) {
  return row.create_time + schedule.prepare_lead;
}

std::vector<Step> SuccessionSteps(const std::vector<KeyRow>& rows,
                                  absl::string_view algorithm) {
  if (FindActive(rows) != nullptr) return {};
  const KeyRow* const next = FindNext(rows, algorithm);
  std::vector<Step> steps;
  if (next == nullptr) steps.push_back({Kind::kPrepare, ""});
  steps.push_back({Kind::kActivate, next == nullptr ? "" : next->key_id});
  if (!HasPreparedBeside(rows, next, algorithm)) {
    steps.push_back({Kind::kPrepare, ""});
  }
  return steps;
}

std::vector<Step> DueSteps(const std::vector<KeyRow>& rows,
                           const Schedule& schedule,
                           absl::string_view algorithm, absl::Time now) {
  std::vector<Step> steps = SuccessionSteps(rows, algorithm);
  const KeyRow* const active = FindActive(rows);
  if (active != nullptr) {
    const KeyRow* const next = FindNext(rows, algorithm);
    const bool rotate = next != nullptr && next->algorithm == algorithm &&
                        MaySignFrom(*next, schedule) <= now &&
                        active->activate_time + schedule.rotation_period <= now;
    if (rotate) {
      steps.push_back({Kind::kRetire, active->key_id});
      steps.push_back({Kind::kActivate, next->key_id});
    }
    if (!HasPreparedBeside(rows, rotate ? next : nullptr, algorithm)) {
      steps.push_back({Kind::kPrepare, ""});
    }
  }
  for (const KeyRow& row : rows) {
    if (Gone(row, schedule, now) ||
        (active != nullptr && PassedOver(row, *active, algorithm))) {
      steps.push_back({Kind::kDelete, row.key_id});
    }
  }
  return steps;
}

absl::Status MarkActive(KeyRow& row, absl::Time now) {
  if (row.state == kStateActive) return Conflict(row, "it signs already.");
  if (row.state != kStatePrepared)
    return Conflict(row, "it never signs again.");
  row.state = std::string(kStateActive);
  row.activate_time = now;
  return absl::OkStatus();
}

absl::Status MarkRetired(KeyRow& row, absl::Time now) {
  if (row.state != kStateActive && row.state != kStatePrepared) {
    return Conflict(row, "only an active or prepared key can be retired.");
  }
  row.state = std::string(kStateRetired);
  row.retire_time = now;
  return absl::OkStatus();
}

absl::Status MarkRevoked(KeyRow& row, absl::Time now) {
  if (row.state == kStateRevoked) return Conflict(row, "that is final.");
  row.state = std::string(kStateRevoked);
  row.revoke_time = now;
  return absl::OkStatus();
}

}  // namespace ostiary::key

#include "tests/checker/model.h"

#include "absl/strings/str_cat.h"

namespace ostiary::checker {
namespace {

// Whether a token of the generation before the live one may have been presented
// inside the window of an honest repeat, and whether outside.
struct Window {
  bool may_be_open = true;
  bool may_be_over = true;
};

}  // namespace

AccountState::AccountState(std::size_t sessions, std::size_t tokens,
                           std::size_t token_ids)
    : sessions_(sessions), minted_(tokens), revoked_ids_(token_ids) {}

std::string AccountState::Bytes() const {
  std::string bytes = absl::StrCat(password_, ",", generation_, ",", floor_,
                                   ",", disabled_, deleted_);
  for (const Session& session : sessions_) {
    absl::StrAppend(&bytes, ";", session.generation, ",", session.opened, ",",
                    session.request_id, ",", session.revoked, ",",
                    session.rotated_from, ",", session.rotated_to);
  }
  for (const int stamp : minted_) absl::StrAppend(&bytes, " ", stamp);
  for (const bool revoked : revoked_ids_) bytes += revoked ? 'x' : '.';
  return bytes;
}

bool AccountState::IsDead(const Session& session) const {
  return session.generation == 0 || session.revoked ||
         session.opened < floor_ || disabled_ || !Exists();
}

bool AccountState::Lives(const Step& step) const {
  const int stamp = minted_[static_cast<std::size_t>(step.token)];
  return Exists() && stamp >= generation_ &&
         !revoked_ids_[static_cast<std::size_t>(step.token_id)] &&
         !sessions_[static_cast<std::size_t>(step.session)].revoked;
}

bool AccountState::Mint(const Step& step) {
  if (step.token < 0) return true;
  int& stamp = minted_[static_cast<std::size_t>(step.token)];
  if (stamp == 0) stamp = generation_;
  return stamp == generation_;
}

void AccountState::EndEverything() { floor_ = ++generation_; }

std::vector<AccountState> AccountState::After(const Step& step,
                                              const Rules& rules) const {
  if (step.refusal == Refusal::kOther) return {*this};
  if (step.refusal == Refusal::kWrong) return {};
  AccountState next = *this;
  bool possible = true;
  switch (step.operation.kind) {
    case Kind::kRefresh:
      return Refresh(step, rules);
    case Kind::kSignIn:
      possible = next.SignIn(step);
      break;
    case Kind::kVerify:
      possible = Verify(step);
      break;
    case Kind::kChangePassword:
      possible = next.ChangePassword(step);
      break;
    default:
      possible = next.Administer(step);
  }
  if (!possible) return {};
  return {std::move(next)};
}

bool AccountState::SignIn(const Step& step) {
  const bool right = Exists() && !disabled_ && step.password == password_;
  if (step.operation.refused()) return !right;
  if (step.operation.unknown()) return true;  // a session nobody has
  Session& session = sessions_[static_cast<std::size_t>(step.session)];
  if (!right || session.generation != 0) return false;
  session.generation = 1;
  session.opened = generation_;
  return Mint(step);
}

bool AccountState::Verify(const Step& step) const {
  if (step.operation.unknown()) return true;
  if (minted_[static_cast<std::size_t>(step.token)] == 0) return false;
  return step.operation.ok() == Lives(step);
}

std::vector<AccountState> AccountState::Refresh(const Step& step,
                                                const Rules& rules) const {
  const Operation& op = step.operation;
  const Session& session = sessions_[static_cast<std::size_t>(step.session)];
  if (IsDead(session)) {
    if (op.ok() || step.refusal == Refusal::kInProgress) return {};
    return {*this};
  }
  if (step.presented > session.generation) return {};
  if (step.presented == session.generation) {
    if (op.refused()) return {};
    AccountState next = *this;
    next.Rotate(step);
    if (!next.Mint(step)) return {};
    return {std::move(next)};
  }

  AccountState ended = *this;
  ended.sessions_[static_cast<std::size_t>(step.session)].revoked = true;
  Window window{step.presented + 1 == session.generation, true};
  const bool other_attempt =
      session.request_id != 0 && session.request_id != step.request_id;
  if (window.may_be_open && session.rotated_to != 0 && op.start_time != 0) {
    const bool same_attempt = session.request_id != 0 && !other_attempt;
    const std::int64_t length = absl::ToInt64Microseconds(
        (same_attempt ? rules.request_id_window : rules.retry_window));
    const std::int64_t slack = absl::ToInt64Microseconds(rules.clock_slack);
    window.may_be_open = op.start_time - session.rotated_to < length + slack;
    window.may_be_over = op.end_time == 0 ||
                         op.end_time - session.rotated_from >= length - slack;
  }
  if (step.refusal == Refusal::kInProgress) {
    if (!window.may_be_open || !other_attempt) return {};
    return {*this};
  }
  if (op.refused()) {
    if (!window.may_be_over) return {};
    return {std::move(ended)};
  }
  std::vector<AccountState> after;
  if (window.may_be_open && (op.unknown() || !other_attempt)) {
    AccountState next = *this;
    if (next.Mint(step)) after.push_back(std::move(next));
  }
  if (op.unknown() && window.may_be_over) after.push_back(std::move(ended));
  return after;
}

void AccountState::Rotate(const Step& step) {
  Session& session = sessions_[static_cast<std::size_t>(step.session)];
  ++session.generation;
  session.request_id = step.request_id;
  session.rotated_from = step.operation.start_time;
  // Of a call that was cut off it is not known when it happened.
  session.rotated_to = step.operation.end_time;
}

bool AccountState::ChangePassword(const Step& step) {
  Session& session = sessions_[static_cast<std::size_t>(step.session)];
  const bool right = !IsDead(session) && step.password == password_;
  if (step.operation.refused()) return !right;
  if (!right) return step.operation.unknown();
  password_ = step.new_password;
  EndEverything();
  session.opened = generation_;
  return true;
}

bool AccountState::Administer(const Step& step) {
  const Kind kind = step.operation.kind;
  if (kind == Kind::kRestart) {
    // The window of an honest repeat does not run meanwhile.
    const std::int64_t down =
        step.operation.end_time - step.operation.start_time;
    for (Session& session : sessions_) {
      if (session.rotated_to == 0) continue;
      session.rotated_from += down;
      session.rotated_to += down;
    }
    return true;
  }
  if (kind == Kind::kSignUp) {
    if (step.operation.refused()) return true;
    if (password_ >= 0) return step.operation.unknown();
    password_ = step.password;
    return true;
  }
  if (step.operation.refused()) return !Exists();
  switch (kind) {
    case Kind::kRevokeToken:
      revoked_ids_[static_cast<std::size_t>(step.token_id)] = true;
      return true;
    case Kind::kRevokeSession:
    case Kind::kSignOut: {
      Session& session = sessions_[static_cast<std::size_t>(step.session)];
      if (session.generation == 0) return step.operation.unknown();
      session.revoked = true;
      return true;
    }
    default:
      break;
  }
  if (!Exists()) return step.operation.unknown();
  switch (kind) {
    case Kind::kRevokeAll:
      EndEverything();
      return true;
    case Kind::kSetPassword:
      password_ = step.new_password;
      EndEverything();
      return true;
    case Kind::kDisable:
      if (!disabled_) EndEverything();
      disabled_ = true;
      return true;
    case Kind::kEnable:
      disabled_ = false;
      return true;
    case Kind::kDelete:
      deleted_ = true;
      return true;
    default:
      return true;  // an observation
  }
}

}  // namespace ostiary::checker

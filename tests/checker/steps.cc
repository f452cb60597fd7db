#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/checker/model.h"

namespace ostiary::checker {
namespace {

// Small numbers for names, in the order in which they turn up.
class Numbers {
 public:
  int Of(const std::string& name) {
    return known_.emplace(name, static_cast<int>(known_.size())).first->second;
  }

 private:
  std::map<std::string, int> known_;
};

Refusal RefusalOf(const Operation& op) {
  if (!op.refused()) return Refusal::kNone;
  if (op.reason == "CREDENTIALS_REJECTED" || op.reason == "REFRESH_REJECTED" ||
      op.reason == "NOT_FOUND") {
    return Refusal::kRejected;
  }
  if (op.reason == "REFRESH_IN_PROGRESS") return Refusal::kInProgress;
  if (op.kind != Kind::kVerify || op.reason == "TOKEN_EXPIRED")
    return Refusal::kOther;
  return op.reason == "TOKEN_REVOKED" ? Refusal::kRevoked : Refusal::kWrong;
}

bool IsAboutToken(const Operation& op) {
  return op.kind == Kind::kVerify || op.kind == Kind::kRevokeToken;
}

// Which generation each refresh token is, by who was given it for what.
class Generations {
 public:
  absl::Status Learn(const Operation& op) {
    if (op.refresh.empty() || !op.ok()) return absl::OkStatus();
    int generation = 1;
    if (op.kind == Kind::kRefresh) {
      const auto before = known_.find(op.presented);
      if (before == known_.end()) return absl::OkStatus();  // Of says so
      generation = before->second + 1;
    }
    const auto [it, is_new] = known_.emplace(op.refresh, generation);
    if (it->second == generation) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat("#", op.id, ": a refresh token of two generations"));
  }
  absl::StatusOr<int> Of(const Operation& op) const {
    const auto it = known_.find(op.presented);
    if (it != known_.end()) return it->second;
    return absl::InvalidArgumentError(
        absl::StrCat("#", op.id, ": a refresh token that nobody was given"));
  }

 private:
  std::map<std::string, int> known_;
};

}  // namespace

absl::StatusOr<std::vector<Step>> StepsOf(
    const std::vector<Operation>& operations) {
  Generations generations;
  Numbers sessions, tokens, token_ids, passwords, request_ids;
  request_ids.Of("");  // 0: none
  std::vector<Step> steps;
  for (const Operation& op : operations) {
    Step step;
    step.operation = op;
    step.refusal = RefusalOf(op);
    if (!op.session.empty()) step.session = sessions.Of(op.session);
    if (!op.token_id.empty()) {
      step.token = tokens.Of(op.token());
      step.token_id = token_ids.Of(op.token_id);
    }
    if (!op.password.empty()) step.password = passwords.Of(op.password);
    if (!op.new_password.empty())
      step.new_password = passwords.Of(op.new_password);
    step.request_id = request_ids.Of(op.request_id);
    if (auto learned = generations.Learn(op); !learned.ok()) return learned;
    if (op.kind == Kind::kRefresh) {
      auto generation = generations.Of(op);
      if (!generation.ok()) return generation.status();
      step.presented = *generation;
    }
    const bool needs_session =
        op.kind == Kind::kRefresh || op.kind == Kind::kVerify ||
        op.kind == Kind::kChangePassword || op.kind == Kind::kRevokeSession ||
        op.kind == Kind::kSignOut || (op.kind == Kind::kSignIn && op.ok());
    if ((needs_session && step.session < 0) ||
        (IsAboutToken(op) && step.token < 0)) {
      return absl::InvalidArgumentError(
          absl::StrCat("#", op.id, ": names no session or no token"));
    }
    steps.push_back(std::move(step));
  }
  return steps;
}

}  // namespace ostiary::checker

#include "tests/checker/linearizability.h"

#include <algorithm>
#include <map>
#include <string>
#include <unordered_set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/checker/model.h"

namespace ostiary::checker {
namespace {

constexpr std::size_t kNone = static_cast<std::size_t>(-1);
constexpr std::size_t kShown = 12;  // of a long order, its end

enum class Found { kYes, kNo, kGaveUp };

class Search {
 public:
  Search(std::vector<Step> steps, const Rules& rules, std::size_t most_states)
      : steps_(std::move(steps)),
        rules_(rules),
        states_left_(most_states),
        done_(steps_.size(), false) {
    std::size_t restart = kNone;
    ended_by_.resize(steps_.size(), kNone);
    for (std::size_t i = steps_.size(); i-- > 0;) {
      if (steps_[i].operation.kind == Kind::kRestart) restart = i;
      if (!IsOptional(i)) ++required_left_;
      if (IsOptional(i)) ended_by_[i] = restart;
    }
  }

  Found Run() { return Continue(Beginning()); }

  // The longest order that was found, its end, and what it could not go on to.
  std::vector<Operation> Evidence() const {
    const std::size_t from =
        longest_.size() > kShown ? longest_.size() - kShown : 0;
    std::vector<Operation> shown;
    std::vector<bool> placed(steps_.size(), false);
    for (const std::size_t i : longest_) placed[i] = true;
    for (std::size_t k = from; k < longest_.size(); ++k)
      shown.push_back(steps_[longest_[k]].operation);
    const std::int64_t first_end = FirstEnd(placed);
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      if (!placed[i] && !IsOptional(i) &&
          steps_[i].operation.start <= first_end) {
        shown.push_back(steps_[i].operation);
      }
    }
    return shown;
  }

 private:
  bool IsOptional(std::size_t i) const { return steps_[i].operation.unknown(); }

  AccountState Beginning() const {
    int sessions = 0, tokens = 0, token_ids = 0;
    for (const Step& step : steps_) {
      sessions = std::max(sessions, step.session + 1);
      tokens = std::max(tokens, step.token + 1);
      token_ids = std::max(token_ids, step.token_id + 1);
    }
    return AccountState(static_cast<std::size_t>(sessions),
                        static_cast<std::size_t>(tokens),
                        static_cast<std::size_t>(token_ids));
  }

  // When the first of the calls that must come now or later was over: what
  // began after that cannot come now.
  std::int64_t FirstEnd(const std::vector<bool>& done) const {
    std::int64_t first = kNever;
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      if (!done[i] && !IsOptional(i))
        first = std::min(first, steps_[i].operation.end);
    }
    return first;
  }

  bool MayComeNow(std::size_t i, std::int64_t first_end) const {
    if (done_[i] || steps_[i].operation.start > first_end) return false;
    return ended_by_[i] == kNone || !done_[ended_by_[i]];
  }

  Found Continue(const AccountState& state) {
    if (required_left_ == 0) return Found::kYes;
    if (!IsNew(state)) return Found::kNo;
    if (states_left_ == 0) return Found::kGaveUp;
    --states_left_;
    if (order_.size() > longest_.size()) longest_ = order_;

    const std::int64_t first_end = FirstEnd(done_);
    std::vector<std::size_t> candidates;
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      if (steps_[i].operation.start > first_end) break;
      if (MayComeNow(i, first_end)) candidates.push_back(i);
    }
    // What changes nothing may as well come at once: if there is an order,
    // there is one that goes on like this.
    for (const std::size_t i : candidates) {
      if (IsOptional(i)) continue;
      const auto after = steps_[i].operation.kind == Kind::kRestart
                             ? std::vector<AccountState>()
                             : state.After(steps_[i], rules_);
      if (after.size() == 1 && after[0] == state) return Place(i, state);
    }
    std::stable_partition(candidates.begin(), candidates.end(),
                          [&](std::size_t i) { return !IsOptional(i); });
    for (const std::size_t i : candidates) {
      for (const AccountState& next : state.After(steps_[i], rules_)) {
        // A call that was cut off and did nothing need not have come.
        if (IsOptional(i) && next == state) continue;
        const Found found = Place(i, next);
        if (found != Found::kNo) return found;
      }
    }
    return Found::kNo;
  }

  Found Place(std::size_t i, const AccountState& next) {
    done_[i] = true;
    order_.push_back(i);
    required_left_ -= IsOptional(i) ? 0 : 1;
    const Found found = Continue(next);
    required_left_ += IsOptional(i) ? 0 : 1;
    order_.pop_back();
    done_[i] = false;
    return found;
  }

  bool IsNew(const AccountState& state) {
    std::string key = state.Bytes();
    key.push_back('|');
    for (const bool done : done_) key.push_back(done ? '1' : '0');
    return tried_.insert(std::move(key)).second;
  }

  const std::vector<Step> steps_;
  const Rules& rules_;
  std::size_t states_left_;
  std::vector<bool> done_;
  std::size_t required_left_ = 0;
  // Of what was cut off: the restart after which it can no longer happen.
  std::vector<std::size_t> ended_by_;
  std::vector<std::size_t> order_, longest_;
  std::unordered_set<std::string> tried_;
};

bool IsModelled(const Operation& op) {
  switch (op.kind) {
    case Kind::kLedgerRow:
    case Kind::kLedgerHead:
    case Kind::kAuditRow:
    case Kind::kKeyPublished:
    case Kind::kKeyRevoked:
      return false;
    default:
      return true;
  }
}

}  // namespace

std::vector<Violation> CheckLinearizable(const std::vector<Operation>& history,
                                         const Rules& rules,
                                         std::size_t most_states) {
  std::map<std::string, std::vector<Operation>> accounts;
  for (const Operation& op : history) {
    if (IsModelled(op) && !op.account.empty()) accounts[op.account];
  }
  for (const Operation& op : history) {
    if (!IsModelled(op)) continue;
    for (auto& [account, calls] : accounts) {
      if (op.account == account || op.kind == Kind::kRestart)
        calls.push_back(op);
    }
  }
  std::vector<Violation> found;
  for (const auto& [account, calls] : accounts) {
    auto steps = StepsOf(calls);
    if (!steps.ok()) {
      found.push_back({"history_is_whole",
                       absl::StrCat(account, ": ", steps.status().message()),
                       {}});
      continue;
    }
    Search search(*std::move(steps), rules, most_states);
    const Found verdict = search.Run();
    if (verdict == Found::kYes) continue;
    const bool gave_up = verdict == Found::kGaveUp;
    found.push_back(
        {gave_up ? "linearizability_unknown" : "linearizable",
         absl::StrCat(account, gave_up ? ": too many orders to try"
                                       : ": no order of these calls explains "
                                         "the answers"),
         search.Evidence()});
  }
  return found;
}

}  // namespace ostiary::checker

// The password of an account is one register: what lets somebody in was
// written last, as far as an order can be told.

#include <algorithm>
#include <optional>

#include "tests/checker/case_file.h"

namespace ostiary::checker {
namespace {

struct Write {
  const Operation* op;
  const std::string* value;
  // It had happened by then, if it happened at all.
  std::int64_t latest;
  // That it happened: acknowledged, or seen since; kNever: nobody knows.
  std::int64_t certain;
};

bool Overlap(const Write& write, std::int64_t from, std::int64_t to) {
  return write.latest >= from && write.op->start <= to;
}

// One account's passwords.
class Register {
 public:
  Register(const CaseFile& file, const CaseFile::Operations& calls)
      : file_(file), calls_(calls) {
    for (const Operation* op : calls) {
      if (op->refused()) continue;
      if (op->kind == Kind::kSignUp) Add(*op, op->password);
      if (op->kind == Kind::kSetPassword || op->kind == Kind::kChangePassword)
        Add(*op, op->new_password);
    }
    for (Write& write : writes_) SeeWhenItWasUsed(write);
  }

  void Check(Violations& found) const {
    for (const Operation* op : calls_) {
      if (IsAccepted(*op)) CheckAccepted(*op, found);
      if (IsRejected(*op)) CheckRejected(*op, found);
    }
    for (const Write& write : writes_) {
      if (write.op->unknown()) CheckNeither(write, found);
    }
  }

 private:
  void Add(const Operation& op, const std::string& value) {
    Write write{&op, &value, op.end, op.end};
    if (op.unknown()) {
      write.latest = file_.LatestOf(op);
      write.certain = kNever;
    }
    writes_.push_back(write);
  }

  // Who signs in with a password that only this call can have set proves it.
  void SeeWhenItWasUsed(Write& write) {
    if (!write.op->unknown() || !IsUnique(write)) return;
    for (const Operation* op : calls_) {
      if (!IsAccepted(*op) || op->password != *write.value) continue;
      write.certain = std::min(write.certain, op->end);
      write.latest = std::min(write.latest, op->end);
    }
  }

  bool IsUnique(const Write& write) const {
    return std::count_if(writes_.begin(), writes_.end(),
                         [&](const Write& other) {
                           return *other.value == *write.value;
                         }) == 1;
  }

  static bool IsAccepted(const Operation& op) {
    return op.ok() &&
           (op.kind == Kind::kSignIn || op.kind == Kind::kChangePassword);
  }
  static bool IsRejected(const Operation& op) {
    return op.kind == Kind::kSignIn && op.refused() &&
           op.reason == "CREDENTIALS_REJECTED";
  }

  void CheckAccepted(const Operation& op, Violations& found) const {
    if (!IsJudged(op)) return;
    const Write* overwriter = nullptr;
    for (const Write& write : writes_) {
      if (write.op == &op || *write.value != op.password ||
          write.op->start > op.end) {
        continue;
      }
      const Write* over = OverwriterOf(write, op);
      if (over == nullptr) return;
      overwriter = over;
    }
    if (overwriter == nullptr) {
      found.push_back({"password_change_holds",
                       "a password that the account never had let somebody in",
                       {op}});
      return;
    }
    found.push_back({overwriter->op->unknown() ? "unknown_is_all_or_nothing"
                                               : "password_change_holds",
                     "a password let somebody in after it had been changed",
                     {*overwriter->op, op}});
  }

  const Write* OverwriterOf(const Write& write, const Operation& seen) const {
    for (const Write& other : writes_) {
      if (other.op != &seen && *other.value != *write.value &&
          write.latest < other.op->start && other.certain < seen.start) {
        return &other;
      }
    }
    return nullptr;
  }

  bool IsJudged(const Operation& op) const {
    return std::any_of(writes_.begin(), writes_.end(), [&](const Write& write) {
      return write.op->ok() && write.op->kind != Kind::kChangePassword &&
             write.op->Before(op);
    });
  }

  void CheckRejected(const Operation& op, Violations& found) const {
    if (MayBeDisabled(op)) return;
    for (const Write& write : writes_) {
      if (*write.value != op.password || write.certain >= op.start) continue;
      // The call may have read before another began, but not before `write`.
      const bool sole =
          std::none_of(writes_.begin(), writes_.end(), [&](const Write& other) {
            return *other.value != *write.value &&
                   Overlap(other, write.op->start, op.end);
          });
      if (!sole) continue;
      found.push_back({"password_change_holds",
                       "the password that had been set was rejected",
                       {*write.op, op}});
      return;
    }
  }

  // After the restart that settles a change, the old password works or the new
  // one does.
  void CheckNeither(const Write& change, Violations& found) const {
    if (change.latest == kNever) return;
    const Write* before = nullptr;
    for (const Write& other : writes_) {
      if (&other == &change) continue;
      if (other.certain < change.op->start) {
        if (before == nullptr || other.op->start > before->op->start)
          before = &other;
      }
    }
    if (before == nullptr) return;
    const Operation* old_rejected = RejectedAfter(*before, change);
    const Operation* new_rejected = RejectedAfter(change, change);
    if (old_rejected == nullptr || new_rejected == nullptr) return;
    const std::int64_t until = std::max(old_rejected->end, new_rejected->end);
    const bool others =
        std::any_of(writes_.begin(), writes_.end(), [&](const Write& other) {
          return &other != &change && &other != before &&
                 Overlap(other, before->op->start, until);
        });
    if (others || MayBeDisabled(*old_rejected) || MayBeDisabled(*new_rejected))
      return;
    found.push_back({"unknown_is_all_or_nothing",
                     "after a change that was cut off, neither the old "
                     "password nor the new one works",
                     {*change.op, *old_rejected, *new_rejected}});
  }

  const Operation* RejectedAfter(const Write& write,
                                 const Write& change) const {
    for (const Operation* op : calls_) {
      if (IsRejected(*op) && op->password == *write.value &&
          op->start > change.latest) {
        return op;
      }
    }
    return nullptr;
  }

  bool MayBeDisabled(const Operation& seen) const {
    for (const Operation* op : calls_) {
      if (op->refused() || op->start > seen.end) continue;
      if (op->kind == Kind::kDelete) return true;
      if (op->kind != Kind::kDisable) continue;
      const std::int64_t latest = op->ok() ? op->end : file_.LatestOf(*op);
      const bool enabled_since = std::any_of(
          calls_.begin(), calls_.end(), [&](const Operation* enable) {
            return enable->kind == Kind::kEnable && enable->ok() &&
                   latest < enable->start && enable->Before(seen);
          });
      if (!enabled_since) return true;
    }
    return false;
  }

  const CaseFile& file_;
  const CaseFile::Operations& calls_;
  std::vector<Write> writes_;
};

}  // namespace

void CheckPasswords(const CaseFile& file, Violations& found) {
  for (const auto& [account, calls] : file.by_account) {
    Register(file, calls).Check(found);
  }
}

}  // namespace ostiary::checker

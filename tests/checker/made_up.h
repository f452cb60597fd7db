#ifndef OSTIARY_TESTS_CHECKER_MADE_UP_H_
#define OSTIARY_TESTS_CHECKER_MADE_UP_H_

#include <string>
#include <vector>

#include "tests/checker/operation.h"

namespace ostiary::checker {

// Writes histories by hand. The first call lasts from 10 to 20, the next one
// from 30 to 40, and the server's clock goes on by a second for each, unless
// the operation says otherwise.
class MadeUp {
 public:
  // As it is, answered "ok" unless it says why not.
  Operation& Add(Operation op) {
    if (op.start == 0) op.start = now_ += 10;
    if (op.end == kNever) op.end = now_ += 10;
    if (op.start_time == 0) {
      op.start_time = op.end_time = (time_ += 1'000'000);
    }
    op.id = static_cast<std::int64_t>(operations_.size()) + 1;
    op.outcome = op.reason.empty() ? Outcome::kOk : Outcome::kRefused;
    operations_.push_back(op);
    return operations_.back();
  }

  void SignUp(const std::string& password) {
    Add({.kind = Kind::kSignUp, .account = "ada", .password = password});
  }
  // Opens `session`; its first tokens are r1 and t1 of it.
  void SignIn(const std::string& session, const std::string& password = "p1") {
    Add({.kind = Kind::kSignIn,
         .account = "ada",
         .session = session,
         .token_id = session + "t1",
         .token_generation = 1,
         .refresh = session + "r1",
         .password = password});
  }
  void SignInRefused(const std::string& password) {
    Add({.kind = Kind::kSignIn,
         .reason = "CREDENTIALS_REJECTED",
         .account = "ada",
         .password = password});
  }
  // Presents r<n>; the answer is r<n+1> and t<n+1>, unless refused.
  Operation& Refresh(const std::string& session, int n,
                     const std::string& reason = "") {
    Operation op{.kind = Kind::kRefresh,
                 .reason = reason,
                 .account = "ada",
                 .session = session,
                 .presented = session + "r" + std::to_string(n)};
    if (reason.empty()) {
      op.refresh = session + "r" + std::to_string(n + 1);
      op.token_id = session + "t" + std::to_string(n + 1);
      op.token_generation = 1;
    }
    return Add(op);
  }
  Operation& Verify(const std::string& session, int n,
                    const std::string& reason = "") {
    return Add({.kind = Kind::kVerify,
                .reason = reason,
                .account = "ada",
                .session = session,
                .token_id = session + "t" + std::to_string(n),
                .token_generation = 1});
  }
  Operation& RevokeToken(const std::string& session, int n) {
    return Add({.kind = Kind::kRevokeToken,
                .account = "ada",
                .session = session,
                .token_id = session + "t" + std::to_string(n),
                .token_generation = 1});
  }
  Operation& RevokeSession(const std::string& session) {
    return Add(
        {.kind = Kind::kRevokeSession, .account = "ada", .session = session});
  }
  Operation& OfAccount(Kind kind) {
    return Add({.kind = kind, .account = "ada"});
  }
  Operation& ChangePassword(const std::string& session, const std::string& from,
                            const std::string& to) {
    return Add({.kind = Kind::kChangePassword,
                .account = "ada",
                .session = session,
                .password = from,
                .new_password = to});
  }
  void Restart() { Add({.kind = Kind::kRestart}); }

  // Makes the last call one that was cut off.
  void CutOff() {
    Operation& op = operations_.back();
    op.outcome = Outcome::kUnknown;
    op.end = kNever;
    op.end_time = 0;
    if (op.kind == Kind::kSignIn || op.kind == Kind::kRefresh) {
      op.refresh.clear();
      op.token_id.clear();
    }
  }
  // Makes the last call one that began before everything so far.
  void FromTheBeginning() { operations_.back().start = 0; }

  void Pass(std::int64_t seconds) { time_ += seconds * 1'000'000; }

  const std::vector<Operation>& operations() const { return operations_; }

 private:
  std::int64_t now_ = 0;
  std::int64_t time_ = 1'700'000'000'000'000;
  std::vector<Operation> operations_;
};

}  // namespace ostiary::checker

#endif  // OSTIARY_TESTS_CHECKER_MADE_UP_H_

#ifndef OSTIARY_TESTS_CHECKER_MODEL_H_
#define OSTIARY_TESTS_CHECKER_MODEL_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/checker/invariants.h"
#include "tests/checker/operation.h"

// The promises as a server that does one thing at a time, for one account:
// protocol.md 1 and 4, written down a second time and independently.
namespace ostiary::checker {

// What a refusal says, as far as the model has a say in it.
enum class Refusal {
  kNone,
  kRejected,    // CREDENTIALS_REJECTED, REFRESH_REJECTED, NOT_FOUND
  kRevoked,     // the verdict TOKEN_REVOKED
  kInProgress,  // REFRESH_IN_PROGRESS
  kOther,       // by a limit, a queue, the clock: says nothing, changes nothing
  kWrong,       // a verdict no honest token ever gets
};

// An operation with its names made small numbers.
struct Step {
  Operation operation;
  Refusal refusal = Refusal::kNone;
  int session = -1;
  int token = -1;     // Operation::token()
  int token_id = -1;  // Operation::token_id
  int presented = 0;  // the generation of the refresh token that was given
  int request_id = 0;
  int password = -1;
  int new_password = -1;
};

// Sessions and tokens of one account in steps that name them. Fails if a
// refresh token is presented that nobody was given, or one was given out as two
// generations.
absl::StatusOr<std::vector<Step>> StepsOf(
    const std::vector<Operation>& operations);

// One account with its sessions and access tokens.
class AccountState {
 public:
  AccountState(std::size_t sessions, std::size_t tokens, std::size_t token_ids);

  // How the account may be after the step; empty: a server in this state would
  // not have answered so.
  std::vector<AccountState> After(const Step& step, const Rules& rules) const;

  // All of it, for the memory of what has been tried.
  std::string Bytes() const;
  friend bool operator==(const AccountState&, const AccountState&) = default;

 private:
  struct Session {
    int generation = 0;  // of the live refresh token; 0: not opened yet
    int opened = 0;      // the account's generation then
    int request_id = 0;  // of the last rotation; 0: none
    bool revoked = false;
    // Between them the last rotation happened, microseconds; 0: not known.
    std::int64_t rotated_from = 0;
    std::int64_t rotated_to = 0;
    friend bool operator==(const Session&, const Session&) = default;
  };

  bool IsDead(const Session& session) const;
  bool Exists() const { return password_ >= 0 && !deleted_; }
  bool Lives(const Step& step) const;  // the access token
  bool Mint(const Step& step);         // false: it said something else before
  void EndEverything();

  bool SignIn(const Step& step);
  bool Verify(const Step& step) const;
  std::vector<AccountState> Refresh(const Step& step, const Rules& rules) const;
  void Rotate(const Step& step);
  bool ChangePassword(const Step& step);
  bool Administer(const Step& step);

  int password_ = -1;
  int generation_ = 1;
  int floor_ = 1;
  bool disabled_ = false;
  bool deleted_ = false;
  std::vector<Session> sessions_;
  std::vector<int> minted_;  // the generation in the token; 0: not minted yet
  std::vector<bool> revoked_ids_;
};

}  // namespace ostiary::checker

#endif  // OSTIARY_TESTS_CHECKER_MODEL_H_

#ifndef OSTIARY_TESTS_FLOWS_RECORDER_H_
#define OSTIARY_TESTS_FLOWS_RECORDER_H_

#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/checker/history.h"
#include "tests/checker/linearizability.h"
#include "tests/flows/house.h"

namespace ostiary::testing {

// Somebody with an account.
struct Person {
  std::string username;
  AccountId id;
};

// A house that never says that there were too many attempts.
HouseOptions Patient();

// Of so many trials, those that a slow build (under a sanitizer) does.
constexpr int Few(int usual) {
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
  return usual / 5;
#else
  return usual;
#endif
}

// Runs `body` in so many threads, from the same moment on.
void AllAtOnce(int threads, const std::function<void(int)>& body);

// Calls the house and writes down what was asked and what it said, as
// tests/checker wants it. What the house does not answer for certain is
// written down as unknown.
//
// Thread-safe as far as the house is.
class Recorder {
 public:
  Recorder(House& house, checker::History& history)
      : house_(house), history_(history) {}
  virtual ~Recorder() = default;

  Person SignUp(const std::string& username,
                const std::string& password = kPassword);
  using Answer = std::optional<flow::IssuedTokens>;
  Answer SignIn(const Person& person, const std::string& password = kPassword);
  Answer Refresh(const Person& person, const flow::IssuedTokens& tokens,
                 const std::string& request_id = "");
  // True: valid.
  bool Verify(const Person& person, const flow::IssuedTokens& tokens);
  bool SignOut(const Person& person, const flow::IssuedTokens& tokens);
  bool RevokeToken(const Person& person, const flow::IssuedTokens& tokens);
  bool RevokeSession(const Person& person, const flow::IssuedTokens& tokens);
  bool RevokeAll(const Person& person);
  bool Disable(const Person& person);
  bool Enable(const Person& person);
  bool SetPassword(const Person& person, const std::string& wanted);
  bool ChangePassword(const Person& person, const flow::IssuedTokens& as,
                      const std::string& current, const std::string& wanted);
  void Restart(absl::Duration down = absl::ZeroDuration());
  // As written down by whoever did not do it: before and after.
  std::size_t BeginRestart();
  void EndRestart(std::size_t begun);

  // The ledger with its head and the audit log, as they are now. Once, at the
  // end.
  void ReadRecords();

  House& house() { return house_; }
  checker::History& history() { return history_; }

 protected:
  // What the house says; a test that wants a house with a fault changes it.
  virtual absl::StatusOr<flow::IssuedTokens> AskRefresh(
      const std::string& token, const std::string& request_id);
  virtual std::string AskVerdict(const std::string& access_token);
  virtual absl::StatusOr<std::string> AskRevokeSession(
      const std::string& session_id);

 private:
  checker::Operation About(checker::Kind kind, const Person& person) const;
  // `op` as asked for with these tokens.
  void Name(checker::Operation& op, const flow::IssuedTokens& tokens) const;
  std::int64_t Time() const;
  std::size_t Begin(checker::Operation& op);
  void End(std::size_t begun, checker::Operation op,
           const absl::Status& status);
  Answer EndWithTokens(std::size_t begun, checker::Operation op,
                       absl::StatusOr<flow::IssuedTokens> answer);
  bool EndWithTicket(std::size_t begun, checker::Operation op,
                     const absl::StatusOr<std::string>& ticket);

  House& house_;
  checker::History& history_;
};

// Fails the test if the history breaks a promise, or if no order of the calls
// explains it. Writes it into a file whose name it tells.
void ExpectHonest(const checker::History& history,
                  const checker::Rules& rules = {});
// The names of the promises that the history breaks.
std::vector<std::string> BrokenBy(const checker::History& history,
                                  const checker::Rules& rules = {});

}  // namespace ostiary::testing

#endif  // OSTIARY_TESTS_FLOWS_RECORDER_H_

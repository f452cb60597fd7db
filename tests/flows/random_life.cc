#include "tests/flows/random_life.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace ostiary::testing {
namespace {

constexpr std::size_t kNewest = 5;

int Up(std::mt19937_64& chance, int below) {
  return static_cast<int>(chance() % static_cast<std::uint64_t>(below));
}

}  // namespace

RandomLife::RandomLife(Recorder& recorder, std::uint64_t seed,
                       std::string username)
    : recorder_(recorder), chance_(seed), person_(recorder.SignUp(username)) {
  share_.passwords.push_back(kPassword);
  Keep(recorder_.SignIn(person_));
  Keep(recorder_.SignIn(person_));
}

void RandomLife::Live(int clients, int calls) {
  std::vector<std::uint64_t> seeds;
  for (int i = 0; i < clients; ++i) seeds.push_back(chance_());
  AllAtOnce(clients, [&](int i) {
    std::mt19937_64 chance(seeds[static_cast<std::size_t>(i)]);
    for (int k = 0; k < calls; ++k) DoSomething(chance);
  });
}

void RandomLife::Probe() {
  // A copy: what the probes are given is not probed.
  const Share share = share_;
  for (const flow::IssuedTokens& tokens : share.tokens)
    recorder_.Verify(person_, tokens);
  for (const std::string& password : share.passwords)
    recorder_.SignIn(person_, password);
  for (const flow::IssuedTokens& tokens : share.tokens)
    recorder_.Refresh(person_, tokens);
  for (const flow::IssuedTokens& tokens : share.tokens)
    recorder_.Verify(person_, tokens);
}

void RandomLife::Keep(const Recorder::Answer& answer) {
  if (!answer.has_value()) return;
  const std::lock_guard<std::mutex> lock(mutex_);
  share_.tokens.push_back(*answer);
}

flow::IssuedTokens RandomLife::Pick(std::mt19937_64& chance) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const std::size_t count = share_.tokens.size();
  const std::size_t among =
      Up(chance, 8) == 0 ? count : std::min(count, kNewest);
  return share_.tokens[count - 1 - chance() % among];
}

std::string RandomLife::PickPassword(std::mt19937_64& chance) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const std::size_t count = share_.passwords.size();
  return share_
      .passwords[count - 1 - chance() % std::min<std::size_t>(count, 2)];
}

void RandomLife::ChangeOwnPassword(const flow::IssuedTokens& tokens,
                                   std::mt19937_64& chance) {
  const std::string current = PickPassword(chance);
  std::string wanted = kNewPassword;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    absl::StrAppend(&wanted, " ", ++passwords_made_);
    // Before it is known whether it is one: others may use it at once.
    share_.passwords.push_back(wanted);
  }
  recorder_.ChangePassword(person_, tokens, current, wanted);
}

void RandomLife::DoSomething(std::mt19937_64& chance) {
  const flow::IssuedTokens tokens = Pick(chance);
  switch (Up(chance, 40)) {
    case 0:
    case 1:
    case 2:
      return Keep(recorder_.SignIn(person_, PickPassword(chance)));
    case 3:
    case 4:
      return ChangeOwnPassword(tokens, chance);
    case 5:
    case 6:
      recorder_.RevokeToken(person_, tokens);
      return;
    case 7:
      recorder_.RevokeSession(person_, tokens);
      return;
    case 8:
      recorder_.SignOut(person_, tokens);
      return;
    case 9:
      if (Up(chance, 3) == 0) recorder_.RevokeAll(person_);
      return;
    case 10:
      if (Up(chance, 3) != 0) return;
      recorder_.Disable(person_);
      recorder_.Verify(person_, tokens);
      recorder_.Enable(person_);
      return;
    case 11:
    case 12:
      // Mostly within the window of an honest repeat.
      recorder_.house().clock.Advance(
          Up(chance, 5) == 0 ? absl::Seconds(10)
                             : absl::Milliseconds(Up(chance, 4000)));
      return;
    case 13:
      return Keep(recorder_.Refresh(
          person_, tokens,
          absl::StrCat("request-id-", 100000 + Up(chance, 3))));
    default:
      break;
  }
  if (Up(chance, 5) < 2) {
    recorder_.Verify(person_, tokens);
  } else {
    Keep(recorder_.Refresh(person_, tokens));
  }
}

}  // namespace ostiary::testing

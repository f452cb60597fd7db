#include <memory>
#include <mutex>
#include <random>
#include <set>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/flows/faulty_recorders.h"
#include "tests/support/trials.h"

// One refresh token, presented 64 times in parallel, with something that ends
// the session in the middle of it (issue 5, item 7).
namespace ostiary::testing {
namespace {

using ::testing::Le;

constexpr int kPresentations = 64;
constexpr int kAtOnce = 10;  // sessions under a storm, each on its own

enum class Meanwhile {
  kNothing,
  kRevokeSession,
  kSignOut,
  kRevokeAll,
  kChangePassword,
  kSetPassword,
  kDisable,
};

template <typename Recording>
class Storm {
 public:
  Storm(House& house, const std::string& username)
      : recorder_(house, history_), person_(recorder_.SignUp(username)) {
    if (const auto tokens = recorder_.SignIn(person_)) tokens_ = *tokens;
  }

  void Break(Meanwhile meanwhile, std::uint64_t seed) {
    std::mt19937_64 chance(seed);
    // Not at the very end: then it would come after all of them.
    const int when = static_cast<int>(chance() % (kPresentations / 2));
    AllAtOnce(kPresentations + 1, [&](int i) {
      if (i == when) return Happen(meanwhile);
      const auto answer = recorder_.Refresh(person_, tokens_);
      if (!answer.has_value()) return;
      recorder_.Verify(person_, *answer);
      const std::lock_guard<std::mutex> lock(mutex_);
      answers_.push_back(*answer);
    });
  }

  // Whatever came of it, asked about once more.
  void Probe() {
    recorder_.Verify(person_, tokens_);
    for (const flow::IssuedTokens& tokens : answers_)
      recorder_.Verify(person_, tokens);
    if (!answers_.empty()) recorder_.Refresh(person_, answers_.front());
    recorder_.Refresh(person_, tokens_);
    for (const flow::IssuedTokens& tokens : answers_)
      recorder_.Verify(person_, tokens);
    recorder_.SignIn(person_);
    recorder_.SignIn(person_, kNewPassword);
  }

  std::size_t successors() const {
    std::set<std::string> texts;
    for (const flow::IssuedTokens& tokens : answers_)
      texts.insert(tokens.refresh_token);
    return texts.size();
  }
  const checker::History& history() const { return history_; }

 private:
  void Happen(Meanwhile meanwhile) {
    switch (meanwhile) {
      case Meanwhile::kNothing:
        return;
      case Meanwhile::kRevokeSession:
        recorder_.RevokeSession(person_, tokens_);
        return;
      case Meanwhile::kSignOut:
        recorder_.SignOut(person_, tokens_);
        return;
      case Meanwhile::kRevokeAll:
        recorder_.RevokeAll(person_);
        return;
      case Meanwhile::kChangePassword:
        recorder_.ChangePassword(person_, tokens_, kPassword, kNewPassword);
        return;
      case Meanwhile::kSetPassword:
        recorder_.SetPassword(person_, kNewPassword);
        return;
      case Meanwhile::kDisable:
        recorder_.Disable(person_);
        return;
    }
  }

  checker::History history_;
  Recording recorder_;
  const Person person_;
  flow::IssuedTokens tokens_;
  std::mutex mutex_;
  std::vector<flow::IssuedTokens> answers_;  // guarded by mutex_ in Break
};

class Storms : public ::testing::TestWithParam<Meanwhile> {};

TEST_P(Storms, OfOneTokenLeaveOneSuccessorOrNone) {
  Trials trials(Few(50));
  for (bool more = true; more;) {
    std::vector<std::uint64_t> seeds;
    while (seeds.size() < kAtOnce && (more = trials.Next()))
      seeds.push_back(trials.seed());
    if (seeds.empty()) break;
    House house(Patient());
    std::vector<std::unique_ptr<Storm<Recorder>>> storms(seeds.size());
    AllAtOnce(static_cast<int>(seeds.size()), [&](int at) {
      const auto i = static_cast<std::size_t>(at);
      storms[i] =
          std::make_unique<Storm<Recorder>>(house, "ada" + std::to_string(i));
      storms[i]->Break(GetParam(), seeds[i]);
      storms[i]->Probe();
    });
    for (std::size_t i = 0; i < seeds.size(); ++i) {
      SCOPED_TRACE(::testing::Message() << "OSTIARY_SEED=" << seeds[i]);
      EXPECT_THAT(storms[i]->successors(), Le(1u));
      ExpectHonest(storms[i]->history());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Meanwhile, Storms,
    ::testing::Values(Meanwhile::kNothing, Meanwhile::kRevokeSession,
                      Meanwhile::kSignOut, Meanwhile::kRevokeAll,
                      Meanwhile::kChangePassword, Meanwhile::kSetPassword,
                      Meanwhile::kDisable));

template <typename Faulty>
bool IsNoticed(Meanwhile meanwhile) {
  House house(Patient());
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    Storm<Faulty> storm(house, "ada" + std::to_string(seed));
    storm.Break(meanwhile, seed);
    storm.Probe();
    if (!BrokenBy(storm.history()).empty()) return true;
  }
  return false;
}

TEST(StormsOfAFaultyHouse, RevocationThatIsForgottenIsNoticed) {
  EXPECT_TRUE(IsNoticed<ForgetsRevocations>(Meanwhile::kRevokeSession));
}

TEST(StormsOfAFaultyHouse, VerdictThatIsRememberedIsNoticed) {
  EXPECT_TRUE(IsNoticed<HoldsVerdicts>(Meanwhile::kDisable));
}

}  // namespace
}  // namespace ostiary::testing

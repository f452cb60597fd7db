#include <memory>
#include <mutex>
#include <random>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/flows/faulty_recorders.h"
#include "tests/support/trials.h"

// A revocation races with refresh, sign-in and verify: once it is answered,
// nothing minted lives (issue 5, item 8).
namespace ostiary::testing {
namespace {

// A batch: so many people race at the same time, so often each.
constexpr int kPeople = 20;
constexpr int kRacesEach = 10;
constexpr int kRunners = 4;

// One account in its races.
template <typename Recording>
class Racer {
 public:
  Racer(House& house, std::uint64_t seed, const std::string& username)
      : recorder_(house, history_),
        chance_(seed),
        person_(recorder_.SignUp(username)) {}

  void Race() {
    const auto signed_in = recorder_.SignIn(person_);
    if (!signed_in.has_value()) return;
    const flow::IssuedTokens& tokens = *signed_in;
    const std::uint64_t how = chance_();
    const std::uint64_t rival = chance_();
    const int revoker = static_cast<int>(chance_() % kRunners);
    std::vector<flow::IssuedTokens> given = {tokens};
    std::mutex mutex;
    AllAtOnce(kRunners, [&](int i) {
      if (i == revoker) return Revoke(how, tokens);
      const auto answer = Rival((rival >> i) % 3, tokens);
      if (!answer.has_value()) return;
      recorder_.Verify(person_, *answer);
      const std::lock_guard<std::mutex> lock(mutex);
      given.push_back(*answer);
    });
    for (const flow::IssuedTokens& each : given)
      recorder_.Verify(person_, each);
    recorder_.Refresh(person_, given.back());
    given_.insert(given_.end(), given.begin(), given.end());
  }

  // For ever, and on every path.
  void Probe() {
    for (const flow::IssuedTokens& tokens : given_)
      recorder_.Verify(person_, tokens);
    for (const flow::IssuedTokens& tokens : given_)
      recorder_.Refresh(person_, tokens);
  }

  Recording& recorder() { return recorder_; }
  const checker::History& history() const { return history_; }

 private:
  void Revoke(std::uint64_t how, const flow::IssuedTokens& tokens) {
    switch (how % 4) {
      case 0:
        recorder_.RevokeSession(person_, tokens);
        return;
      case 1:
        recorder_.RevokeAll(person_);
        return;
      case 2:
        recorder_.RevokeToken(person_, tokens);
        return;
      default:
        recorder_.SignOut(person_, tokens);
    }
  }

  Recorder::Answer Rival(std::uint64_t which,
                         const flow::IssuedTokens& tokens) {
    if (which == 0) return recorder_.Refresh(person_, tokens);
    if (which == 1) return recorder_.SignIn(person_);
    for (int i = 0; i < 3; ++i) recorder_.Verify(person_, tokens);
    return std::nullopt;
  }

  checker::History history_;
  Recording recorder_;
  std::mt19937_64 chance_;
  const Person person_;
  std::vector<flow::IssuedTokens> given_;
};

template <typename Recording>
using Racers = std::vector<std::unique_ptr<Racer<Recording>>>;

template <typename Recording>
Racers<Recording> RunBatch(House& house, std::uint64_t seed, int races) {
  Racers<Recording> racers(kPeople);
  const auto each = [&](auto act) {
    AllAtOnce(kPeople,
              [&](int i) { act(racers[static_cast<std::size_t>(i)], i); });
  };
  each([&](auto& racer, int i) {
    racer = std::make_unique<Racer<Recording>>(
        house, seed + static_cast<std::uint64_t>(i), "ada" + std::to_string(i));
    for (int k = 0; k < races; ++k) racer->Race();
  });
  std::vector<std::size_t> begun;
  for (auto& racer : racers) begun.push_back(racer->recorder().BeginRestart());
  house.Restart(absl::Seconds(1));
  for (std::size_t i = 0; i < racers.size(); ++i)
    racers[i]->recorder().EndRestart(begun[i]);
  each([](auto& racer, int) { racer->Probe(); });
  return racers;
}

TEST(RevocationRaces, NothingMintedLivesAfterTheAnswer) {
  Trials batches(Few(10));
  while (batches.Next()) {
    House house(Patient());
    for (const auto& racer :
         RunBatch<Recorder>(house, batches.seed(), kRacesEach)) {
      ExpectHonest(racer->history());
    }
  }
}

template <typename Faulty>
bool IsNoticed() {
  House house(Patient());
  for (const auto& racer : RunBatch<Faulty>(house, 1, 2)) {
    if (!BrokenBy(racer->history()).empty()) return true;
  }
  return false;
}

TEST(RevocationRaces, OfAHouseThatForgetsThemAreNoticed) {
  EXPECT_TRUE(IsNoticed<ForgetsRevocations>());
}

TEST(RevocationRaces, OfAHouseThatHoldsVerdictsAreNoticed) {
  EXPECT_TRUE(IsNoticed<HoldsVerdicts>());
}

// Answers before it has acted: what was minted in between lives on for a while.
class AnswersTooSoon : public Recorder {
 public:
  using Recorder::Recorder;
  ~AnswersTooSoon() override {
    for (std::thread& late : late_) late.join();
  }

 protected:
  absl::StatusOr<std::string> AskRevokeSession(
      const std::string& session_id) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    late_.emplace_back([this, session_id] {
      EXPECT_TRUE(Recorder::AskRevokeSession(session_id).ok());
    });
    return std::string();
  }

 private:
  std::mutex mutex_;
  std::vector<std::thread> late_;
};

TEST(RevocationRaces, OfAHouseThatAnswersTooSoonAreNoticed) {
  bool noticed = false;
  for (std::uint64_t seed = 1; seed <= 10 && !noticed; ++seed) {
    House house(Patient());
    std::vector<std::unique_ptr<Racer<AnswersTooSoon>>> racers;
    for (int i = 0; i < kPeople; ++i) {
      racers.push_back(std::make_unique<Racer<AnswersTooSoon>>(
          house, seed + static_cast<std::uint64_t>(i),
          "ada" + std::to_string(i)));
      racers.back()->Race();
      noticed = noticed || !BrokenBy(racers.back()->history()).empty();
      if (noticed) break;
    }
  }
  EXPECT_TRUE(noticed);
}

}  // namespace
}  // namespace ostiary::testing

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/flows/faulty_recorders.h"
#include "tests/flows/random_life.h"
#include "tests/support/trials.h"

// Everything at once, and whatever was said must have an order and break no
// promise (issue 5, item 9).
namespace ostiary::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int kClients = 4;
constexpr int kCalls = 9;
// So many accounts live side by side in a house, each with a history of its
// own.
constexpr int kNeighbours = 25;
constexpr auto kDown = absl::Seconds(30);

// One account and what was written down about it.
struct Neighbour {
  Neighbour(House& house, std::uint64_t its_seed, int number)
      : seed(its_seed),
        recorder(house, history),
        life(recorder, its_seed, "ada" + std::to_string(number)) {}

  const std::uint64_t seed;
  checker::History history;
  Recorder recorder;
  RandomLife life;
};

class Neighbourhood {
 public:
  explicit Neighbourhood(const std::vector<std::uint64_t>& seeds)
      : house_(Patient()), neighbours_(seeds.size()) {
    Each([&](std::size_t i) {
      neighbours_[i] =
          std::make_unique<Neighbour>(house_, seeds[i], static_cast<int>(i));
    });
  }

  void Live() {
    Each([&](std::size_t i) { neighbours_[i]->life.Live(kClients, kCalls); });
  }
  void Restart() {
    std::vector<std::size_t> begun;
    for (auto& neighbour : neighbours_)
      begun.push_back(neighbour->recorder.BeginRestart());
    house_.Restart(kDown);
    for (std::size_t i = 0; i < neighbours_.size(); ++i)
      neighbours_[i]->recorder.EndRestart(begun[i]);
  }
  void Judge() {
    Each([&](std::size_t i) { neighbours_[i]->life.Probe(); });
    for (auto& neighbour : neighbours_) {
      SCOPED_TRACE(::testing::Message() << "OSTIARY_SEED=" << neighbour->seed);
      ExpectHonest(neighbour->history);
    }
  }

 private:
  void Each(const std::function<void(std::size_t)>& act) {
    AllAtOnce(static_cast<int>(neighbours_.size()),
              [&](int i) { act(static_cast<std::size_t>(i)); });
  }

  House house_;
  std::vector<std::unique_ptr<Neighbour>> neighbours_;
};

TEST(Histories, OfMixedCallsAreLinearizableAndBreakNoPromise) {
  Trials trials(Few(200));
  bool more = true;
  for (int round = 0; more; ++round) {
    std::vector<std::uint64_t> seeds;
    while (seeds.size() < kNeighbours && (more = trials.Next()))
      seeds.push_back(trials.seed());
    if (seeds.empty()) break;
    Neighbourhood neighbourhood(seeds);
    neighbourhood.Live();
    if (round % 2 == 0) {
      neighbourhood.Restart();
      neighbourhood.Live();
    }
    neighbourhood.Judge();
  }
}

TEST(Histories, OfManyAccountsAgreeWithTheLedgerAndTheAuditLog) {
  Trials trials(3);
  while (trials.Next()) {
    House house(Patient());
    checker::History history;
    Recorder recorder(house, history);
    std::vector<std::unique_ptr<RandomLife>> lives;
    for (int i = 0; i < 3; ++i) {
      lives.push_back(std::make_unique<RandomLife>(
          recorder, trials.seed() + static_cast<std::uint64_t>(i),
          "ada" + std::to_string(i)));
    }
    AllAtOnce(
        3, [&](int i) { lives[static_cast<std::size_t>(i)]->Live(2, kCalls); });
    recorder.Restart(absl::Seconds(5));
    for (const auto& life : lives) life->Probe();
    recorder.ReadRecords();
    ExpectHonest(history);
  }
}

// --- That it would have been noticed.

template <typename Faulty>
bool IsNoticed(const HouseOptions& options = Patient()) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    House house(options);
    checker::History history;
    Faulty recorder(house, history);
    RandomLife life(recorder, seed, "ada");
    life.Live(kClients, kCalls);
    life.Probe();
    if (!BrokenBy(history).empty()) return true;
  }
  return false;
}

TEST(Histories, OfACacheThatHoldsVerdictsAreNoticed) {
  EXPECT_TRUE(IsNoticed<HoldsVerdicts>());
}

TEST(Histories, OfAHouseThatForgetsRevocationsAreNoticed) {
  EXPECT_TRUE(IsNoticed<ForgetsRevocations>());
}

TEST(Histories, OfARefreshWithoutCompareAndSetAreNoticed) {
  EXPECT_TRUE(IsNoticed<LosesUpdates>());
}

TEST(Histories, OfAWindowThatIsTooWideAreNoticed) {
  HouseOptions options = Patient();
  options.rotation.retry_window = absl::Hours(1);
  House house(options);
  checker::History history;
  Recorder recorder(house, history);
  const Person ada = recorder.SignUp("ada");
  const auto tokens = recorder.SignIn(ada);
  ASSERT_TRUE(tokens.has_value());
  recorder.Refresh(ada, *tokens);
  recorder.Refresh(ada, *tokens);
  EXPECT_THAT(BrokenBy(history), IsEmpty());
  house.clock.Advance(absl::Seconds(10));
  recorder.Refresh(ada, *tokens);
  EXPECT_THAT(BrokenBy(history), ElementsAre("linearizable", "retry_window"));
}

TEST(Histories, OfNoWindowAtAllAreNoticed) {
  HouseOptions options = Patient();
  options.rotation.retry_window = absl::ZeroDuration();
  EXPECT_TRUE(IsNoticed<Recorder>(options));
}

}  // namespace
}  // namespace ostiary::testing

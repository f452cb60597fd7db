#include <random>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/flows/machine.h"
#include "tests/support/status_matchers.h"
#include "tests/support/trials.h"

// Somebody sets the clock: nothing expired or revoked comes back, and no window
// gets longer (issue 5, item 6).
namespace ostiary::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr auto kAccess = absl::Minutes(15);
constexpr auto kIdle = absl::Hours(1);
constexpr auto kAbsolute = absl::Hours(3);
constexpr auto kRetryWindow = absl::Seconds(10);
constexpr auto kDay = absl::Hours(24);
constexpr auto kYear = absl::Hours(365 * 24);

HouseOptions ShortLived() {
  HouseOptions options;
  options.lifetimes = {kAccess, kIdle, kAbsolute};
  options.rotation.retry_window = kRetryWindow;
  return options;
}

// The longest that so much time of the server may take: nine tenths of the pace
// while the wall clock is behind, and a second because tokens count in those.
absl::Duration AtMost(absl::Duration window) {
  return window * 10 / 9 + absl::Seconds(1);
}

// People with tokens that have ended in every way there is, and some that have
// not yet. What ought not to be is written down.
class World {
 public:
  explicit World(Sense sense) : machine(ShortLived(), sense) {
    for (const char* name : {"ada", "bob", "eve", "mallory"})
      house().SignUp(name);
    Have("expired", house().SignIn("ada"));
    machine.Pass(kIdle + absl::Seconds(1));
    const flow::IssuedTokens session = house().SignIn("ada");
    EXPECT_OK(house()->manage_sessions.Revoke(
        House::Operator(), session.session_id.ToString(), ""));
    Have("ended", session);
    const flow::IssuedTokens out = house().SignIn("ada");
    EXPECT_OK(house()->sign_out.Run(House::Anyone(), out.refresh_token));
    Have("signed out", out);
    const flow::IssuedTokens stolen = house().SignIn("ada");
    house().Refresh(house().Refresh(stolen.refresh_token).refresh_token);
    EXPECT_FALSE(house().TryRefresh(stolen.refresh_token).ok());
    Have("stolen", stolen);
    const flow::IssuedTokens changed = house().SignIn("bob");
    Have("other than the one that changed the password", house().SignIn("bob"));
    EXPECT_OK(house().ChangePassword(changed, kPassword, kNewPassword));
    const flow::IssuedTokens everywhere = house().SignIn("eve");
    EXPECT_OK(house()->manage_sessions.RevokeAll(House::Operator(),
                                                 IdOf(everywhere), ""));
    Have("signed out everywhere", everywhere);
    const flow::IssuedTokens disabled = house().SignIn("mallory");
    EXPECT_OK(house()->accounts.Disable(House::Operator(), IdOf(disabled), ""));
    Have("disabled", disabled);
    revoked_ = house().SignIn("ada");
    EXPECT_OK(
        house()->revoke.Token(House::Anyone(), revoked_.access_token, ""));
  }

  // Begins every window now.
  void OpenWindows() {
    presented_ = house().SignIn("ada");
    successor_ = house().Refresh(presented_.refresh_token);
    idle_ = house().SignIn("ada");
    EXPECT_EQ(house().Verdict(successor_.access_token), "");
    LookForTheDead("before anything was done");
  }

  // After so much real time each window must be over.
  void WaitForTheEnd() {
    LookForTheDead("right after it");
    machine.Pass(AtMost(kRetryWindow));
    if (house().TryRefresh(presented_.refresh_token).ok())
      Surprised("the window for an honest repeat is longer");
    machine.Pass(AtMost(kAccess) - AtMost(kRetryWindow));
    if (house().Verdict(successor_.access_token).empty())
      Surprised("an access token lives longer");
    LookForTheDead("when access tokens had expired");
    machine.Pass(AtMost(kIdle) - AtMost(kAccess));
    if (house().TryRefresh(idle_.refresh_token).ok())
      Surprised("a session lives longer without being used");
    LookForTheDead("at the end");
    if (!house().TrySignIn("ada").ok()) Surprised("nobody can sign in");
  }

  const std::vector<std::string>& surprises() const { return surprises_; }
  House& house() { return machine.house; }

  Machine machine;

 private:
  struct Dead {
    std::string how;
    flow::IssuedTokens tokens;
  };

  void Have(const std::string& how, const flow::IssuedTokens& tokens) {
    dead_.push_back({how, tokens});
  }
  void Surprised(const std::string& what) { surprises_.push_back(what); }
  std::string IdOf(const flow::IssuedTokens& tokens) {
    return house().As(tokens).account_id->ToString();
  }

  void LookForTheDead(const std::string& when) {
    for (const Dead& dead : dead_) {
      if (house().Verdict(dead.tokens.access_token).empty())
        Surprised("an access token came back " + when + ": " + dead.how);
      if (house().TryRefresh(dead.tokens.refresh_token).ok())
        Surprised("a session came back " + when + ": " + dead.how);
    }
    if (house().Verdict(revoked_.access_token).empty())
      Surprised("a revoked token came back " + when);
    if (house().TrySignIn("mallory").ok())
      Surprised("a disabled account came back " + when);
    if (house().TrySignIn("bob").ok())
      Surprised("an old password came back " + when);
  }

  std::vector<Dead> dead_;
  flow::IssuedTokens revoked_, presented_, successor_, idle_;
  std::vector<std::string> surprises_;
};

// --- What is done to the clock.

using Chance = std::mt19937_64;

// Between half of it and all of it.
absl::Duration Around(Chance& chance, absl::Duration most) {
  return most * (0.5 + static_cast<double>(chance() % 1000) / 2000);
}

struct Scenario {
  const char* name;
  void (*act)(Machine&, Chance&);
};

void SetBack(Machine& machine, Chance& chance, absl::Duration most) {
  machine.clock.Set(-Around(chance, most));
}

void ExpectRefused(const absl::Status& start) {
  EXPECT_THAT(start, HasCode(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(start.ToString(), HasSubstr("clock"));
}

const Scenario kScenarios[] = {
    {"ASecondBack",
     [](Machine& m, Chance& c) { SetBack(m, c, absl::Seconds(1)); }},
    {"AnHourBack",
     [](Machine& m, Chance& c) { SetBack(m, c, absl::Hours(1)); }},
    {"ADayBack", [](Machine& m, Chance& c) { SetBack(m, c, kDay); }},
    {"YearsForward",
     [](Machine& m, Chance& c) { m.clock.Set(Around(c, 20 * kYear)); }},
    {"YearsForwardAndBackAgain",
     [](Machine& m, Chance& c) {
       const absl::Duration far = Around(c, 20 * kYear);
       m.clock.Set(far);
       m.Pass(absl::Seconds(1));
       m.clock.Set(-far);
     }},
    {"Frozen", [](Machine& m, Chance&) { m.clock.Freeze(); }},
    {"FrozenAndLate",
     [](Machine& m, Chance& c) {
       m.clock.Freeze();
       m.Pass(Around(c, absl::Seconds(5)));
       m.clock.Thaw();
     }},
    {"ASecondBackEachSecond",
     [](Machine& m, Chance& c) {
       for (int i = 0; i < 8; ++i) {
         m.clock.Pass(absl::Seconds(1));
         SetBack(m, c, absl::Seconds(2));
       }
     }},
    {"BackAndForthAtRandom",
     [](Machine& m, Chance& c) {
       for (int i = 0; i < 20; ++i) {
         m.clock.Pass(Around(c, absl::Milliseconds(300)));
         m.clock.Set(Around(c, absl::Minutes(90)) - absl::Hours(1));
       }
     }},
    {"HalfAMinuteBackDuringARestart",
     [](Machine& m, Chance& c) {
       EXPECT_OK(m.Restart([&] { SetBack(m, c, absl::Seconds(50)); }));
     }},
    {"ADayBackDuringARestart",
     [](Machine& m, Chance& c) {
       const absl::Duration far = Around(c, kDay);
       ExpectRefused(m.Restart([&] { m.clock.Set(-far); }));
       // The operator sets it right.
       EXPECT_OK(m.Restart([&] { m.clock.Set(far); }));
     }},
    {"YearsForwardDuringARestartAndBackDuringTheNext",
     [](Machine& m, Chance& c) {
       const absl::Duration far = Around(c, 20 * kYear);
       EXPECT_OK(m.Restart([&] { m.clock.Set(far); }));
       m.Pass(absl::Seconds(1));
       ExpectRefused(m.Restart([&] { m.clock.Set(-far); }));
       // Who insists finds time where it was.
       EXPECT_GE(m.house->clock.Now(), m.clock.wall() + far / 2);
     }},
};

std::vector<std::string> SurprisesOf(const Scenario& scenario, Sense sense,
                                     std::uint64_t seed) {
  Chance chance(seed);
  World world(sense);
  world.OpenWindows();
  scenario.act(world.machine, chance);
  world.WaitForTheEnd();
  return world.surprises();
}

class ClockScenarios : public ::testing::TestWithParam<Scenario> {};

TEST_P(ClockScenarios, BringNothingBackAndLengthenNoWindow) {
  Trials trials(1);
  while (trials.Next()) {
    EXPECT_THAT(SurprisesOf(GetParam(), Sense::kShipped, trials.seed()),
                IsEmpty());
  }
}

INSTANTIATE_TEST_SUITE_P(Twelve, ClockScenarios,
                         ::testing::ValuesIn(kScenarios),
                         [](const auto& which) { return which.param.name; });

TEST(ClockScenariosOfAFaultyHouse, ClockThatFollowsTheWallIsNoticed) {
  EXPECT_THAT(SurprisesOf(kScenarios[1], Sense::kFollowsWall, 1),
              Not(IsEmpty()));
}

TEST(ClockScenariosOfAFaultyHouse, ClockThatWaitsForTheWallIsNoticed) {
  EXPECT_THAT(SurprisesOf(kScenarios[1], Sense::kWaitsForWall, 1),
              Not(IsEmpty()));
}

TEST(ClockScenarios, RepeatIsHonouredRightAfterTheClockWasSetBack) {
  Machine machine;
  machine.house.SignUp("ada");
  const flow::IssuedTokens first = machine.house.SignIn("ada");
  const flow::IssuedTokens second = machine.house.Refresh(first.refresh_token);
  machine.clock.Set(-absl::Hours(1));
  machine.clock.Pass(absl::Seconds(1));
  EXPECT_EQ(machine.house.Refresh(first.refresh_token).refresh_token,
            second.refresh_token);
}

// --- Forgetting.

class Forgetting : public ::testing::TestWithParam<absl::Duration> {
 protected:
  // How many rows are left of one, when a leap was followed by more than the
  // time for which it is kept.
  std::size_t RowsLeft(absl::Duration leap, Sense sense = Sense::kShipped) {
    Machine machine(ShortLived(), sense);
    machine.house.SignUp("ada");
    const flow::IssuedTokens tokens = machine.house.SignIn("ada");
    EXPECT_OK(
        machine.house->revoke.Token(House::Anyone(), tokens.access_token, ""));
    machine.Pass(absl::Seconds(1));
    machine.clock.Set(leap);
    machine.Pass(absl::Hours(1));
    const std::size_t rows = machine.house.Ledger().size();
    EXPECT_EQ(machine.house->aftermath->revocations.size(), rows);
    return rows;
  }
};

TEST_P(Forgetting, StopsAfterALeapOfMoreThanAMinute) {
  EXPECT_EQ(RowsLeft(GetParam()), 1u);
}

INSTANTIATE_TEST_SUITE_P(Leaps, Forgetting,
                         ::testing::Values(absl::Seconds(61), kDay, kYear,
                                           -absl::Seconds(61), -kDay));

class ForgettingGoesOn : public Forgetting {};

TEST_P(ForgettingGoesOn, AfterALeapOfLessThanAMinute) {
  EXPECT_EQ(RowsLeft(GetParam()), 0u);
}

INSTANTIATE_TEST_SUITE_P(Leaps, ForgettingGoesOn,
                         ::testing::Values(absl::ZeroDuration(),
                                           absl::Seconds(59),
                                           -absl::Seconds(59)));

TEST_F(Forgetting, ByAClockThatDoesNotTellOfLeapsIsNoticed) {
  EXPECT_EQ(RowsLeft(kDay, Sense::kForgetsLeaps), 0u);
}

TEST_F(Forgetting, DoesNotBeginAgainWhenTheClockIsSetRight) {
  Machine machine(ShortLived());
  machine.house.SignUp("ada");
  const flow::IssuedTokens tokens = machine.house.SignIn("ada");
  EXPECT_OK(
      machine.house->revoke.Token(House::Anyone(), tokens.access_token, ""));
  machine.clock.Set(kDay);
  machine.Pass(absl::Seconds(1));
  machine.clock.Set(-kDay);
  machine.Pass(absl::Hours(1));
  EXPECT_THAT(machine.house.Ledger(), SizeIs(1));
  // Only a start with a clock that is right does; this one is refused.
  ExpectRefused(machine.Restart([] {}));
}

}  // namespace
}  // namespace ostiary::testing

#include "server/session/rotation.h"

#include <limits>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace ostiary::session {
namespace {

constexpr absl::Duration kTick = absl::Nanoseconds(1);
const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

// A live session at generation 7, and what the tests change about the question.
struct Question {
  storage::SessionRow row = [] {
    storage::SessionRow live;
    live.client_id = "cli_default";
    live.opened_generation = 3;
    live.generation = 7;
    live.idle_expire_time = kNow + absl::Hours(1);
    live.expire_time = kNow + absl::Hours(2);
    return live;
  }();
  std::optional<AccountState> account = AccountState{3, false};
  Presentation presented{7, "", ""};
  RotationPolicy policy;
  absl::Time now = kNow;
  absl::Duration since_rotation = absl::Hours(1);

  Rotation Answer() const {
    return Decide(row, account, presented, policy, now, since_rotation);
  }
};

// --- The table of design.md 3, row by row.

TEST(RotationTable, CurrentGenerationRotates) {
  EXPECT_EQ(Question().Answer(), Rotation::kRotated);
}

TEST(RotationTable, CurrentGenerationRotatesHoweverLongItWaited) {
  Question question;
  question.since_rotation = absl::ZeroDuration();
  EXPECT_EQ(question.Answer(), Rotation::kRotated);
  question.since_rotation = absl::InfiniteDuration();
  EXPECT_EQ(question.Answer(), Rotation::kRotated);
}

TEST(RotationTable, PredecessorInsideTheWindowIsARetry) {
  Question question;
  question.presented.generation = 6;
  question.since_rotation = absl::ZeroDuration();
  EXPECT_EQ(question.Answer(), Rotation::kRetried);
}

TEST(RotationTable, PredecessorOutsideTheWindowIsTheft) {
  Question question;
  question.presented.generation = 6;
  EXPECT_EQ(question.Answer(), Rotation::kReused);
}

TEST(RotationTable, OlderThanThePredecessorIsTheftEvenAtOnce) {
  Question question;
  question.since_rotation = absl::ZeroDuration();
  for (const std::uint32_t generation : {0u, 1u, 5u}) {
    question.presented.generation = generation;
    EXPECT_EQ(question.Answer(), Rotation::kReused) << generation;
  }
}

TEST(RotationTable, NewerThanTheStoreKnowsIsARegression) {
  Question question;
  for (const std::uint32_t generation :
       {8u, 100u, std::numeric_limits<std::uint32_t>::max()}) {
    question.presented.generation = generation;
    EXPECT_EQ(question.Answer(), Rotation::kRegressed) << generation;
  }
}

TEST(RotationTable, ExpiredIsRefused) {
  Question question;
  question.row.expire_time = kNow;
  EXPECT_EQ(question.Answer(), Rotation::kExpired);
}

TEST(RotationTable, RevokedIsRefused) {
  Question question;
  question.row.revoke_time = kNow - absl::Hours(1);
  EXPECT_EQ(question.Answer(), Rotation::kRevoked);
}

TEST(RotationTable, WrongClientIsRefused) {
  Question question;
  question.presented.client_id = "cli_other";
  EXPECT_EQ(question.Answer(), Rotation::kWrongClient);
  question.presented.client_id = "cli_default";
  EXPECT_EQ(question.Answer(), Rotation::kRotated);
}

TEST(RotationTable, OpenedBelowTheFloorIsRefused) {
  Question question;
  question.account->session_floor = 4;
  EXPECT_EQ(question.Answer(), Rotation::kBelowFloor);
}

// --- Boundaries.

TEST(RotationBoundary, RetryWindowIsHalfOpen) {
  Question question;
  question.presented.generation = 6;
  question.since_rotation = absl::Seconds(10) - kTick;
  EXPECT_EQ(question.Answer(), Rotation::kRetried);
  question.since_rotation = absl::Seconds(10);
  EXPECT_EQ(question.Answer(), Rotation::kReused);
}

TEST(RotationBoundary, WindowOfZeroIsRfc9700ToTheLetter) {
  Question question;
  question.policy.retry_window = absl::ZeroDuration();
  question.presented.generation = 6;
  question.since_rotation = absl::ZeroDuration();
  EXPECT_EQ(question.Answer(), Rotation::kReused);
}

TEST(RotationBoundary, IdleLifetimeEndsAtItsEnd) {
  Question question;
  question.row.idle_expire_time = kNow + kTick;
  EXPECT_EQ(question.Answer(), Rotation::kRotated);
  question.row.idle_expire_time = kNow;
  EXPECT_EQ(question.Answer(), Rotation::kIdleExpired);
}

TEST(RotationBoundary, AbsoluteLifetimeEndsAtItsEnd) {
  Question question;
  question.row.expire_time = kNow + kTick;
  EXPECT_EQ(question.Answer(), Rotation::kRotated);
  question.row.expire_time = kNow;
  EXPECT_EQ(question.Answer(), Rotation::kExpired);
}

TEST(RotationBoundary, OpenedAtTheFloorIsNotBelowIt) {
  Question question;
  question.row.opened_generation = 4;
  question.account->session_floor = 4;
  EXPECT_EQ(question.Answer(), Rotation::kRotated);
}

TEST(RotationBoundary, GenerationsAtTheEndOfTheirRangeDoNotWrap) {
  Question question;
  question.row.generation = std::numeric_limits<std::uint32_t>::max();
  question.presented.generation = 0;  // 0 - 1 would be the current one
  question.since_rotation = absl::ZeroDuration();
  EXPECT_EQ(question.Answer(), Rotation::kReused);
  question.row.generation = 1;
  question.presented.generation = std::numeric_limits<std::uint32_t>::max();
  EXPECT_EQ(question.Answer(), Rotation::kRegressed);
}

// --- The order of protocol.md 4: each reason hides all that come after it.

TEST(RotationOrder, EachRefusalComesBeforeTheNext) {
  struct Fault {
    Rotation rotation;
    void (*spoil)(Question&);
  };
  const std::vector<Fault> faults = {
      {Rotation::kWrongClient,
       [](Question& q) { q.presented.client_id = "cli_other"; }},
      {Rotation::kRevoked, [](Question& q) { q.row.revoke_time = kNow; }},
      {Rotation::kExpired, [](Question& q) { q.row.expire_time = kNow; }},
      {Rotation::kIdleExpired,
       [](Question& q) { q.row.idle_expire_time = kNow; }},
      {Rotation::kAccountDisabled,
       [](Question& q) { q.account->disabled = true; }},
      {Rotation::kBelowFloor,
       [](Question& q) { q.account->session_floor = 9; }},
      // Theft comes last: with an account disabled or a session revoked, an
      // old token changes nothing.
      {Rotation::kReused, [](Question& q) { q.presented.generation = 1; }},
  };
  for (std::size_t first = 0; first < faults.size(); ++first) {
    Question question;
    for (std::size_t i = first; i < faults.size(); ++i)
      faults[i].spoil(question);
    EXPECT_EQ(question.Answer(), faults[first].rotation)
        << RotationName(faults[first].rotation);
  }
}

TEST(RotationOrder, GoneAccountIsRefusedWithoutAStateChange) {
  Question question;
  question.account.reset();
  for (const std::uint32_t generation : {1u, 6u, 7u, 8u}) {
    question.presented.generation = generation;
    EXPECT_EQ(question.Answer(), Rotation::kAccountGone) << generation;
  }
}

TEST(RotationOrder, NoOldTokenChangesTheStateOfADisabledAccountsSession) {
  Question question;
  question.account->disabled = true;
  for (const std::uint32_t generation : {1u, 6u, 7u, 8u}) {
    question.presented.generation = generation;
    EXPECT_EQ(question.Answer(), Rotation::kAccountDisabled) << generation;
  }
}

// --- request_id.

Question WithRequestId(absl::Duration since_rotation) {
  Question question;
  question.row.request_id_hash = "hash of the first";
  question.presented.generation = 6;
  question.since_rotation = since_rotation;
  return question;
}

TEST(RequestId, SameOneIsHonouredLongAfterTheWindow) {
  Question question = WithRequestId(absl::Hours(24) - kTick);
  question.presented.request_id_hash = "hash of the first";
  EXPECT_EQ(question.Answer(), Rotation::kRetried);
}

TEST(RequestId, SameOneIsTheftAfter24Hours) {
  Question question = WithRequestId(absl::Hours(24));
  question.presented.request_id_hash = "hash of the first";
  EXPECT_EQ(question.Answer(), Rotation::kReused);
}

TEST(RequestId, AnotherOneInsideTheWindowIsInProgress) {
  Question question = WithRequestId(absl::Seconds(10) - kTick);
  question.presented.request_id_hash = "hash of another";
  EXPECT_EQ(question.Answer(), Rotation::kInProgress);
}

TEST(RequestId, NoneInsideTheWindowIsInProgress) {
  EXPECT_EQ(WithRequestId(absl::ZeroDuration()).Answer(),
            Rotation::kInProgress);
}

TEST(RequestId, AnotherOneOutsideTheWindowIsTheft) {
  Question question = WithRequestId(absl::Seconds(10));
  question.presented.request_id_hash = "hash of another";
  EXPECT_EQ(question.Answer(), Rotation::kReused);
  question.presented.request_id_hash = "";
  EXPECT_EQ(question.Answer(), Rotation::kReused);
}

TEST(RequestId, OnAPredecessorRotatedWithoutOneTheWindowRules) {
  Question question;
  question.presented = {6, "hash of the first", ""};
  question.since_rotation = absl::Seconds(10) - kTick;
  EXPECT_EQ(question.Answer(), Rotation::kRetried);
  question.since_rotation = absl::Seconds(10);
  EXPECT_EQ(question.Answer(), Rotation::kReused);
}

TEST(RequestId, IsOverOnceTheSuccessorWasPresented) {
  Question question = WithRequestId(absl::ZeroDuration());
  question.presented = {5, "hash of the first", ""};
  EXPECT_EQ(question.Answer(), Rotation::kReused);
}

TEST(RotationOutcome, OnlyThreeGiveTokens) {
  for (int i = 0; i <= static_cast<int>(Rotation::kAccountDisabled); ++i) {
    const auto rotation = static_cast<Rotation>(i);
    EXPECT_EQ(Succeeds(rotation), rotation == Rotation::kRotated ||
                                      rotation == Rotation::kRetried ||
                                      rotation == Rotation::kRegressed)
        << RotationName(rotation);
    EXPECT_NE(RotationName(rotation), "unknown");
  }
}

}  // namespace
}  // namespace ostiary::session

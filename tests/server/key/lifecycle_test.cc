#include "server/key/lifecycle.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/base/reason.h"
#include "server/key/schedule.h"
#include "tests/support/status_matchers.h"

namespace ostiary::key {
namespace {

using ::ostiary::testing::HasCode;
using ::ostiary::testing::IsOk;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Kind = Step::Kind;
using storage::KeyRow;

const absl::Time kStart = absl::FromUnixSeconds(1'700'000'000);
constexpr absl::Duration kDay = absl::Hours(24);

KeyRow Row(absl::string_view id, absl::string_view state,
           absl::Time create = kStart, absl::string_view algorithm = "ES256") {
  KeyRow row;
  row.key_id = std::string(id);
  row.state = std::string(state);
  row.algorithm = std::string(algorithm);
  row.create_time = create;
  if (state != kStatePrepared) row.activate_time = create;
  if (state == kStateRetired) row.retire_time = create;
  return row;
}

std::vector<Step> Due(const std::vector<KeyRow>& rows, absl::Time now,
                      absl::string_view algorithm = "ES256") {
  return DueSteps(rows, Schedule(), algorithm, now);
}

TEST(DueStepsTest, TheFirstKeySignsAtOnceAndTheNextIsPrepared) {
  EXPECT_THAT(Due({}, kStart),
              ElementsAre(Step{Kind::kPrepare, ""}, Step{Kind::kActivate, ""},
                          Step{Kind::kPrepare, ""}));
}

TEST(DueStepsTest, NothingIsDueInBetween) {
  EXPECT_THAT(Due({Row("a", kStateActive), Row("b", kStatePrepared)},
                  kStart + 90 * kDay - absl::Nanoseconds(1)),
              IsEmpty());
}

TEST(DueStepsTest, AfterTheRotationPeriodThePreparedKeyTakesOver) {
  EXPECT_THAT(Due({Row("a", kStateActive), Row("b", kStatePrepared)},
                  kStart + 90 * kDay),
              ElementsAre(Step{Kind::kRetire, "a"}, Step{Kind::kActivate, "b"},
                          Step{Kind::kPrepare, ""}));
}

TEST(DueStepsTest, AKeyNotPublishedForItsLeadDoesNotSignYet) {
  const absl::Time late = kStart + 89 * kDay;
  const std::vector<KeyRow> rows = {Row("a", kStateActive),
                                    Row("b", kStatePrepared, late)};
  EXPECT_THAT(Due(rows, late + 2 * kDay - absl::Nanoseconds(1)), IsEmpty());
  EXPECT_THAT(Due(rows, late + 2 * kDay),
              ElementsAre(Step{Kind::kRetire, "a"}, Step{Kind::kActivate, "b"},
                          Step{Kind::kPrepare, ""}));
}

TEST(DueStepsTest, AMissingPreparedKeyIsMade) {
  EXPECT_THAT(Due({Row("a", kStateActive)}, kStart),
              ElementsAre(Step{Kind::kPrepare, ""}));
}

TEST(DueStepsTest, ARetiredKeyGoesWhenItsLastTokenIsADayGone) {
  const std::vector<KeyRow> rows = {Row("old", kStateRetired),
                                    Row("a", kStateActive),
                                    Row("b", kStatePrepared)};
  EXPECT_THAT(Due(rows, kStart + absl::Hours(48) - absl::Nanoseconds(1)),
              IsEmpty());
  EXPECT_THAT(Due(rows, kStart + absl::Hours(48)),
              ElementsAre(Step{Kind::kDelete, "old"}));
}

TEST(DueStepsTest, ARevokedKeyStaysOnTheBooks) {
  EXPECT_THAT(Due({Row("bad", kStateRevoked), Row("a", kStateActive, kStart),
                   Row("b", kStatePrepared)},
                  kStart + 80 * kDay),
              IsEmpty());
}

TEST(DueStepsTest, WithoutAnActiveKeyThePreparedOneSignsWhateverItsAge) {
  EXPECT_THAT(
      Due({Row("bad", kStateRevoked), Row("b", kStatePrepared)}, kStart),
      ElementsAre(Step{Kind::kActivate, "b"}, Step{Kind::kPrepare, ""}));
}

TEST(DueStepsTest, ANewAlgorithmIsPublishedFirstAndSignsFromTheNextRotation) {
  std::vector<KeyRow> rows = {Row("a", kStateActive), Row("b", kStatePrepared)};
  EXPECT_THAT(Due(rows, kStart + kDay, "RS256"),
              ElementsAre(Step{Kind::kPrepare, ""}));
  rows.push_back(Row("r", kStatePrepared, kStart + kDay, "RS256"));
  EXPECT_THAT(Due(rows, kStart + 10 * kDay, "RS256"), IsEmpty());
  EXPECT_THAT(Due(rows, kStart + 90 * kDay, "RS256"),
              ElementsAre(Step{Kind::kRetire, "a"}, Step{Kind::kActivate, "r"},
                          Step{Kind::kPrepare, ""}));
}

TEST(DueStepsTest, APreparedKeyPassedOverByAnotherAlgorithmGoes) {
  KeyRow active = Row("r", kStateActive, kStart, "RS256");
  active.activate_time = kStart + 90 * kDay;
  EXPECT_THAT(
      Due({Row("b", kStatePrepared), active,
           Row("s", kStatePrepared, active.activate_time, "RS256"),
           Row("chosen", kStatePrepared, active.activate_time + kDay, "EdDSA")},
          kStart + 100 * kDay, "RS256"),
      ElementsAre(Step{Kind::kDelete, "b"}));
}

// Years of operation: what is done is done to rows as the store would.
class Simulation {
 public:
  void Apply(absl::Time now) {
    for (const Step& step : Due(rows_, now)) Do(step, now);
  }
  std::vector<KeyRow>& rows() { return rows_; }
  const std::vector<std::string>& signers() const { return signers_; }
  KeyRow& Find(absl::string_view id) {
    return *std::find_if(rows_.begin(), rows_.end(),
                         [&](const KeyRow& row) { return row.key_id == id; });
  }
  long Count(absl::string_view state) const {
    return std::count_if(rows_.begin(), rows_.end(),
                         [&](const KeyRow& row) { return row.state == state; });
  }

 private:
  void Do(const Step& step, absl::Time now) {
    switch (step.kind) {
      case Kind::kPrepare:
        rows_.push_back(Row(absl::StrCat("k", ++made_), kStatePrepared, now));
        return;
      case Kind::kActivate: {
        KeyRow& row =
            Find(step.key_id.empty() ? rows_.back().key_id : step.key_id);
        ASSERT_OK(MarkActive(row, now));
        if (!signers_.empty()) {
          EXPECT_GE(now, MaySignFrom(row, Schedule())) << row.key_id;
        }
        signers_.push_back(row.key_id);
        return;
      }
      case Kind::kRetire:
        ASSERT_OK(MarkRetired(Find(step.key_id), now));
        return;
      case Kind::kDelete:
        EXPECT_GE(now - Find(step.key_id).retire_time, absl::Hours(48));
        rows_.erase(rows_.begin() + (&Find(step.key_id) - rows_.data()));
        return;
    }
  }

  std::vector<KeyRow> rows_;
  std::vector<std::string> signers_;
  int made_ = 0;
};

TEST(ScheduleOverYearsTest, OneKeySignsOneIsPreparedAndNoneSignsUnpublished) {
  Simulation keys;
  for (absl::Time now = kStart; now < kStart + 730 * kDay;
       now += absl::Minutes(61)) {
    keys.Apply(now);
    ASSERT_EQ(keys.Count(kStateActive), 1) << now;
    ASSERT_EQ(keys.Count(kStatePrepared), 1) << now;
    ASSERT_LE(keys.Count(kStateRetired), 1) << now;
  }
  EXPECT_EQ(keys.signers().size(), 9u);  // the first and one every 90 days
}

TEST(ScheduleOverYearsTest, ALongSleepCatchesUpWithoutBreakingTheRules) {
  Simulation keys;
  keys.Apply(kStart);
  for (int year = 1; year <= 5; ++year) {
    const absl::Time now = kStart + year * 365 * kDay;
    keys.Apply(now);
    EXPECT_EQ(keys.Count(kStateActive), 1);
    EXPECT_EQ(keys.Count(kStatePrepared), 1);
    // The key just retired may have signed a moment ago.
    EXPECT_EQ(keys.Count(kStateRetired), 1);
    keys.Apply(now + absl::Hours(48));
    EXPECT_EQ(keys.Count(kStateRetired), 0);
  }
}

TEST(TransitionTest, OnlyTheDrawnArrowsExist) {
  using Mark = absl::Status (*)(KeyRow&, absl::Time);
  const std::map<std::string, Mark> marks = {{"active", MarkActive},
                                             {"retired", MarkRetired},
                                             {"revoked", MarkRevoked}};
  const std::vector<std::pair<std::string, std::string>> allowed = {
      {"prepared", "active"},  {"prepared", "retired"}, {"active", "retired"},
      {"prepared", "revoked"}, {"active", "revoked"},   {"retired", "revoked"}};
  for (const absl::string_view from :
       {kStatePrepared, kStateActive, kStateRetired, kStateRevoked}) {
    for (const auto& [to, mark] : marks) {
      const KeyRow before = Row("k", from);
      KeyRow row = before;
      const absl::Status status = mark(row, kStart + kDay);
      const bool legal =
          std::find(allowed.begin(), allowed.end(),
                    std::make_pair(std::string(from), to)) != allowed.end();
      EXPECT_EQ(status.ok(), legal) << from << " to " << to;
      if (legal) {
        EXPECT_EQ(row.state, to);
      } else {
        EXPECT_EQ(ReasonOf(status), Reason::kKeyStateConflict);
        EXPECT_EQ(row, before);
      }
    }
  }
}

TEST(ScheduleTest, TheDefaultBreaksNobody) {
  EXPECT_OK(ValidateSchedule(Schedule()));
  EXPECT_EQ(CacheControlOf(Schedule()), "public, max-age=3600");
}

struct BrokenSchedule {
  const char* option;
  Schedule schedule;
};

TEST(ScheduleTest, OneThatWouldBreakAConsumerIsRefusedByName) {
  std::vector<BrokenSchedule> broken;
  Schedule s;
  s.prepare_lead = absl::Hours(13) - absl::Seconds(1);  // .NET: 12 h + max-age
  broken.push_back({"--key-prepare-lead", s});
  s = Schedule();
  s.jwks_max_age = absl::Hours(37);
  broken.push_back({"--key-prepare-lead", s});
  s = Schedule();
  s.rotation_period = absl::Hours(47);
  broken.push_back({"--key-rotation-period", s});
  s = Schedule();
  s.retire_keep = absl::Hours(24);
  broken.push_back({"--key-retire-keep", s});
  s = Schedule();
  s.jwks_max_age = absl::ZeroDuration();
  broken.push_back({"--jwks-max-age", s});
  s = Schedule();
  s.rotation_period = absl::InfiniteDuration();
  broken.push_back({"--key-rotation-period", s});
  for (const BrokenSchedule& one : broken) {
    const absl::Status status = ValidateSchedule(one.schedule);
    EXPECT_THAT(status, HasCode(absl::StatusCode::kInvalidArgument));
    EXPECT_THAT(std::string(status.message()),
                ::testing::StartsWith(one.option));
    EXPECT_THAT(std::string(status.message()), HasSubstr("expected"));
  }
}

}  // namespace
}  // namespace ostiary::key

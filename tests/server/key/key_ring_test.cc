#include "server/key/key_ring.h"

#include <atomic>
#include <string>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/base/reason.h"
#include "tests/server/key/ring_fixture.h"

namespace ostiary::key {
namespace {

using ::ostiary::testing::HasCode;
using ::ostiary::testing::IsOk;
using ::ostiary::testing::ValueOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr absl::Duration kDay = absl::Hours(24);

class KeyRingTest : public ::ostiary::testing::RingFixture {};

TEST_F(KeyRingTest, ANewInstallationHasOneKeyThatSignsAndOnePrepared) {
  EXPECT_EQ(View()->Count(KeyState::kActive), 1);
  EXPECT_EQ(View()->Count(KeyState::kPrepared), 1);
  EXPECT_EQ(View()->active_since(), clock_.Now());
  EXPECT_EQ(View()->active().algorithm(), jwt::Algorithm::kEs256);
  EXPECT_THAT(AuditedActions(),
              ElementsAre("key.prepare", "key.activate", "key.prepare"));
}

TEST_F(KeyRingTest, ARestartChangesNothing) {
  const std::string active = ActiveId();
  const std::string jwks = View()->jwks_json();
  const auto before = store_.content();
  clock_.Advance(kDay);
  Restart();
  EXPECT_EQ(ActiveId(), active);
  EXPECT_EQ(View()->jwks_json(), jwks);
  EXPECT_EQ(store_.content().keys, before.keys);
  EXPECT_EQ(store_.content().audit, before.audit);
}

TEST_F(KeyRingTest, AnIdleTickDoesNotWrite) {
  const int writes = store_.writes();
  EXPECT_EQ(Pass(kDay), 0);
  EXPECT_EQ(store_.writes(), writes);
}

TEST_F(KeyRingTest, TheScheduleRotatesRetiresAndDeletes) {
  const std::string first = ActiveId();
  const std::string second = PreparedId();
  EXPECT_EQ(Pass(90 * kDay), 3);
  EXPECT_EQ(ActiveId(), second);
  EXPECT_THAT(IdsIn(KeyState::kRetired), ElementsAre(first));
  EXPECT_TRUE(Verifies(first));
  EXPECT_NE(PreparedId(), second);
  EXPECT_EQ(Pass(2 * kDay - absl::Seconds(1)), 0);
  EXPECT_TRUE(Verifies(first));
  EXPECT_EQ(Pass(absl::Seconds(1)), 1);
  EXPECT_FALSE(Verifies(first));
  EXPECT_EQ(View()->keys().size(), 2u);
}

TEST_F(KeyRingTest, ARetiredKeyVerifiesAfterARestartToo) {
  const std::string first = ActiveId();
  Pass(90 * kDay);
  Restart();
  EXPECT_TRUE(Verifies(first));
}

TEST_F(KeyRingTest, AnOldSnapshotGoesOnUnchanged) {
  const auto before = View();
  const std::string first = ActiveId();
  Pass(90 * kDay);
  EXPECT_EQ(before->active().key_id(), first);
  EXPECT_OK(before->active().Sign("still works"));
}

TEST_F(KeyRingTest, ActivatingBeforeTheLeadIsRefusedWithTheTimeItMay) {
  const std::string first = ActiveId();
  const std::string next = PreparedId();
  clock_.Advance(2 * kDay - absl::Seconds(1));
  const absl::Status early = Activate(next);
  EXPECT_EQ(ReasonOf(early), Reason::kKeyStateConflict);
  EXPECT_THAT(std::string(early.message()), HasSubstr("2023-11-16T22:13:20"));
  EXPECT_EQ(ActiveId(), first);
  clock_.Advance(absl::Seconds(1));
  EXPECT_OK(Activate(next));
  EXPECT_EQ(ActiveId(), next);
  EXPECT_THAT(IdsIn(KeyState::kRetired), ElementsAre(first));
  EXPECT_EQ(IdsIn(KeyState::kPrepared).size(), 1u);
}

TEST_F(KeyRingTest, AWaivedLeadActivatesAtOnce) {
  const std::string next = PreparedId();
  EXPECT_OK(Activate(next, Lead::kWaived));
  EXPECT_EQ(ActiveId(), next);
}

TEST_F(KeyRingTest, OnlyAPreparedKeyCanBeActivated) {
  const std::string first = ActiveId();
  EXPECT_EQ(ReasonOf(Activate(first)), Reason::kKeyStateConflict);
  Pass(90 * kDay);
  EXPECT_EQ(ReasonOf(Activate(first, Lead::kWaived)),
            Reason::kKeyStateConflict);
  ASSERT_OK(Revoke(first));
  EXPECT_EQ(ReasonOf(Activate(first, Lead::kWaived)),
            Reason::kKeyStateConflict);
}

TEST_F(KeyRingTest, TheActiveKeyCannotBeRetiredWithoutASuccessor) {
  const std::string first = ActiveId();
  EXPECT_EQ(ReasonOf(ring_->Retire(first, audit_)), Reason::kKeyStateConflict);
  EXPECT_EQ(ActiveId(), first);
}

TEST_F(KeyRingTest, RetiringThePreparedKeyPreparesAnother) {
  const std::string unwanted = PreparedId();
  ASSERT_OK(ring_->Retire(unwanted, audit_));
  EXPECT_NE(PreparedId(), unwanted);
  EXPECT_EQ(IdsIn(KeyState::kPrepared).size(), 1u);
  EXPECT_EQ(ReasonOf(ring_->Retire(unwanted, audit_)),
            Reason::kKeyStateConflict);
}

TEST_F(KeyRingTest, APreparedKeyOfAnotherAlgorithmIsPublishedBeside) {
  const std::string id =
      ValueOf(ring_->Prepare(jwt::Algorithm::kRs256, audit_));
  EXPECT_TRUE(Verifies(id));
  EXPECT_EQ(View()->Count(KeyState::kPrepared), 2);
  EXPECT_THAT(View()->algorithms(),
              ElementsAre(jwt::Algorithm::kEs256, jwt::Algorithm::kRs256));
  clock_.Advance(2 * kDay);
  ASSERT_OK(Activate(id));
  EXPECT_EQ(View()->active().algorithm(), jwt::Algorithm::kRs256);
}

TEST_F(KeyRingTest, ASecondPreparedKeyOfOneAlgorithmIsRefused) {
  EXPECT_EQ(ReasonOf(ring_->Prepare(jwt::Algorithm::kEs256, audit_).status()),
            Reason::kKeyStateConflict);
}

TEST_F(KeyRingTest, AnUnknownKeyIsNotFound) {
  const std::string unknown(43, 'A');
  EXPECT_EQ(ReasonOf(Activate(unknown)), Reason::kNotFound);
  EXPECT_EQ(ReasonOf(ring_->Retire(unknown, audit_)), Reason::kNotFound);
  EXPECT_EQ(ReasonOf(Revoke(unknown).status()), Reason::kNotFound);
}

TEST_F(KeyRingTest, ANewAlgorithmOptionTakesEffectAtTheNextRotation) {
  algorithm_ = jwt::Algorithm::kEdDsa;
  clock_.Advance(kDay);
  Restart();
  EXPECT_EQ(View()->active().algorithm(), jwt::Algorithm::kEs256);
  Pass(90 * kDay);
  EXPECT_EQ(View()->active().algorithm(), jwt::Algorithm::kEdDsa);
  Pass(3 * kDay);
  EXPECT_THAT(View()->algorithms(), ElementsAre(jwt::Algorithm::kEdDsa));
}

TEST_F(KeyRingTest, EveryChangeIsAuditedUnderItsCaller) {
  const std::string first = ActiveId();
  const std::string next = PreparedId();
  const std::size_t before = store_.content().audit.size();
  clock_.Advance(2 * kDay);
  ASSERT_OK(Activate(next));
  const auto audit = store_.content().audit;
  ASSERT_EQ(audit.size(), before + 3);
  EXPECT_EQ(audit[before].action, "key.retire");
  EXPECT_EQ(audit[before].detail, "{\"key_id\":\"" + first + "\"}");
  EXPECT_EQ(audit[before + 1].action, "key.activate");
  EXPECT_EQ(audit[before + 2].action, "key.prepare");
  for (std::size_t i = before; i < audit.size(); ++i) {
    EXPECT_EQ(audit[i].actor, "operator");
    EXPECT_EQ(audit[i].outcome, "ok");
    EXPECT_EQ(audit[i].time, clock_.Now());
  }
}

TEST_F(KeyRingTest, AFailedCommitPublishesNothing) {
  const std::string first = ActiveId();
  const std::string jwks = View()->jwks_json();
  store_.FailNextCommit(absl::UnavailableError("disk"));
  EXPECT_THAT(Activate(PreparedId(), Lead::kWaived),
              HasCode(absl::StatusCode::kUnavailable));
  EXPECT_EQ(ActiveId(), first);
  EXPECT_EQ(View()->jwks_json(), jwks);
}

TEST_F(KeyRingTest, ACommitOfUnknownFateIsFoundOutByTheNextTick) {
  const std::string first = ActiveId();
  const std::string next = PreparedId();
  store_.FailNextCommit(absl::UnknownError("disk"));
  EXPECT_THAT(Activate(next, Lead::kWaived),
              HasCode(absl::StatusCode::kUnknown));
  EXPECT_EQ(ActiveId(), first);
  Pass(absl::Minutes(1));
  EXPECT_EQ(ActiveId(), next);
  // No key made for the first attempt is used a second time.
  EXPECT_OK(Activate(PreparedId(), Lead::kWaived));
}

TEST_F(KeyRingTest, AnAlteredRowStopsTheStartAndIsNamed) {
  auto content = store_.content();
  content.keys[1].sealed[40] ^= 1;
  store_.Restore(content);
  const auto ring = TryLoad();
  EXPECT_THAT(ring, HasCode(absl::StatusCode::kDataLoss));
  EXPECT_THAT(std::string(ring.status().message()),
              HasSubstr(content.keys[1].key_id));
}

TEST_F(KeyRingTest, ADatabaseWriterCannotBringARetiredKeyBackToSign) {
  const std::string first = ActiveId();
  Pass(90 * kDay);
  auto content = store_.content();
  for (auto& row : content.keys) {
    if (row.state == kStateActive) row.state = std::string(kStateRetired);
    if (row.key_id == first) row.state = std::string(kStateActive);
  }
  store_.Restore(content);
  EXPECT_THAT(TryLoad(), HasCode(absl::StatusCode::kDataLoss));
}

TEST_F(KeyRingTest, ABrokenScheduleIsRefused) {
  KeyRingOptions options = Options();
  options.schedule.prepare_lead = absl::Hours(1);
  const auto ring = KeyRing::Load(store_, kek_, clock_, options);
  EXPECT_THAT(ring, HasCode(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(std::string(ring.status().message()),
              HasSubstr("--key-prepare-lead"));
}

TEST_F(KeyRingTest, SnapshotsStaySoundWhileKeysChange) {
  std::atomic<bool> done = false;
  std::thread reader([&] {
    while (!done) {
      const auto view = ring_->Snapshot();
      const auto* key = view->verifying_keys().Find(view->active().key_id());
      ASSERT_NE(key, nullptr);
      ASSERT_TRUE(key->Verifies("m", ValueOf(view->active().Sign("m"))));
    }
  });
  std::thread other([&] {
    for (int i = 0; i < 10; ++i) EXPECT_OK(ring_->ApplySchedule());
  });
  for (int i = 0; i < 20; ++i) {
    EXPECT_OK(Activate(PreparedId(), Lead::kWaived));
  }
  other.join();
  done = true;
  reader.join();
  EXPECT_EQ(View()->Count(KeyState::kActive), 1);
}

}  // namespace
}  // namespace ostiary::key

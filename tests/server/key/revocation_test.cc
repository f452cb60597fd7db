#include <unistd.h>

#include <filesystem>
#include <string>
#include <thread>

#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/base/reason.h"
#include "server/key/revoke_all.h"
#include "server/key/revoked_key_file.h"
#include "tests/server/key/ring_fixture.h"

namespace ostiary::key {
namespace {

using ::ostiary::testing::HasCode;
using ::ostiary::testing::IsOk;
using ::ostiary::testing::ValueOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

class KeyRevocationTest : public ::ostiary::testing::RingFixture {
 protected:
  absl::flat_hash_set<std::string> InFile() const {
    return ValueOf(RevokedKeyFile(dir_.File("revoked-keys")).Read());
  }
};

TEST_F(KeyRevocationTest, RevokingTheActiveKeyMakesThePreparedOneSign) {
  const std::string bad = ActiveId();
  const std::string next = PreparedId();
  const KeyRevocation revocation = ValueOf(Revoke(bad));
  EXPECT_EQ(revocation.epoch, 1u);
  EXPECT_EQ(revocation.sequence, 1);
  EXPECT_EQ(ActiveId(), next);  // published for no time at all: no matter
  EXPECT_FALSE(Verifies(bad));
  EXPECT_NE(PreparedId(), next);
  EXPECT_THAT(IdsIn(KeyState::kRevoked), ElementsAre(bad));
  EXPECT_THAT(View()->jwks_json(), Not(::testing::HasSubstr(bad)));
}

TEST_F(KeyRevocationTest, LedgerRowAndAuditAreInTheSameCommit) {
  const std::string bad = ActiveId();
  ASSERT_OK(Revoke(bad));
  const auto content = store_.content();
  ASSERT_EQ(content.ledger.size(), 1u);
  EXPECT_EQ(content.ledger[0].kind, storage::LedgerKind::kKey);
  EXPECT_EQ(content.ledger[0].key, bad);
  EXPECT_EQ(content.ledger[0].reason, "stolen");
  EXPECT_EQ(content.ledger[0].commit_time, clock_.Now());
  EXPECT_EQ(content.ledger[0].expire_time, absl::InfiniteFuture());
  EXPECT_THAT(AuditedActions(), Contains("key.revoke").Times(1));
}

TEST_F(KeyRevocationTest, NothingIsLeftOfThePrivatePart) {
  const std::string bad = ActiveId();
  ASSERT_OK(Revoke(bad));
  for (const auto& row : store_.content().keys) {
    EXPECT_EQ(row.sealed.empty(), row.key_id == bad);
  }
}

TEST_F(KeyRevocationTest, PreparedAndRetiredKeysCanBeRevokedToo) {
  const std::string first = ActiveId();
  Pass(absl::Hours(24 * 90));
  const std::string second = ActiveId();
  const std::string third = PreparedId();
  ASSERT_OK(Revoke(first));
  ASSERT_OK(Revoke(third));
  EXPECT_EQ(ActiveId(), second);
  EXPECT_FALSE(Verifies(first));
  EXPECT_FALSE(Verifies(third));
  EXPECT_EQ(View()->Count(KeyState::kPrepared), 1);
  EXPECT_THAT(InFile(), UnorderedElementsAre(first, third));
}

TEST_F(KeyRevocationTest, RevokingTwiceWritesOneRowAndAnswersTheSame) {
  const std::string bad = PreparedId();
  const KeyRevocation first = ValueOf(Revoke(bad));
  ASSERT_OK(Revoke(ActiveId()));
  const KeyRevocation again = ValueOf(Revoke(bad));
  EXPECT_EQ(again.sequence, first.sequence);
  EXPECT_EQ(store_.content().ledger.size(), 2u);
  EXPECT_THAT(AuditedActions(), Contains("key.revoke").Times(2));
}

TEST_F(KeyRevocationTest, ARestoredBackupDoesNotBringTheKeyBack) {
  const auto backup = store_.content();
  const std::string bad = ActiveId();
  const std::string next = PreparedId();
  ASSERT_OK(Revoke(bad));
  store_.Restore(backup);
  Restart();
  EXPECT_FALSE(Verifies(bad));
  EXPECT_EQ(ActiveId(), next);
  EXPECT_THAT(IdsIn(KeyState::kRevoked), ElementsAre(bad));
  ASSERT_EQ(store_.content().ledger.size(), 1u);  // verifiers hear of it again
  EXPECT_EQ(store_.content().ledger[0].key, bad);
}

TEST_F(KeyRevocationTest, ABackupFromBeforeTheKeyStillLeavesALedgerRow) {
  const std::string bad = ActiveId();
  ASSERT_OK(Revoke(bad));
  store_.Restore({});
  Restart();
  EXPECT_NE(ActiveId(), bad);
  ASSERT_EQ(store_.content().ledger.size(), 1u);
  EXPECT_EQ(store_.content().ledger[0].key, bad);
}

TEST_F(KeyRevocationTest, ALostFileIsWrittenAnewFromTheStore) {
  const std::string bad = ActiveId();
  ASSERT_OK(Revoke(bad));
  std::filesystem::remove(dir_.File("revoked-keys"));
  Restart();
  EXPECT_THAT(InFile(), ElementsAre(bad));
}

// A crash between the ledger's commit and the row's is impossible, but a
// database writer can set a row back.
TEST_F(KeyRevocationTest, ARowSetBackByHandIsRevokedByTheLedger) {
  const auto before = store_.content();
  const std::string bad = ActiveId();
  ASSERT_OK(Revoke(bad));
  auto content = store_.content();
  content.keys = before.keys;
  store_.Restore(content);
  std::filesystem::remove(dir_.File("revoked-keys"));
  Restart();
  EXPECT_FALSE(Verifies(bad));
  EXPECT_THAT(InFile(), ElementsAre(bad));
}

TEST_F(KeyRevocationTest, WithoutTheFileTheKeyIsRevokedButNotAcknowledged) {
  const std::string bad = ActiveId();
  // A folder in the file's place cannot be written.
  std::filesystem::create_directory(dir_.File("revoked-keys"));
  const auto revoked = Revoke(bad);
  EXPECT_EQ(ReasonOf(revoked.status()), Reason::kStoreUnavailable);
  EXPECT_FALSE(Verifies(bad));
  EXPECT_EQ(store_.content().ledger.size(), 1u);
  EXPECT_FALSE(ring_->ApplySchedule().ok());
  std::filesystem::remove(dir_.File("revoked-keys"));
  EXPECT_OK(ring_->ApplySchedule());
  EXPECT_THAT(InFile(), ElementsAre(bad));
  EXPECT_OK(Revoke(bad));
}

TEST_F(KeyRevocationTest, AFailedCommitRevokesNothing) {
  const std::string active = ActiveId();
  store_.FailNextCommit(absl::UnavailableError("disk"));
  EXPECT_THAT(Revoke(active), HasCode(absl::StatusCode::kUnavailable));
  EXPECT_EQ(ActiveId(), active);
  EXPECT_TRUE(InFile().empty());
}

TEST_F(KeyRevocationTest, RevokingEveryKeyInTurnAlwaysLeavesOneThatSigns) {
  for (int i = 0; i < 10; ++i) {
    ASSERT_OK(Revoke(i % 2 == 0 ? ActiveId() : PreparedId()));
    ASSERT_EQ(View()->Count(KeyState::kActive), 1);
    ASSERT_EQ(View()->Count(KeyState::kPrepared), 1);
  }
  EXPECT_EQ(View()->Count(KeyState::kRevoked), 10);
  EXPECT_EQ(InFile().size(), 10u);
}

// The ledger says so already, the snapshot not yet: who is to sign now waits.
TEST_F(KeyRevocationTest, WhoSignsAfterTheCommitSignsWithTheSuccessor) {
  const std::string bad = ActiveId();
  std::thread signer;
  std::string seen;
  std::string signing;
  store_.AfterCommits([&] {
    absl::Notification looked;
    signer = std::thread([&] {
      seen = ActiveId();
      looked.Notify();
      signing = ring_->SnapshotToSign()->active().key_id();
    });
    looked.WaitForNotification();
  });
  ASSERT_OK(Revoke(bad));
  signer.join();
  EXPECT_EQ(seen, bad);
  EXPECT_EQ(signing, ActiveId());
}

TEST_F(KeyRevocationTest, ACommitThatFailsKeepsNobodyFromSigning) {
  const std::string active = ActiveId();
  for (const auto& fault :
       {absl::UnavailableError("disk"), absl::UnknownError("disk")}) {
    store_.FailNextCommit(fault);
    EXPECT_FALSE(Revoke(active).ok());
    EXPECT_EQ(ring_->SnapshotToSign()->active().key_id(), active);
  }
}

TEST_F(KeyRevocationTest, ItsTimeIsThatOfItsTurnInTheStore) {
  const std::string bad = ActiveId();
  const absl::Time asked = clock_.Now();
  store_.BeforeWrites([&] { clock_.Advance(absl::Seconds(3)); });
  ASSERT_OK(Revoke(bad));
  EXPECT_GE(store_.content().ledger.at(0).commit_time,
            asked + absl::Seconds(3));
}

TEST_F(KeyRevocationTest, AllAtOnceForTheNextStart) {
  ASSERT_OK(Revoke(ActiveId()));
  Pass(absl::Hours(24 * 90));
  std::vector<std::string> before;
  for (const KeyInfo& key : View()->keys()) before.push_back(key.key_id);
  ring_.reset();
  const RevokedKeyFile file(dir_.File("revoked-keys"));
  // One is revoked already; the others are active, prepared and retired.
  EXPECT_EQ(ValueOf(RevokeAllAtNextLoad(store_, file)), before.size() - 1);
  EXPECT_THAT(InFile(), ::testing::UnorderedElementsAreArray(before));
  EXPECT_EQ(ValueOf(RevokeAllAtNextLoad(store_, file)), 0u);

  Restart();
  EXPECT_THAT(IdsIn(KeyState::kRevoked),
              ::testing::UnorderedElementsAreArray(before));
  EXPECT_THAT(before, Not(Contains(ActiveId())));
  EXPECT_THAT(before, Not(Contains(PreparedId())));
  EXPECT_EQ(store_.content().ledger.size(), before.size());
}

const absl::Status kFull = absl::ResourceExhaustedError("no room");

TEST_F(KeyRevocationTest, OnAFullDiskItStartsWithTheKeysAsTheyAre) {
  const std::string active = ActiveId();
  clock_.Advance(absl::Hours(24 * 400));  // much is due
  store_.FailNextCommit(kFull);
  Restart();
  EXPECT_EQ(ActiveId(), active);
  EXPECT_GT(ValueOf(ring_->ApplySchedule()), 0);
}

TEST_F(KeyRevocationTest, OnAFullDiskItDoesNotStartWithAKeyToBeRevoked) {
  const auto before = store_.content();
  ASSERT_OK(Revoke(ActiveId()));
  // By the file, and by the ledger.
  store_.Restore(before);
  store_.FailNextCommit(kFull);
  EXPECT_THAT(TryLoad(), HasCode(absl::StatusCode::kResourceExhausted));
  std::filesystem::remove(dir_.File("revoked-keys"));
  Restart();
  ASSERT_OK(Revoke(ActiveId()));
  auto content = store_.content();
  content.keys = before.keys;
  store_.Restore(content);
  std::filesystem::remove(dir_.File("revoked-keys"));
  store_.FailNextCommit(kFull);
  EXPECT_THAT(TryLoad(), HasCode(absl::StatusCode::kResourceExhausted));
}

}  // namespace
}  // namespace ostiary::key

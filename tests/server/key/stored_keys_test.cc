// The ring over the real store: what it acknowledges is there after a restart.
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/base/random.h"
#include "server/key/key_ring.h"
#include "server/key/symmetric_keys.h"
#include "storage/open_store.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace ostiary::key {
namespace {

using ::ostiary::testing::IsOk;
using ::ostiary::testing::TempDir;
using ::ostiary::testing::ValueOf;

class StoredKeysTest : public ::testing::Test {
 protected:
  StoredKeysTest() { Restart(); }

  void Restart(const std::string& database = "ostiary.db") {
    ring_.reset();
    store_.reset();
    storage::OpenOptions options;
    options.url = absl::StrCat("sqlite:", dir_.File(database));
    options.listener.on_ledger = [this](const storage::LedgerHead& head,
                                        const auto& rows) {
      heard_ = rows.back();
      heard_head_ = head;
    };
    store_ = ValueOf(storage::OpenStore(options));
    KeyRingOptions ring;
    ring.revoked_keys_file = dir_.File("revoked-keys");
    ring_ = ValueOf(KeyRing::Load(*store_, kek_, clock_, ring));
  }
  std::string ActiveId() const { return ring_->Snapshot()->active().key_id(); }

  TempDir dir_;
  const KeyEncryptionKey kek_ = ValueOf(
      KeyEncryptionKey::FromFile(dir_.File("kek"), MissingFile::kCreate));
  ManualClock clock_{absl::FromUnixSeconds(1'700'000'000)};
  storage::LedgerRow heard_;
  storage::LedgerHead heard_head_;
  std::unique_ptr<storage::Store> store_;
  std::unique_ptr<KeyRing> ring_;
};

TEST_F(StoredKeysTest, ARestartFindsTheSameKeys) {
  const auto before = ring_->Snapshot();
  Restart();
  EXPECT_EQ(ring_->Snapshot()->jwks_json(), before->jwks_json());
  EXPECT_EQ(ring_->Snapshot()->etag(), before->etag());
  const std::string signature = ValueOf(ring_->Snapshot()->active().Sign("m"));
  EXPECT_TRUE(before->verifying_keys()
                  .Find(before->active().key_id())
                  ->Verifies("m", signature));
}

TEST_F(StoredKeysTest, OfKeysMadeTogetherTheOneThatSignsComesFirst) {
  // Key ids are random: an order by them would be right half of the time.
  for (int i = 0; i < 12; ++i) {
    Restart(absl::StrCat("new", i, ".db"));
    const auto view = ring_->Snapshot();
    const std::vector<KeyInfo>& keys = view->keys();
    ASSERT_EQ(keys.size(), 2u);
    EXPECT_EQ(keys[0].state, KeyState::kActive);
    EXPECT_EQ(keys[1].state, KeyState::kPrepared);
  }
}

TEST_F(StoredKeysTest, ARotationSurvivesARestart) {
  const std::string first = ActiveId();
  clock_.Advance(absl::Hours(24 * 90));
  EXPECT_EQ(ValueOf(ring_->ApplySchedule()), 3);
  const auto rotated = ring_->Snapshot();
  EXPECT_NE(rotated->active().key_id(), first);
  EXPECT_EQ(ValueOf(ring_->ApplySchedule()), 0);
  Restart();
  EXPECT_EQ(ring_->Snapshot()->jwks_json(), rotated->jwks_json());
  EXPECT_NE(ring_->Snapshot()->verifying_keys().Find(first), nullptr);
}

TEST_F(StoredKeysTest, ARevocationIsInTheLedgerBeforeItIsAcknowledged) {
  const std::string bad = ActiveId();
  const KeyRevocation revocation =
      ValueOf(ring_->Revoke(bad, "stolen", storage::AuditRow()));
  EXPECT_EQ(heard_.kind, storage::LedgerKind::kKey);
  EXPECT_EQ(heard_.key, bad);
  EXPECT_EQ(heard_.expire_time, absl::InfiniteFuture());
  EXPECT_EQ(revocation.sequence, heard_head_.sequence);
  EXPECT_EQ(revocation.epoch, heard_head_.epoch);
  Restart();
  EXPECT_EQ(ring_->Snapshot()->verifying_keys().Find(bad), nullptr);
  EXPECT_EQ(ring_->Snapshot()->Count(KeyState::kRevoked), 1);
}

TEST_F(StoredKeysTest, SymmetricKeysAreKeptBesideTheSigningKeys) {
  SystemRandom random;
  const std::string id =
      ValueOf(SymmetricKeys::LoadOrCreate(*store_, kek_, kRefreshPurpose,
                                          random, clock_.Now()))
          .newest()
          .key_id;
  Restart();
  EXPECT_EQ(ValueOf(SymmetricKeys::LoadOrCreate(*store_, kek_, kRefreshPurpose,
                                                random, clock_.Now()))
                .newest()
                .key_id,
            id);
}

}  // namespace
}  // namespace ostiary::key

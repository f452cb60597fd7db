#include "server/key/key_encryption.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>

#include "server/base/random.h"
#include "server/base/reason.h"
#include "server/key/key_ring.h"
#include "server/key/key_rows.h"
#include "server/key/symmetric_keys.h"
#include "tests/server/key/memory_store.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace ostiary::key {
namespace {

using ::ostiary::testing::HasCode;
using ::ostiary::testing::MemoryStore;
using ::ostiary::testing::TempDir;
using ::ostiary::testing::ValueOf;
using ::testing::HasSubstr;
using ::testing::SizeIs;

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);
const std::string kOldLine = std::string(64, '7') + "\n";
const std::string kNewLine = std::string(64, '8') + "\n";

// A store with keys of every kind, and the file that opens it.
class KeyEncryptionTest : public ::testing::Test {
 protected:
  KeyEncryptionTest() {
    WriteFile(kOldLine);
    Open();
    KeyRingOptions options;
    options.revoked_keys_file = dir_.File("revoked");
    auto ring = ValueOf(KeyRing::Load(store_, *kek_, clock_, options));
    const storage::AuditRow audit;
    const std::string first = ring->Snapshot()->active().key_id();
    // Retired (its public part is sealed), revoked (nothing is), prepared.
    EXPECT_OK(ring->Activate(Prepared(*ring), Lead::kWaived, audit));
    EXPECT_OK(ring->Revoke(ring->Snapshot()->active().key_id(), "", audit));
    SystemRandom random;
    refresh_ =
        std::string(ValueOf(SymmetricKeys::LoadOrCreate(
                                store_, *kek_, kRefreshPurpose, random, kNow))
                        .newest()
                        .bytes.Reveal());
    rows_ = store_.content().keys.size();
  }

  static std::string Prepared(const KeyRing& ring) {
    for (const KeyInfo& key : ring.Snapshot()->keys()) {
      if (key.state == KeyState::kPrepared) return key.key_id;
    }
    return "";
  }

  void WriteFile(const std::string& content) {
    std::ofstream(path_) << content;
    std::filesystem::permissions(path_,
                                 std::filesystem::perms::owner_read |
                                     std::filesystem::perms::owner_write);
  }
  std::string File() const {
    std::ifstream file(path_);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  // As a process that has just started.
  void Open() {
    encryption_.reset();
    kek_.emplace(
        ValueOf(KeyEncryptionKey::FromFile(path_, MissingFile::kRefuse)));
    encryption_.emplace(store_, *kek_, path_);
  }

  // A process that starts now opens every row and finds the same keys in them.
  void ExpectThatAllOpens() {
    Open();
    ASSERT_OK(encryption_->Finish(kNow));
    KeyRingOptions options;
    options.revoked_keys_file = dir_.File("revoked");
    EXPECT_OK(KeyRing::Load(store_, *kek_, clock_, options));
    SystemRandom random;
    EXPECT_EQ(
        std::string(ValueOf(SymmetricKeys::LoadOrCreate(
                                store_, *kek_, kRefreshPurpose, random, kNow))
                        .newest()
                        .bytes.Reveal()),
        refresh_);
    EXPECT_THAT(store_.content().keys, SizeIs(rows_));
    EXPECT_THAT(ValueOf(encryption_->List()), SizeIs(1));
  }

  const ManualClock clock_{kNow};
  TempDir dir_;
  const std::string path_ = dir_.File("kek");
  MemoryStore store_;
  std::optional<KeyEncryptionKey> kek_;
  std::optional<KeyEncryption> encryption_;
  std::string refresh_;
  std::size_t rows_ = 0;
};

TEST_F(KeyEncryptionTest, ARotationSealsEveryRowAnewAndTheOldKeyLeavesTheFile) {
  const std::string old = kek_->sealing_id();
  storage::AuditRow audit;
  audit.actor = "operator";
  const auto done = ValueOf(encryption_->Rotate(audit, kNow));
  EXPECT_GE(done.sealed_anew, 4);
  EXPECT_OK(done.left_in_file);
  ASSERT_THAT(done.keys, SizeIs(1));
  EXPECT_NE(done.keys[0].id, old);
  EXPECT_EQ(done.keys[0].sealed_rows, done.sealed_anew);
  EXPECT_THAT(File(), SizeIs(65));
  EXPECT_NE(File(), kOldLine);
  const storage::AuditRow row = store_.content().audit.back();
  EXPECT_EQ(row.action, "key_encryption_key.rotate");
  EXPECT_EQ(row.actor, "operator");
  EXPECT_THAT(row.detail, HasSubstr(old));
  EXPECT_THAT(row.detail, HasSubstr(done.keys[0].id));
  ExpectThatAllOpens();
}

TEST_F(KeyEncryptionTest, TheOldKeyOpensNothingThatWasSealedAnew) {
  const auto old = ValueOf(KeyEncryptionKey::FromText(kOldLine));
  ASSERT_OK(encryption_->Rotate({}, kNow));
  for (storage::KeyRow row : store_.content().keys) {
    if (row.sealed.empty()) continue;
    EXPECT_THAT(SealAnew(old, row),
                HasCode(absl::StatusCode::kFailedPrecondition));
  }
}

TEST_F(KeyEncryptionTest, ARunningRingGoesOnUnderTheNewKey) {
  KeyRingOptions options;
  options.revoked_keys_file = dir_.File("revoked");
  auto ring = ValueOf(KeyRing::Load(store_, *kek_, clock_, options));
  ASSERT_OK(encryption_->Rotate({}, kNow));
  ASSERT_OK(ring->ApplySchedule());
  EXPECT_OK(ring->Activate(Prepared(*ring), Lead::kWaived, {}));
  const auto infos = ValueOf(encryption_->List());
  EXPECT_THAT(infos, SizeIs(1)) << "something was sealed under the old key";
}

// Each state that a kill can leave, in the order of the steps.
TEST_F(KeyEncryptionTest, ADraftThatACrashLeftIsRemoved) {
  std::ofstream(path_ + ".draft") << kNewLine;
  ExpectThatAllOpens();
  EXPECT_FALSE(std::filesystem::exists(path_ + ".draft"));
  EXPECT_EQ(File(), kOldLine);
}

TEST_F(KeyEncryptionTest, KilledOnceTheFileHasBothKeysItIsFinishedAtTheStart) {
  WriteFile(kNewLine + kOldLine);
  ExpectThatAllOpens();
  EXPECT_EQ(File(), kNewLine);
}

TEST_F(KeyEncryptionTest, KilledAfterTheCommitItIsFinishedAtTheStart) {
  WriteFile(kNewLine + kOldLine);
  Open();
  ASSERT_OK(encryption_->Finish(kNow));
  WriteFile(kNewLine + kOldLine);
  ExpectThatAllOpens();
  EXPECT_EQ(File(), kNewLine);
}

TEST_F(KeyEncryptionTest, ACommitThatFailsLeavesBothKeysAndIsRunAgain) {
  store_.FailNextCommit(absl::UnavailableError("the disk"));
  EXPECT_THAT(encryption_->Rotate({}, kNow),
              HasCode(absl::StatusCode::kUnavailable));
  EXPECT_THAT(File(), SizeIs(130));
  EXPECT_THAT(File(), HasSubstr(kOldLine));
  const std::string first = File().substr(0, 65);
  EXPECT_OK(encryption_->Rotate({}, kNow));
  EXPECT_EQ(File(), first) << "it went on with the key it had made";
  ExpectThatAllOpens();
}

TEST_F(KeyEncryptionTest, ACommitOfUnknownOutcomeLosesNothing) {
  store_.FailNextCommit(absl::UnknownError("the disk"));
  EXPECT_THAT(encryption_->Rotate({}, kNow),
              HasCode(absl::StatusCode::kUnknown));
  EXPECT_THAT(File(), HasSubstr(kOldLine));
  ExpectThatAllOpens();
  EXPECT_THAT(File(), SizeIs(65));
}

TEST_F(KeyEncryptionTest, AKeyThatTheOperatorPutInFrontIsTheNewOne) {
  WriteFile(kNewLine + kOldLine);
  const auto done = ValueOf(encryption_->Rotate({}, kNow));
  EXPECT_GE(done.sealed_anew, 4);
  EXPECT_EQ(File(), kNewLine);
  ExpectThatAllOpens();
}

// A credential or a mounted secret: a link here, a folder that is read-only
// there.
TEST_F(KeyEncryptionTest, AFileThatIsNotOursToWriteIsRotatedByItsOwner) {
  std::filesystem::rename(path_, dir_.File("elsewhere"));
  std::filesystem::create_symlink(dir_.File("elsewhere"), path_);
  const auto refused = encryption_->Rotate({}, kNow);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(ReasonOf(refused.status()), Reason::kKeyStateConflict);
  EXPECT_THAT(refused.status().message(), HasSubstr("put a new key in front"));
  EXPECT_EQ(File(), kOldLine);

  WriteFile(kNewLine + kOldLine);
  const auto done = ValueOf(encryption_->Rotate({}, kNow));
  EXPECT_THAT(done.left_in_file,
              HasCode(absl::StatusCode::kFailedPrecondition));
  ASSERT_THAT(done.keys, SizeIs(2));
  EXPECT_EQ(done.keys[1].state, EncryptionKeyInfo::State::kOpens);
  EXPECT_EQ(done.keys[1].sealed_rows, 0);
  WriteFile(kNewLine);
  ExpectThatAllOpens();
}

TEST_F(KeyEncryptionTest, AFileThatLostAKeyInUseIsRefusedAndNothingChanges) {
  const std::string old = kek_->sealing_id();
  WriteFile(kNewLine);
  const auto refused = encryption_->Rotate({}, kNow);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(ReasonOf(refused.status()), Reason::kKeyStateConflict);
  EXPECT_THAT(refused.status().message(), HasSubstr(old));
  EXPECT_EQ(kek_->sealing_id(), old);
}

TEST_F(KeyEncryptionTest, ARestoredBackupNamesTheKeyItNeedsAndTakesIt) {
  const auto backup = store_.content();
  const std::string old = kek_->sealing_id();
  ASSERT_OK(encryption_->Rotate({}, kNow));
  const std::string now_in_file = File();
  store_.Restore(backup);
  Open();
  const auto refused = encryption_->Finish(kNow);
  EXPECT_THAT(refused, HasCode(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(refused.status().message(), HasSubstr(old));
  EXPECT_THAT(refused.status().message(), HasSubstr(path_));
  WriteFile(now_in_file + kOldLine);
  ExpectThatAllOpens();
  EXPECT_EQ(File(), now_in_file);
}

TEST_F(KeyEncryptionTest, AFileOfRawBytesIsRotatedToo) {
  WriteFile(std::string(32, 'k'));
  Open();
  EXPECT_FALSE(encryption_->Finish(kNow).ok());  // another key than ours
  WriteFile(std::string(32, '\x77'));            // the same as kOldLine
  Open();
  ASSERT_OK(encryption_->Rotate({}, kNow));
  EXPECT_THAT(File(), SizeIs(65));
  ExpectThatAllOpens();
}

TEST_F(KeyEncryptionTest, NothingToDoWritesNothing) {
  const int writes = store_.writes();
  ASSERT_OK(encryption_->Finish(kNow));
  EXPECT_EQ(store_.writes(), writes);
  EXPECT_EQ(File(), kOldLine);
}

TEST(KeyLinesTest, WhatIsNoKeyIsNamedByItsLineAndNotQuoted) {
  TempDir dir;
  std::ofstream(dir.File("kek")) << kOldLine << "\n"
                                 << "hunter2\n";
  std::filesystem::permissions(dir.File("kek"),
                               std::filesystem::perms::owner_read);
  const auto key =
      KeyEncryptionKey::FromFile(dir.File("kek"), MissingFile::kRefuse);
  EXPECT_THAT(key.status().message(), HasSubstr("line 3"));
  EXPECT_THAT(key.status().message(), ::testing::Not(HasSubstr("hunter2")));
}

}  // namespace
}  // namespace ostiary::key

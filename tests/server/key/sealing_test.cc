#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <set>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/base/random.h"
#include "server/key/key_encryption_key.h"
#include "server/key/revoked_key_file.h"
#include "server/key/symmetric_keys.h"
#include "tests/server/key/memory_store.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace ostiary::key {
namespace {

using ::ostiary::testing::HasCode;
using ::ostiary::testing::IsOk;
using ::ostiary::testing::MemoryStore;
using ::ostiary::testing::TempDir;
using ::ostiary::testing::ValueOf;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

constexpr SealLabel kLabel{"access", "kid-1", "ES256"};
const std::string kKeyText(64, '7');

KeyEncryptionKey AKey() {
  return ValueOf(KeyEncryptionKey::FromText(kKeyText));
}

void Put(const std::string& path, const std::string& content, mode_t mode) {
  std::ofstream(path, std::ios::binary) << content;
  ASSERT_EQ(chmod(path.c_str(), mode), 0);
}

TEST(SealTest, WhatWasSealedOpens) {
  const KeyEncryptionKey kek = AKey();
  const SecretBytes opened =
      ValueOf(kek.Open(kLabel, kek.Seal(kLabel, "the secret")));
  EXPECT_EQ(opened.Reveal(), "the secret");
}

TEST(SealTest, NoBitCanBeFlipped) {
  const KeyEncryptionKey kek = AKey();
  const std::string sealed = kek.Seal(kLabel, "the secret");
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    std::string altered = sealed;
    altered[bit / 8] = static_cast<char>(altered[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(kek.Open(kLabel, altered).ok()) << "bit " << bit;
  }
}

TEST(SealTest, NoByteCanBeCutOrAdded) {
  const KeyEncryptionKey kek = AKey();
  const std::string sealed = kek.Seal(kLabel, "the secret");
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    EXPECT_FALSE(kek.Open(kLabel, sealed.substr(0, size)).ok()) << size;
  }
  EXPECT_FALSE(kek.Open(kLabel, sealed + "x").ok());
}

TEST(SealTest, OpensUnderNoOtherLabel) {
  const KeyEncryptionKey kek = AKey();
  const std::string sealed = kek.Seal(kLabel, "the secret");
  for (const SealLabel& other : {SealLabel{"refresh", "kid-1", "ES256"},
                                 SealLabel{"access", "kid-2", "ES256"},
                                 SealLabel{"access", "kid-1", "RS256"},
                                 // The same characters, divided elsewhere.
                                 SealLabel{"accessk", "id-1", "ES256"},
                                 SealLabel{"access", "kid-1E", "S256"}}) {
    EXPECT_THAT(kek.Open(other, sealed), HasCode(absl::StatusCode::kDataLoss))
        << other.purpose << other.key_id << other.algorithm;
  }
}

TEST(SealTest, AnotherKeyEncryptionKeyIsNamedAsTheCause) {
  const std::string sealed = AKey().Seal(kLabel, "the secret");
  const KeyEncryptionKey other =
      ValueOf(KeyEncryptionKey::FromText(std::string(64, '8')));
  const auto opened = other.Open(kLabel, sealed);
  EXPECT_THAT(opened, HasCode(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(opened.status().message(),
              HasSubstr("another key-encryption key"));
}

TEST(SealTest, TheSameSecretIsNeverSealedToTheSameText) {
  const KeyEncryptionKey kek = AKey();
  std::set<std::string> texts;
  for (int i = 0; i < 1000; ++i) texts.insert(kek.Seal(kLabel, "the secret"));
  EXPECT_EQ(texts.size(), 1000u);
}

TEST(KeyFileTest, AMissingFileIsMadePrivateAndReadAgain) {
  TempDir dir;
  const std::string path = dir.File("kek");
  const KeyEncryptionKey made =
      ValueOf(KeyEncryptionKey::FromFile(path, MissingFile::kCreate));
  struct stat info {};
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  EXPECT_EQ(info.st_size, 65);  // hex and a line end
  const KeyEncryptionKey again =
      ValueOf(KeyEncryptionKey::FromFile(path, MissingFile::kRefuse));
  EXPECT_OK(again.Open(kLabel, made.Seal(kLabel, "x")));
}

TEST(KeyFileTest, AMissingFileIsRefusedUnlessToldToMakeIt) {
  TempDir dir;
  const auto key =
      KeyEncryptionKey::FromFile(dir.File("kek"), MissingFile::kRefuse);
  EXPECT_THAT(key, HasCode(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(key.status().message(), HasSubstr(dir.File("kek")));
}

TEST(KeyFileTest, AFileThatOthersMayOpenIsRefused) {
  TempDir dir;
  for (const mode_t mode : {0640, 0604, 0620, 0601, 0660, 0644}) {
    Put(dir.File("kek"), std::string(32, 'k'), mode);
    const auto key =
        KeyEncryptionKey::FromFile(dir.File("kek"), MissingFile::kCreate);
    EXPECT_THAT(key, HasCode(absl::StatusCode::kFailedPrecondition)) << mode;
    EXPECT_THAT(key.status().message(), HasSubstr("0600"));
  }
}

TEST(KeyFileTest, WhatIsNoKeyIsRefusedWithoutBeingQuoted) {
  TempDir dir;
  for (const std::string& content :
       {std::string(), std::string("hunter2"), std::string(31, 'k'),
        std::string(33, 'k'), std::string(64, 'x'), std::string(200, 'a')}) {
    Put(dir.File("kek"), content, 0600);
    const auto key =
        KeyEncryptionKey::FromFile(dir.File("kek"), MissingFile::kCreate);
    EXPECT_THAT(key, HasCode(absl::StatusCode::kFailedPrecondition));
    EXPECT_THAT(key.status().message(), ::testing::Not(HasSubstr("hunter2")));
  }
  ASSERT_EQ(unlink(dir.File("kek").c_str()), 0);
  ASSERT_EQ(mkfifo(dir.File("kek").c_str(), 0600), 0);
  EXPECT_FALSE(
      KeyEncryptionKey::FromFile(dir.File("kek"), MissingFile::kCreate).ok());
}

TEST(KeyFileTest, RawHexAndBase64UrlAreTheSameKey) {
  TempDir dir;
  const std::string raw = "0123456789abcdef0123456789ABCDEF";
  Put(dir.File("raw"), raw, 0600);
  Put(dir.File("hex"), absl::BytesToHexString(raw) + "\n", 0600);
  Put(dir.File("base64"), absl::WebSafeBase64Escape(raw), 0400);
  const std::string sealed =
      ValueOf(KeyEncryptionKey::FromFile(dir.File("raw"), MissingFile::kRefuse))
          .Seal(kLabel, "x");
  for (const char* name : {"hex", "base64"}) {
    const KeyEncryptionKey key = ValueOf(
        KeyEncryptionKey::FromFile(dir.File(name), MissingFile::kRefuse));
    EXPECT_OK(key.Open(kLabel, sealed)) << name;
  }
}

TEST(SymmetricKeysTest, TheFirstIsMadeOnceAndFoundAgain) {
  MemoryStore store;
  SystemRandom random;
  const KeyEncryptionKey kek = AKey();
  const SymmetricKeys first = ValueOf(SymmetricKeys::LoadOrCreate(
      store, kek, kRefreshPurpose, random, absl::UnixEpoch()));
  const SymmetricKeys again = ValueOf(SymmetricKeys::LoadOrCreate(
      store, kek, kRefreshPurpose, random, absl::UnixEpoch()));
  EXPECT_EQ(first.newest().key_id, again.newest().key_id);
  EXPECT_EQ(first.newest().bytes.Reveal(), again.newest().bytes.Reveal());
  EXPECT_EQ(first.newest().bytes.size(), 32u);
  EXPECT_EQ(store.content().keys.size(), 1u);
  EXPECT_EQ(again.Find(first.newest().key_id), &again.newest());
  EXPECT_EQ(again.Find("00000000x"), nullptr);
}

TEST(SymmetricKeysTest, PurposesHaveKeysOfTheirOwn) {
  MemoryStore store;
  SystemRandom random;
  const KeyEncryptionKey kek = AKey();
  const SymmetricKeys refresh = ValueOf(SymmetricKeys::LoadOrCreate(
      store, kek, kRefreshPurpose, random, absl::UnixEpoch()));
  const SymmetricKeys decoy = ValueOf(SymmetricKeys::LoadOrCreate(
      store, kek, kDecoyPurpose, random, absl::UnixEpoch()));
  EXPECT_NE(refresh.newest().bytes.Reveal(), decoy.newest().bytes.Reveal());
}

TEST(SymmetricKeysTest, AKeyMovedToAnotherPurposeDoesNotOpen) {
  MemoryStore store;
  SystemRandom random;
  const KeyEncryptionKey kek = AKey();
  ASSERT_OK(SymmetricKeys::LoadOrCreate(store, kek, kDecoyPurpose, random,
                                        absl::UnixEpoch()));
  MemoryStore::Content content = store.content();
  content.keys[0].purpose = std::string(kRefreshPurpose);
  store.Restore(content);
  EXPECT_THAT(SymmetricKeys::LoadOrCreate(store, kek, kRefreshPurpose, random,
                                          absl::UnixEpoch()),
              HasCode(absl::StatusCode::kDataLoss));
}

const std::string kKidA(43, 'A');
const std::string kKidB(43, 'b');

TEST(RevokedKeyFileTest, WhatWasAppendedIsReadAgain) {
  TempDir dir;
  const RevokedKeyFile file(dir.File("revoked"));
  EXPECT_TRUE(ValueOf(file.Read()).empty());
  ASSERT_OK(file.Append(kKidA));
  ASSERT_OK(file.Append(kKidB));
  EXPECT_THAT(ValueOf(file.Read()), UnorderedElementsAre(kKidA, kKidB));
}

TEST(RevokedKeyFileTest, ATornLineHidesNothing) {
  TempDir dir;
  Put(dir.File("revoked"), kKidA + "\n" + kKidB.substr(0, 20), 0600);
  const RevokedKeyFile file(dir.File("revoked"));
  EXPECT_THAT(ValueOf(file.Read()), UnorderedElementsAre(kKidA));
  ASSERT_OK(file.Append(kKidB));
  EXPECT_THAT(ValueOf(file.Read()), UnorderedElementsAre(kKidA, kKidB));
}

TEST(RevokedKeyFileTest, AGarbledLineStopsTheStart) {
  TempDir dir;
  Put(dir.File("revoked"), std::string(42, 'A') + "!\n" + kKidB + "\n", 0600);
  const auto ids = RevokedKeyFile(dir.File("revoked")).Read();
  EXPECT_THAT(ids, HasCode(absl::StatusCode::kDataLoss));
  EXPECT_THAT(ids.status().message(), HasSubstr("line 1"));
}

TEST(RevokedKeyFileTest, AFileThatOthersMayWriteIsRefused) {
  TempDir dir;
  Put(dir.File("revoked"), kKidA + "\n", 0666);
  const RevokedKeyFile file(dir.File("revoked"));
  EXPECT_THAT(file.Read(), HasCode(absl::StatusCode::kFailedPrecondition));
  EXPECT_FALSE(file.Append(kKidB).ok());
}

}  // namespace
}  // namespace ostiary::key

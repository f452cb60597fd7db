#include "server/revocation/packed_key.h"

#include <random>

#include "client/jwt/base64url.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/revocation/key_table.h"

namespace ostiary::revocation {
namespace {

constexpr KeyForm kForms[] = {KeyForm::kTokenId, KeyForm::kSessionId,
                              KeyForm::kAccountId};

IdBytes AnyBytes(std::mt19937& random) {
  IdBytes bytes;
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random());
  return bytes;
}

TEST(PackedKeyTest, EveryIdComesBackAsItWas) {
  std::mt19937 random(1);
  for (const KeyForm form : kForms) {
    for (int i = 0; i < 2000; ++i) {
      const IdBytes bytes = AnyBytes(random);
      const std::string text = UnpackKey(form, bytes);
      EXPECT_EQ(PackKey(form, text), bytes) << text;
    }
  }
}

TEST(PackedKeyTest, ReadsWhatTheRoomsThatMakeTheIdsWrite) {
  std::mt19937 random(2);
  for (int i = 0; i < 200; ++i) {
    const IdBytes bytes = AnyBytes(random);
    EXPECT_EQ(PackKey(KeyForm::kSessionId, SessionId(bytes).ToString()), bytes);
    EXPECT_EQ(PackKey(KeyForm::kAccountId, AccountId(bytes).ToString()), bytes);
    const std::string raw(bytes.begin(), bytes.end());
    EXPECT_EQ(PackKey(KeyForm::kTokenId, jwt::Base64UrlEncode(raw)), bytes);
  }
}

// Whatever is packed is the one text that is unpacked: no other spelling of it
// may be taken for the same key.
TEST(PackedKeyTest, NoTwoTextsShareTheirBytes) {
  std::mt19937 random(3);
  for (const KeyForm form : kForms) {
    int packed = 0;
    for (int i = 0; i < 20000; ++i) {
      std::string text = UnpackKey(form, AnyBytes(random));
      text[random() % text.size()] = static_cast<char>(random());
      const auto bytes = PackKey(form, text);
      if (!bytes.has_value()) continue;
      ++packed;
      EXPECT_EQ(UnpackKey(form, *bytes), text);
    }
    EXPECT_GT(packed, 100);
  }
}

TEST(PackedKeyTest, OtherSpellingsAreNotPacked) {
  const std::string token = UnpackKey(KeyForm::kTokenId, IdBytes{});
  const std::string session = UnpackKey(KeyForm::kSessionId, IdBytes{});
  ASSERT_EQ(token, "AAAAAAAAAAAAAAAAAAAAAA");
  ASSERT_EQ(session, "sess_00000000000000000000000000");
  // Bits beyond the 128th.
  EXPECT_FALSE(PackKey(KeyForm::kTokenId, "AAAAAAAAAAAAAAAAAAAAAB"));
  EXPECT_FALSE(PackKey(KeyForm::kSessionId, "sess_80000000000000000000000000"));
  EXPECT_FALSE(PackKey(KeyForm::kTokenId, token + "A"));
  EXPECT_FALSE(PackKey(KeyForm::kTokenId, token + "=="));
  EXPECT_FALSE(PackKey(KeyForm::kTokenId, ""));
  EXPECT_FALSE(PackKey(KeyForm::kSessionId, token));
  EXPECT_FALSE(PackKey(KeyForm::kAccountId, session));
  EXPECT_FALSE(PackKey(KeyForm::kSessionId, "SESS_00000000000000000000000000"));
  EXPECT_FALSE(PackKey(KeyForm::kSessionId, "sess_0000000000000000000000000O"));
  EXPECT_FALSE(PackKey(KeyForm::kSessionId, "sess_"));
}

TEST(PackedKeyTest, NamesHaveNoForm) {
  using storage::LedgerKind;
  EXPECT_FALSE(KeyFormOf(LedgerKind::kClient).has_value());
  EXPECT_FALSE(KeyFormOf(LedgerKind::kKey).has_value());
  EXPECT_FALSE(KeyFormOf(LedgerKind::kAll).has_value());
  EXPECT_EQ(KeyFormOf(LedgerKind::kToken), KeyForm::kTokenId);
}

struct Value {
  Minute forget_at;
};

TEST(KeyTableTest, FindsPackedKeysAndOthers) {
  KeyTable<Value> table(KeyForm::kTokenId);
  const std::string ours = UnpackKey(KeyForm::kTokenId, IdBytes{7});
  EXPECT_EQ(table.Find(ours), nullptr);
  table.FindOrAdd(ours, {3});
  table.FindOrAdd("theirs", {4});
  ASSERT_NE(table.Find(ours), nullptr);
  EXPECT_EQ(table.Find(ours)->forget_at, 3u);
  ASSERT_NE(table.Find("theirs"), nullptr);
  EXPECT_EQ(table.Find("theirs")->forget_at, 4u);
  EXPECT_EQ(table.Find("their"), nullptr);
  EXPECT_EQ(table.size(), 2u);
}

TEST(KeyTableTest, AKeyAddedAgainKeepsItsValue) {
  KeyTable<Value> table(KeyForm::kTokenId);
  table.FindOrAdd("t", {3});
  EXPECT_EQ(table.FindOrAdd("t", {9}).forget_at, 3u);
  EXPECT_EQ(table.size(), 1u);
}

TEST(KeyTableTest, AllPartsTogetherForgetWhatIsDueAndNothingElse) {
  KeyTable<Value> table(KeyForm::kSessionId);
  std::mt19937 random(4);
  std::vector<std::string> late;
  for (int i = 0; i < 5000; ++i) {
    const std::string key = UnpackKey(KeyForm::kSessionId, AnyBytes(random));
    const bool due = i % 5 != 0;
    table.FindOrAdd(key, {due ? 10u : 11u});
    if (!due) late.push_back(key);
  }
  std::size_t gone = 0;
  for (std::size_t part = 0; part < kKeyTableParts; ++part)
    gone += table.ForgetPart(part, 10);
  EXPECT_EQ(gone, 4000u);
  EXPECT_EQ(table.size(), 1000u);
  for (const std::string& key : late) EXPECT_NE(table.Find(key), nullptr);
}

}  // namespace
}  // namespace ostiary::revocation

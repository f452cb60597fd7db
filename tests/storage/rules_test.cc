#include "gtest/gtest.h"
#include "storage/hash_shape.h"
#include "storage/ledger_check.h"
#include "storage/stored_time.h"

namespace ostiary::storage {
namespace {

TEST(HashShapeTest, KeepsFormatAndCost) {
  EXPECT_EQ(HashShape("$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$ZGlnZXN0"),
            "$argon2id$v=19$m=19456,t=2,p=1");
  EXPECT_EQ(HashShape("$argon2i$m=4096,t=3,p=1$c2FsdA$ZGlnZXN0"),
            "$argon2i$m=4096,t=3,p=1");
  EXPECT_EQ(
      HashShape("$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW"),
      "$2b$12");
  EXPECT_EQ(
      HashShape("$2a$05$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW"),
      "$2a$05");
  EXPECT_EQ(HashShape("$scrypt$ln=15,r=8,p=1$c2FsdA$ZGlnZXN0"),
            "$scrypt$ln=15,r=8,p=1");
  EXPECT_EQ(HashShape("$6$rounds=5000$saltsalt$digest"), "$6$rounds=5000");
  EXPECT_EQ(HashShape("$6$saltsalt$digest"), "$6");
  EXPECT_EQ(HashShape("$pbkdf2-sha256$29000$c2FsdA$ZGlnZXN0"),
            "$pbkdf2-sha256$29000");
  EXPECT_EQ(HashShape("$y$j9T$saltsalt$digest"), "$y$j9T");
  EXPECT_EQ(HashShape("$7$CU..../....SodiumChloride$digest"), "$7$CU..../....");
}

TEST(HashShapeTest, NoPasswordHasNoShape) { EXPECT_EQ(HashShape(""), ""); }

TEST(HashShapeTest, NeverKeepsASaltThatLooksLikeCost) {
  EXPECT_EQ(HashShape("$6$12345678$digest"), "$6");
  EXPECT_EQ(HashShape("$argon2id$v=19$m=1,t=1,p=1$c2FsdA==$ZGlnZXN0"),
            "$argon2id$v=19$m=1,t=1,p=1");
  EXPECT_EQ(HashShape("$argon2id$v=19$m=1,t=1,p=1$a=b$digest"),
            "$argon2id$v=19$m=1,t=1,p=1$a=b")
      << "this one is indeed a parameter: PHC salts hold no '='";
}

TEST(HashShapeTest, NeverKeepsTheLastField) {
  EXPECT_EQ(HashShape("$sha1$a=b"), "$sha1");
  EXPECT_EQ(HashShape("$2b$12"), "$2b");
  EXPECT_EQ(HashShape("$x$a=b$c=d"), "$x$a=b");
}

TEST(HashShapeTest, WhatItDoesNotKnowIsOther) {
  for (const char* hash :
       {"plaintext", "rl.3StKT.4T8M", "$", "$$", "$UPPER$x$y", "{SSHA}abc",
        "5f4dcc3b5aa765d61d8327deb882cf99", "$ $x", "$7$short$digest"}) {
    EXPECT_EQ(HashShape(hash), "other") << hash;
  }
  EXPECT_EQ(HashShape("$x$a=" + std::string(200, '1') + "$s$d"), "other");
}

TEST(StoredTimeTest, InfinitiesAndMicrosecondsSurvive) {
  for (const absl::Time time :
       {absl::InfinitePast(), absl::InfiniteFuture(), absl::UnixEpoch(),
        absl::FromUnixMicros(1), absl::FromUnixMicros(-1)}) {
    EXPECT_EQ(AsStored(time), time);
  }
  EXPECT_EQ(AsStored(absl::FromUnixNanos(1999)), absl::FromUnixMicros(1));
}

// The value is on disks and in cursors: it never changes. Computed apart from
// this program with Python's hashlib.
TEST(LedgerCheckTest, MatchesTheSavedValue) {
  LedgerRow row;
  row.sequence = 1;
  row.kind = LedgerKind::kSession;
  row.key = "sess_01";
  row.min_generation = 7;
  row.issued_before = absl::InfinitePast();
  row.commit_time = absl::FromUnixMicros(1767268800000000);
  row.expire_time = absl::InfiniteFuture();
  row.reason = "sign-out";
  EXPECT_EQ(NextLedgerCheck(0, row), 0x9c0667ac5e85c2f7ull);
  EXPECT_EQ(NextLedgerCheck(0x9c0667ac5e85c2f7ull, row), 0xac6205c784350c43ull);
}

TEST(LedgerCheckTest, DependsOnEveryField) {
  LedgerRow row;
  const std::uint64_t check = NextLedgerCheck(0, row);
  const auto changed = [&](auto change) {
    LedgerRow other = row;
    change(other);
    return NextLedgerCheck(0, other) != check;
  };
  EXPECT_TRUE(changed([](LedgerRow& r) { r.sequence = 1; }));
  EXPECT_TRUE(changed([](LedgerRow& r) { r.kind = LedgerKind::kAll; }));
  EXPECT_TRUE(changed([](LedgerRow& r) { r.key = "k"; }));
  EXPECT_TRUE(changed([](LedgerRow& r) { r.min_generation = 1; }));
  EXPECT_TRUE(
      changed([](LedgerRow& r) { r.issued_before = absl::UnixEpoch(); }));
  EXPECT_TRUE(changed([](LedgerRow& r) { r.commit_time = absl::UnixEpoch(); }));
  EXPECT_TRUE(changed([](LedgerRow& r) { r.expire_time = absl::UnixEpoch(); }));
  EXPECT_TRUE(changed([](LedgerRow& r) { r.reason = "r"; }));
  EXPECT_FALSE(changed([](LedgerRow& r) { r.check = 9; }));
  EXPECT_NE(NextLedgerCheck(1, row), check);
}

}  // namespace
}  // namespace ostiary::storage

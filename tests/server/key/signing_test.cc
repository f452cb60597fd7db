#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "client/jwt/verifying_key.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/key/key_encryption_key.h"
#include "server/key/key_rows.h"
#include "server/key/lifecycle.h"
#include "server/key/signing_key.h"
#include "tests/support/status_matchers.h"

namespace ostiary::key {
namespace {

using ::ostiary::testing::HasCode;
using ::ostiary::testing::IsOk;
using ::ostiary::testing::ValueOf;

class SigningKeyTest : public ::testing::TestWithParam<jwt::Algorithm> {
 protected:
  const SigningKey key_ = ValueOf(SigningKey::Generate(GetParam()));
  const jwt::VerifyingKey verifier_ =
      ValueOf(jwt::VerifyingKey::Create(key_.public_jwk()));
  const KeyEncryptionKey kek_ =
      ValueOf(KeyEncryptionKey::FromText(std::string(64, '7')));
};

TEST_P(SigningKeyTest, WhatItSignsItsPublicPartVerifies) {
  for (int i = 0; i < 300; ++i) {  // R and S of every length
    const std::string message = "message " + std::to_string(i);
    const std::string signature = ValueOf(key_.Sign(message));
    ASSERT_TRUE(verifier_.Verifies(message, signature));
    ASSERT_FALSE(verifier_.Verifies(message + "!", signature));
  }
}

TEST_P(SigningKeyTest, SignaturesHaveTheFixedLengthOfJws) {
  const std::size_t size = GetParam() == jwt::Algorithm::kRs256 ? 256 : 64;
  for (int i = 0; i < 300; ++i) {
    ASSERT_EQ(ValueOf(key_.Sign(std::to_string(i))).size(), size);
  }
}

TEST_P(SigningKeyTest, ItsIdIsTheThumbprintAndNoCommandLineOption) {
  EXPECT_EQ(key_.key_id(), jwt::Thumbprint(key_.public_jwk()));
  EXPECT_NE(key_.key_id()[0], '-');
}

TEST_P(SigningKeyTest, ARowGivesTheSameKeyBack) {
  const storage::KeyRow row = ValueOf(NewKeyRow(kek_, key_, absl::UnixEpoch()));
  const SigningKey opened = ValueOf(OpenSigningKey(kek_, row));
  EXPECT_EQ(opened.key_id(), key_.key_id());
  EXPECT_TRUE(verifier_.Verifies("m", ValueOf(opened.Sign("m"))));
  EXPECT_EQ(ValueOf(OpenPublicKey(kek_, row)), key_.public_jwk());
}

TEST_P(SigningKeyTest, ARetiredRowHasNoPrivatePart) {
  storage::KeyRow row = ValueOf(NewKeyRow(kek_, key_, absl::UnixEpoch()));
  ASSERT_OK(DropPrivatePart(kek_, row));
  row.state = std::string(kStateRetired);
  EXPECT_EQ(ValueOf(OpenPublicKey(kek_, row)), key_.public_jwk());
  row.state = std::string(kStateActive);
  EXPECT_THAT(OpenSigningKey(kek_, row), HasCode(absl::StatusCode::kDataLoss));
}

TEST_P(SigningKeyTest, AColumnOfTheDatabaseCannotReplaceThePublicPart) {
  storage::KeyRow row = ValueOf(NewKeyRow(kek_, key_, absl::UnixEpoch()));
  row.public_jwk =
      ValueOf(SigningKey::Generate(GetParam())).public_jwk().ToJson();
  EXPECT_EQ(ValueOf(OpenPublicKey(kek_, row)), key_.public_jwk());
  row.key_id = std::string(43, 'A');
  EXPECT_FALSE(OpenPublicKey(kek_, row).ok());
}

TEST_P(SigningKeyTest, ThreadsSignSideBySide) {
  std::atomic<int> good = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        const std::string message = std::to_string(t * 1000 + i);
        if (verifier_.Verifies(message, ValueOf(key_.Sign(message)))) ++good;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 200);
}

INSTANTIATE_TEST_SUITE_P(All, SigningKeyTest,
                         ::testing::Values(jwt::Algorithm::kEs256,
                                           jwt::Algorithm::kRs256,
                                           jwt::Algorithm::kEdDsa));

TEST(SigningKeyFormTest, CoordinatesKeepTheirLeadingZeroes) {
  // One coordinate in 256 begins with a zero byte: 2000 keys meet some.
  int short_ones = 0;
  for (int i = 0; i < 2000; ++i) {
    const jwt::PublicJwk jwk =
        ValueOf(SigningKey::Generate(jwt::Algorithm::kEs256)).public_jwk();
    ASSERT_EQ(jwk.x.size(), 32u);
    ASSERT_EQ(jwk.y.size(), 32u);
    if (jwk.x[0] == 0 || jwk.y[0] == 0) ++short_ones;
  }
  EXPECT_GT(short_ones, 0);
}

TEST(SigningKeyFormTest, AKeyOfAnotherAlgorithmIsRefused) {
  const SecretBytes der =
      ValueOf(ValueOf(SigningKey::Generate(jwt::Algorithm::kEdDsa)).ToPkcs8());
  EXPECT_THAT(SigningKey::FromPkcs8(jwt::Algorithm::kEs256, der),
              HasCode(absl::StatusCode::kDataLoss));
  EXPECT_THAT(SigningKey::FromPkcs8(jwt::Algorithm::kEs256,
                                    SecretBytes::CopyOf("no key")),
              HasCode(absl::StatusCode::kDataLoss));
}

}  // namespace
}  // namespace ostiary::key

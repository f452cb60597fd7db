#include "client/jwt/verifying_key.h"

#include <openssl/bn.h>
#include <openssl/err.h>

#include <atomic>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/client/jwt/test_signer.h"
#include "tests/client/jwt/vectors.h"
#include "tests/support/status_matchers.h"

namespace ostiary::jwt {
namespace {

using ::ostiary::testing::HasCode;
using testing::FromHex;
using testing::TestSigner;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

class EachAlgorithmTest : public ::testing::TestWithParam<Algorithm> {
 protected:
  const TestSigner signer_{GetParam()};
  const VerifyingKey key_ =
      ostiary::testing::ValueOf(VerifyingKey::Create(signer_.jwk()));
  const std::string message_ = "eyJ.eyJ";
  const std::string signature_ = signer_.Sign(message_);
};

TEST_P(EachAlgorithmTest, AGoodSignatureVerifiesAgainAndAgain) {
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(key_.Verifies(message_, signer_.Sign(message_)));
    EXPECT_FALSE(key_.Verifies(message_ + "x", signature_));
    EXPECT_FALSE(key_.Verifies("", signature_));
  }
}

TEST_P(EachAlgorithmTest, EveryFlippedBitIsNoticed) {
  for (std::size_t bit = 0; bit < signature_.size() * 8; ++bit) {
    std::string flipped = signature_;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(key_.Verifies(message_, flipped)) << bit;
  }
}

TEST_P(EachAlgorithmTest, EveryOtherLengthIsRefused) {
  for (std::size_t length = 0; length < signature_.size(); ++length) {
    EXPECT_FALSE(key_.Verifies(message_, signature_.substr(0, length)));
    EXPECT_FALSE(key_.Verifies(message_, signature_.substr(length + 1)));
  }
  EXPECT_FALSE(key_.Verifies(message_, signature_ + '\0'));
  EXPECT_FALSE(key_.Verifies(message_, '\0' + signature_));
  EXPECT_FALSE(key_.Verifies(message_, std::string(16'384, 'x')));
}

TEST_P(EachAlgorithmTest, AnotherKeysSignatureIsRefused) {
  EXPECT_FALSE(key_.Verifies(message_, TestSigner(GetParam()).Sign(message_)));
}

TEST_P(EachAlgorithmTest, ARefusalLeavesNothingInTheErrorQueue) {
  ERR_clear_error();
  EXPECT_FALSE(key_.Verifies("other", signature_));
  EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST_P(EachAlgorithmTest, OneKeyServesManyThreads) {
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      const VerifyingKey copy = key_;
      for (int i = 0; i < 200; ++i) {
        if (!copy.Verifies(message_, signature_)) ++wrong;
        if (copy.Verifies("other", signature_)) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

INSTANTIATE_TEST_SUITE_P(All, EachAlgorithmTest,
                         ::testing::Values(Algorithm::kEs256, Algorithm::kRs256,
                                           Algorithm::kEdDsa),
                         [](const auto& param_info) {
                           return std::string(AlgorithmName(param_info.param));
                         });

TEST(Es256Test, SignaturesOfAllZerosOrOfTheGroupOrderAreRefused) {
  const TestSigner signer(Algorithm::kEs256);
  ASSERT_OK_AND_ASSIGN(const VerifyingKey key,
                       VerifyingKey::Create(signer.jwk()));
  const std::string zero(32, '\0');
  const std::string order = FromHex(
      "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
  const std::string good = signer.Sign("m");
  ASSERT_TRUE(key.Verifies("m", good));
  for (const std::string& forged :
       {zero + zero, order + order, good.substr(0, 32) + zero,
        zero + good.substr(32), good.substr(0, 32) + order,
        std::string(64, '\xff')}) {
    EXPECT_FALSE(key.Verifies("m", forged));
  }
}

// Numbers with leading zero bytes take the short form in DER: sign until both
// halves had one.
TEST(Es256Test, NumbersWithLeadingZerosVerify) {
  const TestSigner signer(Algorithm::kEs256);
  ASSERT_OK_AND_ASSIGN(const VerifyingKey key,
                       VerifyingKey::Create(signer.jwk()));
  bool short_r = false, short_s = false;
  for (int i = 0; i < 20'000 && !(short_r && short_s); ++i) {
    const std::string signature = signer.Sign("m");
    const bool r = signature[0] == '\0', s = signature[32] == '\0';
    if (!r && !s) continue;
    EXPECT_TRUE(key.Verifies("m", signature));
    short_r = short_r || r;
    short_s = short_s || s;
  }
  EXPECT_TRUE(short_r && short_s);
}

TEST(KeyMaterialTest, APointOffTheCurveIsRefused) {
  PublicJwk jwk = TestSigner(Algorithm::kEs256).jwk();
  EXPECT_OK(VerifyingKey::Create(jwk));
  jwk.y[31] = static_cast<char>(jwk.y[31] ^ 1);
  EXPECT_THAT(VerifyingKey::Create(jwk), HasCode(kInvalid));
  jwk.x = jwk.y = std::string(32, '\0');
  EXPECT_THAT(VerifyingKey::Create(jwk), HasCode(kInvalid));
}

TEST(KeyMaterialTest, CoordinatesHaveTheirFullLength) {
  PublicJwk jwk = TestSigner(Algorithm::kEs256).jwk();
  jwk.x.insert(0, 1, '\0');
  EXPECT_THAT(VerifyingKey::Create(jwk), HasCode(kInvalid));
  jwk.x.erase(0, 2);
  EXPECT_THAT(VerifyingKey::Create(jwk), HasCode(kInvalid));
}

TEST(KeyMaterialTest, RsaNumbersOutsideTheBoundsAreRefused) {
  const PublicJwk good = TestSigner(Algorithm::kRs256).jwk();
  const auto refused = [&good](const std::string& n, const std::string& e) {
    PublicJwk jwk = good;
    jwk.n = n;
    jwk.e = e;
    return !VerifyingKey::Create(jwk).ok();
  };
  EXPECT_FALSE(refused(good.n, good.e));
  EXPECT_TRUE(refused('\0' + good.n, good.e));
  EXPECT_TRUE(refused(good.n.substr(1), good.e));  // 2040 bits
  EXPECT_TRUE(refused(std::string(1025, '\xff'), good.e));
  EXPECT_TRUE(refused(good.n.substr(0, 255) + '\x10', good.e));
  EXPECT_TRUE(refused("", good.e));
  EXPECT_TRUE(refused(good.n, ""));
  EXPECT_TRUE(refused(good.n, "\x01"));
  EXPECT_TRUE(refused(good.n, "\x02"));
  EXPECT_TRUE(refused(good.n, '\0' + good.e));
  EXPECT_TRUE(refused(good.n, std::string(5, '\xff')));
}

// A power of 65537 is one modulo every prime, as the moduli of CVE-2017-15361
// are modulo the small ones.
TEST(KeyMaterialTest, ModuliOfTheRocaFamilyAreRefused) {
  BIGNUM* power = BN_new();
  BIGNUM* exponent = BN_new();
  BN_CTX* context = BN_CTX_new();
  BN_set_word(power, 65537);
  BN_set_word(exponent, 128);
  BN_exp(power, power, exponent, context);
  std::string n(static_cast<std::size_t>(BN_num_bytes(power)), '\0');
  BN_bn2bin(power, reinterpret_cast<unsigned char*>(n.data()));
  BN_add_word(power, 2);
  std::string neighbour(n.size(), '\0');
  BN_bn2bin(power, reinterpret_cast<unsigned char*>(neighbour.data()));
  BN_CTX_free(context);
  BN_free(exponent);
  BN_free(power);

  const std::string e = "\x01" + std::string(1, '\0') + "\x01";
  EXPECT_THAT(VerifyingKey::Create(PublicJwk::Rs256(n, e)), HasCode(kInvalid));
  EXPECT_OK(VerifyingKey::Create(PublicJwk::Rs256(neighbour, e)));
}

TEST(KeyMaterialTest, Ed25519KeysOfOtherLengthOrSmallOrderAreRefused) {
  const auto refused = [](const std::string& x) {
    return !VerifyingKey::Create(PublicJwk::EdDsa(x)).ok();
  };
  EXPECT_FALSE(refused(TestSigner(Algorithm::kEdDsa).jwk().x));
  EXPECT_TRUE(refused(std::string(31, 'x')));
  EXPECT_TRUE(refused(std::string(33, 'x')));
  EXPECT_TRUE(refused(std::string(32, '\0')));
  EXPECT_TRUE(refused('\1' + std::string(31, '\0')));
  EXPECT_TRUE(refused('\xec' + std::string(30, '\xff') + '\x7f'));
  EXPECT_TRUE(refused('\xec' + std::string(31, '\xff')));
}

TEST(KeyMaterialTest, AKidHasOneTo256Bytes) {
  PublicJwk jwk = TestSigner(Algorithm::kEs256).jwk();
  jwk.kid = "";
  EXPECT_THAT(VerifyingKey::Create(jwk), HasCode(kInvalid));
  jwk.kid = std::string(256, 'k');
  EXPECT_OK(VerifyingKey::Create(jwk));
  jwk.kid += 'k';
  EXPECT_THAT(VerifyingKey::Create(jwk), HasCode(kInvalid));
}

}  // namespace
}  // namespace ostiary::jwt

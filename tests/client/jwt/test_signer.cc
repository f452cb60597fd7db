#include "tests/client/jwt/test_signer.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <boost/json/serialize.hpp>
#include <cstdlib>

#include "client/jwt/base64url.h"

namespace ostiary::jwt::testing {
namespace {

void Require(bool held) {
  if (!held) std::abort();
}

EVP_PKEY* MakeKey(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::kEs256:
      return EVP_EC_gen("P-256");
    case Algorithm::kRs256:
      return EVP_RSA_gen(static_cast<unsigned>(2048));
    case Algorithm::kEdDsa:
      return EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
  }
  return nullptr;
}

std::string Number(EVP_PKEY* key, const char* name, int least_bytes) {
  BIGNUM* number = nullptr;
  Require(EVP_PKEY_get_bn_param(key, name, &number) == 1);
  const int size = std::max(BN_num_bytes(number), least_bytes);
  std::string bytes(static_cast<std::size_t>(size), '\0');
  BN_bn2binpad(number, reinterpret_cast<unsigned char*>(bytes.data()), size);
  BN_free(number);
  return bytes;
}

PublicJwk PublicPart(Algorithm algorithm, EVP_PKEY* key) {
  switch (algorithm) {
    case Algorithm::kEs256:
      return PublicJwk::Es256(Number(key, OSSL_PKEY_PARAM_EC_PUB_X, 32),
                              Number(key, OSSL_PKEY_PARAM_EC_PUB_Y, 32));
    case Algorithm::kRs256:
      return PublicJwk::Rs256(Number(key, OSSL_PKEY_PARAM_RSA_N, 0),
                              Number(key, OSSL_PKEY_PARAM_RSA_E, 0));
    case Algorithm::kEdDsa: {
      std::string x(32, '\0');
      std::size_t size = x.size();
      Require(EVP_PKEY_get_raw_public_key(
                  key, reinterpret_cast<unsigned char*>(x.data()), &size) == 1);
      return PublicJwk::EdDsa(x);
    }
  }
  std::abort();
}

// R || S from OpenSSL's DER.
std::string RawFromDer(const std::string& der) {
  const auto* cursor = reinterpret_cast<const unsigned char*>(der.data());
  ECDSA_SIG* signature =
      d2i_ECDSA_SIG(nullptr, &cursor, static_cast<long>(der.size()));
  Require(signature != nullptr);
  unsigned char raw[64];
  BN_bn2binpad(ECDSA_SIG_get0_r(signature), raw, 32);
  BN_bn2binpad(ECDSA_SIG_get0_s(signature), raw + 32, 32);
  ECDSA_SIG_free(signature);
  return std::string(reinterpret_cast<char*>(raw), sizeof(raw));
}

}  // namespace

struct TestSigner::Key {
  explicit Key(EVP_PKEY* made) : key(made) { Require(key != nullptr); }
  ~Key() { EVP_PKEY_free(key); }
  Key(const Key&) = delete;
  Key& operator=(const Key&) = delete;

  EVP_PKEY* const key;
};

TestSigner::TestSigner(Algorithm algorithm)
    : key_(std::make_unique<Key>(MakeKey(algorithm))),
      jwk_(PublicPart(algorithm, key_->key)) {}

TestSigner::~TestSigner() = default;

std::string TestSigner::Sign(absl::string_view message) const {
  const bool hashes_inside = jwk_.algorithm == Algorithm::kEdDsa;
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  Require(EVP_DigestSignInit(context, nullptr,
                             hashes_inside ? nullptr : EVP_sha256(), nullptr,
                             key_->key) == 1);
  const auto* bytes = reinterpret_cast<const unsigned char*>(message.data());
  std::size_t size = 0;
  Require(EVP_DigestSign(context, nullptr, &size, bytes, message.size()) == 1);
  std::string signature(size, '\0');
  Require(EVP_DigestSign(context,
                         reinterpret_cast<unsigned char*>(signature.data()),
                         &size, bytes, message.size()) == 1);
  signature.resize(size);
  EVP_MD_CTX_free(context);
  if (jwk_.algorithm == Algorithm::kEs256) return RawFromDer(signature);
  return signature;
}

std::string TestSigner::Token(absl::string_view header,
                              absl::string_view payload) const {
  const std::string input =
      Base64UrlEncode(header) + "." + Base64UrlEncode(payload);
  return input + "." + Base64UrlEncode(Sign(input));
}

std::string TestSigner::Token(const boost::json::object& header,
                              const boost::json::object& payload) const {
  return Token(boost::json::serialize(header), boost::json::serialize(payload));
}

boost::json::object TestSigner::Header() const {
  return {{"alg", std::string(AlgorithmName(jwk_.algorithm))},
          {"kid", jwk_.kid},
          {"typ", "at+jwt"}};
}

boost::json::object GoodPayload() {
  return {{"iss", kIssuer},        {"sub", "acct_ada"},
          {"aud", "api"},          {"client_id", "web"},
          {"iat", kIssuedAt},      {"exp", kExpiresAt},
          {"jti", "j-1"},          {"sid", "sess_1"},
          {"scope", "read write"}, {"roles", boost::json::array{"admin"}}};
}

}  // namespace ostiary::jwt::testing

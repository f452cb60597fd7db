#include "client/cpp/signing_key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>

#include <cstdlib>

namespace ostiary::client {
namespace {

constexpr std::size_t kNumberBytes = 32;

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  void operator()(ECDSA_SIG* signature) const { ECDSA_SIG_free(signature); }
  void operator()(BIGNUM* number) const { BN_free(number); }
};

void Require(bool held) {
  if (!held) std::abort();
}

std::string BytesOf(const BIGNUM* number) {
  std::string bytes(kNumberBytes, '\0');
  Require(BN_bn2binpad(number, reinterpret_cast<unsigned char*>(bytes.data()),
                       kNumberBytes) == kNumberBytes);
  return bytes;
}

std::string Coordinate(EVP_PKEY* key, const char* name) {
  BIGNUM* number = nullptr;
  Require(EVP_PKEY_get_bn_param(key, name, &number) == 1);
  const std::unique_ptr<BIGNUM, Free> owner(number);
  return BytesOf(number);
}

std::string RawFromDer(const std::string& der) {
  const auto* cursor = reinterpret_cast<const unsigned char*>(der.data());
  const std::unique_ptr<ECDSA_SIG, Free> signature(
      d2i_ECDSA_SIG(nullptr, &cursor, static_cast<long>(der.size())));
  Require(signature != nullptr);
  return BytesOf(ECDSA_SIG_get0_r(signature.get())) +
         BytesOf(ECDSA_SIG_get0_s(signature.get()));
}

}  // namespace

struct SigningKey::Key {
  std::unique_ptr<EVP_PKEY, Free> evp{EVP_EC_gen("P-256")};
};

SigningKey::SigningKey()
    : key_(std::make_unique<Key>()),
      jwk_(jwt::PublicJwk::Es256(
          Coordinate(key_->evp.get(), OSSL_PKEY_PARAM_EC_PUB_X),
          Coordinate(key_->evp.get(), OSSL_PKEY_PARAM_EC_PUB_Y))) {}

SigningKey::~SigningKey() = default;

std::string SigningKey::Sign(absl::string_view message) const {
  const std::unique_ptr<EVP_MD_CTX, Free> context(EVP_MD_CTX_new());
  Require(EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr,
                             key_->evp.get()) == 1);
  const auto* bytes = reinterpret_cast<const unsigned char*>(message.data());
  std::size_t size = 0;
  Require(EVP_DigestSign(context.get(), nullptr, &size, bytes,
                         message.size()) == 1);
  std::string der(size, '\0');
  Require(EVP_DigestSign(context.get(),
                         reinterpret_cast<unsigned char*>(der.data()), &size,
                         bytes, message.size()) == 1);
  der.resize(size);
  return RawFromDer(der);
}

}  // namespace ostiary::client

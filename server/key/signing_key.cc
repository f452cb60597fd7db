#include "server/key/signing_key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <optional>
#include <utility>

#include "server/base/wiping.h"
#include "server/key/openssl_handle.h"
#include "server/key/signer.h"

namespace ostiary::key {
namespace {

constexpr int kRsaBits = 2048;
constexpr std::size_t kPointSize = 65;  // 04 || x || y
constexpr std::size_t kCoordinateSize = 32;
constexpr std::size_t kEd25519Size = 32;

PkeyHandle GeneratePkey(jwt::Algorithm algorithm) {
  switch (algorithm) {
    case jwt::Algorithm::kEs256:
      return PkeyHandle(EVP_EC_gen("P-256"));
    case jwt::Algorithm::kRs256:
      return PkeyHandle(EVP_RSA_gen(kRsaBits));
    case jwt::Algorithm::kEdDsa:
      return PkeyHandle(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  }
  return nullptr;
}

std::string BigNumberOf(EVP_PKEY* key, const char* name) {
  BIGNUM* number = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &number) != 1) return "";
  std::string bytes(static_cast<std::size_t>(BN_num_bytes(number)), '\0');
  BN_bn2bin(number, reinterpret_cast<unsigned char*>(bytes.data()));
  BN_free(number);
  return bytes;
}

std::string OctetsOf(EVP_PKEY* key, const char* name) {
  std::string bytes(kPointSize, '\0');
  std::size_t size = 0;
  if (EVP_PKEY_get_octet_string_param(
          key, name, reinterpret_cast<unsigned char*>(bytes.data()),
          bytes.size(), &size) != 1) {
    return "";
  }
  bytes.resize(size);
  return bytes;
}

std::optional<jwt::PublicJwk> Es256Jwk(EVP_PKEY* key) {
  // x and y as numbers would lose leading zeroes: pad to full length.
  std::string x(kCoordinateSize, '\0');
  std::string y(kCoordinateSize, '\0');
  const std::string short_x = BigNumberOf(key, OSSL_PKEY_PARAM_EC_PUB_X);
  const std::string short_y = BigNumberOf(key, OSSL_PKEY_PARAM_EC_PUB_Y);
  if (short_x.empty() || short_x.size() > kCoordinateSize || short_y.empty() ||
      short_y.size() > kCoordinateSize) {
    return std::nullopt;
  }
  x.replace(kCoordinateSize - short_x.size(), short_x.size(), short_x);
  y.replace(kCoordinateSize - short_y.size(), short_y.size(), short_y);
  return jwt::PublicJwk::Es256(x, y);
}

std::optional<jwt::PublicJwk> Rs256Jwk(EVP_PKEY* key) {
  const std::string n = BigNumberOf(key, OSSL_PKEY_PARAM_RSA_N);
  const std::string e = BigNumberOf(key, OSSL_PKEY_PARAM_RSA_E);
  if (n.empty() || e.empty()) return std::nullopt;
  return jwt::PublicJwk::Rs256(n, e);
}

std::optional<jwt::PublicJwk> EdDsaJwk(EVP_PKEY* key) {
  const std::string x = OctetsOf(key, OSSL_PKEY_PARAM_PUB_KEY);
  if (x.size() != kEd25519Size) return std::nullopt;
  return jwt::PublicJwk::EdDsa(x);
}

// Nothing if the key is not of this algorithm's kind.
std::optional<jwt::PublicJwk> PublicJwkOf(jwt::Algorithm algorithm,
                                          EVP_PKEY* key) {
  switch (algorithm) {
    case jwt::Algorithm::kEs256:
      if (EVP_PKEY_is_a(key, "EC") != 1) return std::nullopt;
      return Es256Jwk(key);
    case jwt::Algorithm::kRs256:
      if (EVP_PKEY_is_a(key, "RSA") != 1) return std::nullopt;
      return Rs256Jwk(key);
    case jwt::Algorithm::kEdDsa:
      if (EVP_PKEY_is_a(key, "ED25519") != 1) return std::nullopt;
      return EdDsaJwk(key);
  }
  return std::nullopt;
}

}  // namespace

SigningKey::SigningKey(std::unique_ptr<Signer> signer,
                       jwt::PublicJwk public_jwk)
    : signer_(std::move(signer)), public_jwk_(std::move(public_jwk)) {}
SigningKey::SigningKey(SigningKey&&) noexcept = default;
SigningKey& SigningKey::operator=(SigningKey&&) noexcept = default;
SigningKey::~SigningKey() {
  const WipingScope wiping;
  signer_.reset();
}

absl::StatusOr<SigningKey> SigningKey::Generate(jwt::Algorithm algorithm) {
  const WipingScope wiping;  // OpenSSL leaves copies of the DER
  while (true) {
    PkeyHandle key = GeneratePkey(algorithm);
    if (key == nullptr) {
      return absl::InternalError("OpenSSL could not make a key");
    }
    std::optional<jwt::PublicJwk> jwk = PublicJwkOf(algorithm, key.get());
    if (!jwk.has_value()) {
      return absl::InternalError("OpenSSL made a key of another kind");
    }
    if (jwk->kid[0] == '-') continue;
    return SigningKey(std::make_unique<Signer>(algorithm, std::move(key)),
                      *std::move(jwk));
  }
}

absl::StatusOr<SigningKey> SigningKey::FromPkcs8(jwt::Algorithm algorithm,
                                                 const SecretBytes& der) {
  const WipingScope wiping;  // OpenSSL leaves copies of the DER
  const auto* at = reinterpret_cast<const unsigned char*>(der.Reveal().data());
  PkeyHandle key(
      d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(der.size())));
  if (key == nullptr) return absl::DataLossError("not a private key");
  std::optional<jwt::PublicJwk> jwk = PublicJwkOf(algorithm, key.get());
  if (!jwk.has_value()) {
    return absl::DataLossError("a private key of another algorithm");
  }
  return SigningKey(std::make_unique<Signer>(algorithm, std::move(key)),
                    *std::move(jwk));
}

absl::StatusOr<std::string> SigningKey::Sign(
    absl::string_view signing_input) const {
  return signer_->Sign(signing_input);
}

absl::StatusOr<SecretBytes> SigningKey::ToPkcs8() const {
  const WipingScope wiping;  // OpenSSL leaves copies of the DER
  PKCS8_PRIV_KEY_INFO* const info = EVP_PKEY2PKCS8(signer_->key());
  if (info == nullptr) return absl::InternalError("OpenSSL could not encode");
  unsigned char* der = nullptr;
  const int size = i2d_PKCS8_PRIV_KEY_INFO(info, &der);
  PKCS8_PRIV_KEY_INFO_free(info);
  if (size <= 0) return absl::InternalError("OpenSSL could not encode");
  SecretBytes bytes = SecretBytes::CopyOf(absl::string_view(
      reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)));
  OPENSSL_clear_free(der, static_cast<std::size_t>(size));
  return bytes;
}

}  // namespace ostiary::key

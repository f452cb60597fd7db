#include "client/jwt/key_material.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace ostiary::jwt {
namespace {

constexpr std::size_t kCoordinateBytes = 32;
constexpr int kMinRsaBits = 2048;
constexpr int kMaxRsaBits = 8192;  // above it one check takes milliseconds
constexpr std::size_t kMaxExponentBytes = 4;

struct BnFree {
  void operator()(BIGNUM* number) const { BN_free(number); }
  void operator()(OSSL_PARAM_BLD* builder) const {
    OSSL_PARAM_BLD_free(builder);
  }
  void operator()(OSSL_PARAM* params) const { OSSL_PARAM_free(params); }
};
using BigNumber = std::unique_ptr<BIGNUM, BnFree>;
using ParamBuilder = std::unique_ptr<OSSL_PARAM_BLD, BnFree>;
using Params = std::unique_ptr<OSSL_PARAM, BnFree>;

const unsigned char* Bytes(absl::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

absl::Status Refused(absl::string_view why) {
  return absl::InvalidArgumentError(why);
}

BigNumber Number(absl::string_view big_endian) {
  return BigNumber(BN_bin2bn(Bytes(big_endian),
                             static_cast<int>(big_endian.size()), nullptr));
}

EvpKey KeyFromParams(const char* type, const ParamBuilder& builder) {
  const Params params(OSSL_PARAM_BLD_to_param(builder.get()));
  const EvpKeyContext context(
      EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (params == nullptr || context == nullptr ||
      EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY,
                        params.get()) != 1) {
    return nullptr;
  }
  return EvpKey(key);
}

// True if the numbers are a public key; for EC, a point on the curve.
bool PassesPublicCheck(EVP_PKEY* key) {
  const EvpKeyContext context(
      EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  return context != nullptr && EVP_PKEY_public_check(context.get()) == 1;
}

absl::StatusOr<EvpKey> MakeEcKey(const PublicJwk& jwk) {
  if (jwk.x.size() != kCoordinateBytes || jwk.y.size() != kCoordinateBytes) {
    return Refused("a P-256 coordinate must have 32 bytes");
  }
  const std::string point = std::string(1, '\x04') + jwk.x + jwk.y;
  const ParamBuilder builder(OSSL_PARAM_BLD_new());
  if (builder == nullptr ||
      OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME,
                                      "P-256", 0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY,
                                       point.data(), point.size()) != 1) {
    return Refused("the P-256 key could not be built");
  }
  EvpKey key = KeyFromParams("EC", builder);
  if (key == nullptr || !PassesPublicCheck(key.get())) {
    return Refused("the P-256 point is not on the curve");
  }
  return key;
}

bool IsPowerOf65537(unsigned remainder, unsigned prime) {
  unsigned power = 1;
  do {
    if (power == remainder) return true;
    power = power * (65537 % prime) % prime;
  } while (power != 1);
  return false;
}

// Keys of one smart-card library (CVE-2017-15361) can be factored. Their
// moduli are powers of 65537 modulo every small prime; another modulus passes
// all seventeen tests once in 2^27.
bool LooksLikeRoca(const BIGNUM* modulus) {
  for (const unsigned prime : {11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103,
                               107, 109, 127, 151, 157}) {
    const auto remainder = static_cast<unsigned>(BN_mod_word(modulus, prime));
    if (!IsPowerOf65537(remainder, prime)) return false;
  }
  return true;
}

absl::Status CheckRsaNumbers(const PublicJwk& jwk, const BIGNUM* n,
                             const BIGNUM* e) {
  if (jwk.n[0] == '\0' || jwk.e[0] == '\0') {
    return Refused("an RSA number has a leading zero byte");
  }
  const int bits = BN_num_bits(n);
  if (bits < kMinRsaBits || bits > kMaxRsaBits) {
    return Refused("an RSA modulus must have 2048 to 8192 bits");
  }
  if (!BN_is_odd(n)) return Refused("the RSA modulus is even");
  if (!BN_is_odd(e) || BN_is_one(e)) {
    return Refused("the RSA exponent must be odd and above 1");
  }
  if (LooksLikeRoca(n)) return Refused("the RSA modulus is of the ROCA family");
  return absl::OkStatus();
}

absl::StatusOr<EvpKey> MakeRsaKey(const PublicJwk& jwk) {
  if (jwk.n.empty() || jwk.n.size() > kMaxRsaBits / 8) {
    return Refused("an RSA modulus must have 2048 to 8192 bits");
  }
  if (jwk.e.empty() || jwk.e.size() > kMaxExponentBytes) {
    return Refused("an RSA exponent must have 1 to 4 bytes");
  }
  const BigNumber n = Number(jwk.n);
  const BigNumber e = Number(jwk.e);
  const ParamBuilder builder(OSSL_PARAM_BLD_new());
  if (n == nullptr || e == nullptr || builder == nullptr) {
    return Refused("the RSA key could not be built");
  }
  if (absl::Status good = CheckRsaNumbers(jwk, n.get(), e.get()); !good.ok()) {
    return good;
  }
  if (OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) !=
          1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) !=
          1) {
    return Refused("the RSA key could not be built");
  }
  EvpKey key = KeyFromParams("RSA", builder);
  if (key == nullptr) return Refused("the RSA key could not be built");
  return key;
}

// Points whose order is 1, 2, 4 or 8, in every encoding (the sign bit apart):
// under such a key a signature made without the private key passes easily. An
// all-zero key, the commonest mistake, is among them.
bool HasSmallOrder(std::string x) {
  x.back() = static_cast<char>(x.back() & 0x7f);
  const std::string zeros(kCoordinateBytes - 1, '\0');
  const std::string ones = std::string(kCoordinateBytes - 2, '\xff') + '\x7f';
  const absl::string_view order8a(
      "\x26\xe8\x95\x8f\xc2\xb2\x27\xb0\x45\xc3\xf4\x89\xf2\xef\x98\xf0"
      "\xd5\xdf\xac\x05\xd3\xc6\x33\x39\xb1\x38\x02\x88\x6d\x53\xfc\x05",
      kCoordinateBytes);
  const absl::string_view order8b(
      "\xc7\x17\x6a\x70\x3d\x4d\xd8\x4f\xba\x3c\x0b\x76\x0d\x10\x67\x0f"
      "\x2a\x20\x53\xfa\x2c\x39\xcc\xc6\x4e\xc7\xfd\x77\x92\xac\x03\x7a",
      kCoordinateBytes);
  return x == '\0' + zeros || x == '\1' + zeros || x == '\xec' + ones ||
         x == '\xed' + ones || x == '\xee' + ones || x == order8a ||
         x == order8b;
}

absl::StatusOr<EvpKey> MakeEd25519Key(const PublicJwk& jwk) {
  if (jwk.x.size() != kCoordinateBytes) {
    return Refused("an Ed25519 key must have 32 bytes");
  }
  if (HasSmallOrder(jwk.x)) return Refused("the Ed25519 key has small order");
  EvpKey key(EVP_PKEY_new_raw_public_key_ex(nullptr, "ED25519", nullptr,
                                            Bytes(jwk.x), jwk.x.size()));
  if (key == nullptr) return Refused("the Ed25519 key could not be built");
  return key;
}

}  // namespace

absl::StatusOr<EvpKey> MakeEvpKey(const PublicJwk& jwk) {
  switch (jwk.algorithm) {
    case Algorithm::kEs256:
      return MakeEcKey(jwk);
    case Algorithm::kRs256:
      return MakeRsaKey(jwk);
    case Algorithm::kEdDsa:
      return MakeEd25519Key(jwk);
  }
  return Refused("unknown algorithm");
}

}  // namespace ostiary::jwt

#ifndef OSTIARY_CLIENT_JWT_KEY_MATERIAL_H_
#define OSTIARY_CLIENT_JWT_KEY_MATERIAL_H_

// Internal to client/jwt: names OpenSSL types.

#include <openssl/evp.h>

#include <memory>

#include "absl/status/statusor.h"
#include "client/jwt/jwk.h"

namespace ostiary::jwt {

struct EvpFree {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  void operator()(EVP_MD* digest) const { EVP_MD_free(digest); }
};
using EvpKey = std::unique_ptr<EVP_PKEY, EvpFree>;
using EvpKeyContext = std::unique_ptr<EVP_PKEY_CTX, EvpFree>;
using EvpMessageContext = std::unique_ptr<EVP_MD_CTX, EvpFree>;
using EvpDigest = std::unique_ptr<EVP_MD, EvpFree>;

// The key `jwk` describes, or INVALID_ARGUMENT for every key that
// `VerifyingKey::Create` says it refuses (but for its kid).
absl::StatusOr<EvpKey> MakeEvpKey(const PublicJwk& jwk);

}  // namespace ostiary::jwt

#endif  // OSTIARY_CLIENT_JWT_KEY_MATERIAL_H_

#ifndef OSTIARY_CLIENT_JWT_ALGORITHM_H_
#define OSTIARY_CLIENT_JWT_ALGORITHM_H_

#include <optional>

#include "absl/strings/string_view.h"

namespace ostiary::jwt {

// Every signature algorithm there is, here. `none`, HMAC and encryption have
// no value, so no code path can choose them.
enum class Algorithm {
  kEs256,  // ECDSA, P-256, SHA-256; signature R || S, 64 bytes
  kRs256,  // RSASSA-PKCS1-v1_5, SHA-256, modulus of 2048 bits or more
  kEdDsa,  // Ed25519
};

// "ES256", "RS256", "EdDSA".
absl::string_view AlgorithmName(Algorithm algorithm);

// Case-sensitive. "Ed25519" (RFC 9864) is kEdDsa too: for the one curve
// accepted here both names mean the same computation.
std::optional<Algorithm> ParseAlgorithm(absl::string_view name);

}  // namespace ostiary::jwt

#endif  // OSTIARY_CLIENT_JWT_ALGORITHM_H_

#include "client/jwt/algorithm.h"

#include <cstdlib>

namespace ostiary::jwt {

absl::string_view AlgorithmName(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::kEs256:
      return "ES256";
    case Algorithm::kRs256:
      return "RS256";
    case Algorithm::kEdDsa:
      return "EdDSA";
  }
  std::abort();
}

std::optional<Algorithm> ParseAlgorithm(absl::string_view name) {
  if (name == "ES256") return Algorithm::kEs256;
  if (name == "RS256") return Algorithm::kRs256;
  if (name == "EdDSA" || name == "Ed25519") return Algorithm::kEdDsa;
  return std::nullopt;
}

}  // namespace ostiary::jwt

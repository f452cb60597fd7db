#include "server/password/decoys.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace ostiary::password {
namespace {

// A store holds a handful. More would be a store that cut them wrongly.
constexpr std::size_t kMaxShapes = 256;

// Above 0 and at most 1, evenly, from the first 53 bits of the HMAC.
double Uniform(absl::string_view key, absl::string_view message) {
  unsigned char digest[32];
  unsigned int size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(message.data()), message.size(),
       digest, &size);
  std::uint64_t bits = 0;
  for (int i = 0; i < 8; ++i) bits = (bits << 8) | digest[i];
  return (static_cast<double>(bits >> 11) + 1) / 9007199254740992.0;  // 2^53
}

}  // namespace

Decoys::Decoys(SecretBytes key, const HashParameters& current)
    : key_(std::move(key)),
      current_(PasswordHash::DecoyOf(current.Shape()).value()) {}

// Weighted rendezvous: the least -ln(u)/weight wins with the probability of its
// weight, and one that grows takes from the others only what it gains.
double Decoys::ScoreOf(absl::string_view identifier_key,
                       absl::string_view shape, std::int64_t count) const {
  const std::string message =
      absl::StrCat(identifier_key, absl::string_view("\0", 1), shape);
  return -std::log(Uniform(key_.Reveal(), message)) /
         static_cast<double>(count);
}

PasswordHash Decoys::For(absl::string_view identifier_key,
                         const HashShapes& shapes) const {
  std::vector<std::pair<double, absl::string_view>> ranked;
  for (const auto& [shape, count] : shapes) {
    if (count <= 0 || ranked.size() == kMaxShapes) continue;
    ranked.emplace_back(ScoreOf(identifier_key, shape, count), shape);
  }
  std::sort(ranked.begin(), ranked.end());
  for (const auto& [score, shape] : ranked) {
    absl::StatusOr<PasswordHash> decoy = PasswordHash::DecoyOf(shape);
    if (decoy.ok()) return *std::move(decoy);
  }
  return current_;
}

}  // namespace ostiary::password

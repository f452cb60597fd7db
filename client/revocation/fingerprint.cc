#include "client/revocation/fingerprint.h"

#include <openssl/sha.h>

#include <string>

#include "absl/strings/str_cat.h"

namespace ostiary::revocation {
namespace {

Fingerprint FirstBits(const std::string& text) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(),
         digest);
  std::uint64_t first = 0;
  for (int i = 0; i < 8; ++i) first = first << 8 | digest[i];
  return Fingerprint{first >> (64 - Fingerprint::kBits)};
}

}  // namespace

Fingerprint Fingerprint::OfToken(absl::string_view token_id) {
  return FirstBits(absl::StrCat("token:", token_id));
}

Fingerprint Fingerprint::OfSession(absl::string_view session_id) {
  return FirstBits(absl::StrCat("session:", session_id));
}

}  // namespace ostiary::revocation

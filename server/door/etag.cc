#include "server/door/etag.h"

#include <openssl/sha.h>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace ostiary::door {
namespace {

constexpr std::size_t kEtagBytes = 16;

}  // namespace

std::string EtagOf(const std::string& body) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(body.data()), body.size(),
         digest);
  return absl::StrCat("\"",
                      absl::BytesToHexString(absl::string_view(
                          reinterpret_cast<char*>(digest), kEtagBytes)),
                      "\"");
}

}  // namespace ostiary::door

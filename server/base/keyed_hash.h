#ifndef OSTIARY_SERVER_BASE_KEYED_HASH_H_
#define OSTIARY_SERVER_BASE_KEYED_HASH_H_

#include <string>

#include "absl/strings/string_view.h"

namespace ostiary {

// HMAC-SHA256 (RFC 2104), 32 bytes. Ends the process if OpenSSL fails: nothing
// tagged with less would be safe.
std::string HmacSha256(absl::string_view key, absl::string_view message);

}  // namespace ostiary

#endif  // OSTIARY_SERVER_BASE_KEYED_HASH_H_

#ifndef OSTIARY_CLIENT_CLI_TOKEN_INSPECT_H_
#define OSTIARY_CLIENT_CLI_TOKEN_INSPECT_H_

#include <boost/json/object.hpp>
#include <optional>

#include "absl/strings/string_view.h"

namespace ostiary::cli {

// What a token claims about itself. Anyone can write such a text: nothing in
// it is proven.
struct InspectedToken {
  boost::json::object header;
  boost::json::object claims;
};

// Decodes a compact JWS of at most 16 KiB. Nullopt if it is none: not three
// parts, not canonical base64url, not strict JSON objects. The signature is
// not looked at.
std::optional<InspectedToken> InspectToken(absl::string_view text);

}  // namespace ostiary::cli

#endif  // OSTIARY_CLIENT_CLI_TOKEN_INSPECT_H_

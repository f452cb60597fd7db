#ifndef OSTIARY_CLIENT_JWT_STRICT_JSON_H_
#define OSTIARY_CLIENT_JWT_STRICT_JSON_H_

// Names Boost types: for the rooms of client/ only, never in a public header.

#include <boost/json/object.hpp>
#include <boost/json/storage_ptr.hpp>
#include <boost/json/value.hpp>
#include <cstddef>
#include <optional>

#include "absl/strings/string_view.h"

namespace ostiary::jwt {

inline constexpr std::size_t kMaxJsonDepth = 32;

// RFC 8259 to the letter: valid UTF-8, no byte-order mark, no comments, no
// trailing text, at most kMaxJsonDepth deep, no number beyond a double. An
// object with two members of one name, however they are escaped, is refused at
// any depth: two readers could each believe another one. The caller bounds the
// size.
std::optional<boost::json::value> ParseStrictJson(
    absl::string_view text, boost::json::storage_ptr storage = {});

// The member called `name`, or null.
const boost::json::value* FindMember(const boost::json::object& object,
                                     absl::string_view name);

}  // namespace ostiary::jwt

#endif  // OSTIARY_CLIENT_JWT_STRICT_JSON_H_

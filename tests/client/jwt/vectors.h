#ifndef OSTIARY_TESTS_CLIENT_JWT_VECTORS_H_
#define OSTIARY_TESTS_CLIENT_JWT_VECTORS_H_

#include <boost/json/value.hpp>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace ostiary::jwt::testing {

// A file of tests/vectors. Ends the process if it is missing.
boost::json::value ReadVectors(const std::string& path);

// A Wycheproof file, from $OSTIARY_SHARED/vectors or from ../shared/vectors
// beside the source tree. Nullopt if it is in neither place: skip, loudly.
std::optional<boost::json::value> ReadWycheproof(const std::string& name);

std::string TextOf(const boost::json::value& value);
std::string FromHex(absl::string_view hex);

}  // namespace ostiary::jwt::testing

#endif  // OSTIARY_TESTS_CLIENT_JWT_VECTORS_H_

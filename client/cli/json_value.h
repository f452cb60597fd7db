#ifndef OSTIARY_CLIENT_CLI_JSON_VALUE_H_
#define OSTIARY_CLIENT_CLI_JSON_VALUE_H_

#include <boost/json/object.hpp>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "google/protobuf/struct.pb.h"

namespace ostiary::cli {

// A strict JSON object (no member twice, bounded depth); nullopt otherwise.
// The caller bounds the size.
std::optional<boost::json::object> ParseJsonObject(absl::string_view text);

// The member if it is a string; nullopt if it is missing or something else.
std::optional<std::string> StringMember(const boost::json::object& object,
                                        absl::string_view name);

// Numbers become doubles: a Struct knows no others.
google::protobuf::Struct ToStruct(const boost::json::object& object);

}  // namespace ostiary::cli

#endif  // OSTIARY_CLIENT_CLI_JSON_VALUE_H_

#ifndef OSTIARY_SERVER_HTTP_JSON_H_
#define OSTIARY_SERVER_HTTP_JSON_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace google::protobuf {
class Message;
}  // namespace google::protobuf

namespace ostiary::http {

// JSON and messages, both ways, by the ProtoJSON mapping. Our own, because
// protobuf 3.21's parser spent 62 s on one body of 60 KB, takes text that is
// not JSON, and quotes passwords in its errors (feasibility.md 3).

// Arrays and objects within each other, the whole text included.
inline constexpr int kMostJsonDepth = 32;

// Fills the empty `message` from `text`, which must be one JSON object in
// UTF-8. Names are lowerCamelCase or as in the .proto; null stands for absent.
// Stricter than the mapping asks: an unknown field or enum value, a name given
// twice and two members of one oneof are refused, so that a misspelt field
// never passes for an absent one. google.protobuf.Any has no special form.
//
// The error (ARGUMENT_INVALID) names the path of the field and what was
// expected, never a value: values are passwords and tokens. After an error
// `message` holds a part of the text; the caller drops it.
absl::Status ParseJson(absl::string_view text,
                       google::protobuf::Message& message);

// `message` as a JSON object: lowerCamelCase names, fields in the order of
// their numbers, map entries in the order of their keys, fields that hold
// their default left out, int64 as a string.
std::string PrintJson(const google::protobuf::Message& message);

}  // namespace ostiary::http

#endif  // OSTIARY_SERVER_HTTP_JSON_H_

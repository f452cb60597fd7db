#ifndef OSTIARY_SERVER_HTTP_JSON_SCALAR_H_
#define OSTIARY_SERVER_HTTP_JSON_SCALAR_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "server/http/json_document.h"

namespace google::protobuf {
class FieldDescriptor;
class Message;
}  // namespace google::protobuf

namespace ostiary::http {

// A JSON value on its way into a field that is not a message; the name of a
// map's entry becomes one, too.
struct JsonScalar {
  JsonKind kind;
  absl::string_view text;
};

// Sets the field of `message` (adds to it, if it is repeated). If the value
// does not fit: what was expected, for the error.
std::optional<std::string> PutScalar(
    JsonScalar scalar, const google::protobuf::FieldDescriptor& field,
    google::protobuf::Message& message);

}  // namespace ostiary::http

#endif  // OSTIARY_SERVER_HTTP_JSON_SCALAR_H_

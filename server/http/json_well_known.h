#ifndef OSTIARY_SERVER_HTTP_JSON_WELL_KNOWN_H_
#define OSTIARY_SERVER_HTTP_JSON_WELL_KNOWN_H_

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/field_mask.pb.h>
#include <google/protobuf/timestamp.pb.h>

#include <string>

#include "absl/strings/string_view.h"

// The JSON texts of protobuf's well-known types, without quotes.
namespace ostiary::http {

// RFC 3339: "2026-01-02T03:04:05Z", "2026-01-02T03:04:05.123456789+01:00".
// Years 1 to 9999. False if `text` is something else.
bool ParseTimestamp(absl::string_view text, google::protobuf::Timestamp& out);
// In UTC with 0, 3, 6 or 9 digits behind the second; empty if `time` is out of
// range.
std::string PrintTimestamp(const google::protobuf::Timestamp& time);

// "900s", "-1.5s"; at most 10,000 years. False if `text` is something else.
bool ParseDuration(absl::string_view text, google::protobuf::Duration& out);
// Empty if `duration` is out of range or its two parts disagree in sign.
std::string PrintDuration(const google::protobuf::Duration& duration);

// "displayName,account.email"; names as in the .proto are taken, too. False if
// a path is empty or holds other characters.
bool ParseFieldMask(absl::string_view text, google::protobuf::FieldMask& out);
std::string PrintFieldMask(const google::protobuf::FieldMask& mask);

// "display_name" as "displayName".
std::string LowerCamelCase(absl::string_view name);

}  // namespace ostiary::http

#endif  // OSTIARY_SERVER_HTTP_JSON_WELL_KNOWN_H_

#ifndef OSTIARY_CLIENT_CLI_OUTPUT_H_
#define OSTIARY_CLIENT_CLI_OUTPUT_H_

#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "client/cli/table.h"
#include "google/protobuf/message.h"

namespace ostiary::cli {

enum class Format { kTable, kJson };

// A field for people: times in RFC 3339 UTC, durations as "15m", enumerations
// in lower case without their prefix, lists joined by commas, structures as
// JSON, what is not set as nothing.
std::string FieldText(const google::protobuf::Message& message,
                      const google::protobuf::FieldDescriptor& field);

// One line of JSON: field names as in the contract, enumerations by name,
// times and durations as ProtoJSON has them, empty fields included. For our
// own messages only: nothing is parsed.
//
// INTERNAL if a value has no JSON form (a time out of range).
absl::Status WriteJson(const google::protobuf::Message& message,
                       std::ostream& out);

// One message: "name  value" lines, or one line of JSON. Messages inside are
// told as "outer.inner".
absl::Status Show(const google::protobuf::Message& message, Format format,
                  std::ostream& out);

// Many messages of one kind: a table with a column for each of `columns`, or
// one line of JSON for each message with all its fields.
class Rows {
 public:
  Rows(std::vector<std::string> columns, Format format, std::ostream& out);

  absl::Status Add(const google::protobuf::Message& message);
  // Writes what waits to be aligned. Without any row the header stands alone.
  void Flush();

 private:
  std::vector<std::string> columns_;
  Format format_;
  std::ostream& out_;
  Table table_;
};

}  // namespace ostiary::cli

#endif  // OSTIARY_CLIENT_CLI_OUTPUT_H_

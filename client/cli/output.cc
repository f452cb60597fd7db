#include "client/cli/output.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "client/cli/printable.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/timestamp.pb.h"
#include "google/protobuf/util/json_util.h"

namespace ostiary::cli {
namespace {

using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

absl::Status ToJson(const Message& message, std::string& json) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  options.always_print_primitive_fields = true;
  const auto status =
      google::protobuf::util::MessageToJsonString(message, &json, options);
  if (!status.ok()) {
    return absl::InternalError("the answer cannot be written as JSON");
  }
  json = Printable(json);
  return absl::OkStatus();
}

std::string TimeText(const google::protobuf::Timestamp& time) {
  return absl::FormatTime(
      "%Y-%m-%dT%H:%M:%SZ",
      absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos()),
      absl::UTCTimeZone());
}

std::string DurationText(const google::protobuf::Duration& duration) {
  return absl::FormatDuration(absl::Seconds(duration.seconds()) +
                              absl::Nanoseconds(duration.nanos()));
}

// SIGNING_KEY_STATE_ACTIVE of the enumeration SigningKeyState is "active".
std::string EnumText(const EnumValueDescriptor& value) {
  std::string prefix;
  for (const char letter : value.type()->name()) {
    if (absl::ascii_isupper(letter) && !prefix.empty()) prefix += '_';
    prefix += absl::ascii_toupper(letter);
  }
  prefix += '_';
  absl::string_view name = value.name();
  absl::ConsumePrefix(&name, prefix);
  return absl::AsciiStrToLower(name);
}

std::string MessageText(const Message& message) {
  using google::protobuf::Duration;
  using google::protobuf::Timestamp;
  if (const auto* time = dynamic_cast<const Timestamp*>(&message)) {
    return TimeText(*time);
  }
  if (const auto* duration = dynamic_cast<const Duration*>(&message)) {
    return DurationText(*duration);
  }
  std::string json;
  return ToJson(message, json).ok() ? json : "(no JSON form)";
}

std::string SingleText(const Message& message, const FieldDescriptor& field) {
  const auto& reflection = *message.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return reflection.GetString(message, &field);
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection.GetBool(message, &field) ? "true" : "false";
    case FieldDescriptor::CPPTYPE_INT32:
      return absl::StrCat(reflection.GetInt32(message, &field));
    case FieldDescriptor::CPPTYPE_ENUM:
      return EnumText(*reflection.GetEnum(message, &field));
    case FieldDescriptor::CPPTYPE_MESSAGE:
      if (!reflection.HasField(message, &field)) return "";
      return MessageText(reflection.GetMessage(message, &field));
    default:
      // The contract holds no other kind.
      return "(not shown)";
  }
}

std::string RepeatedText(const Message& message, const FieldDescriptor& field) {
  const auto& reflection = *message.GetReflection();
  std::vector<std::string> items;
  for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
    const bool is_text = field.cpp_type() == FieldDescriptor::CPPTYPE_STRING;
    items.push_back(is_text ? reflection.GetRepeatedString(message, &field, i)
                            : MessageText(reflection.GetRepeatedMessage(
                                  message, &field, i)));
  }
  return absl::StrJoin(items, ",");
}

bool IsOurMessage(const FieldDescriptor& field) {
  return field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE &&
         !field.is_repeated() &&
         absl::StartsWith(field.message_type()->full_name(), "ostiary.");
}

struct NamedValue {
  std::string name;
  std::string value;
};

void Collect(const Message& message, const std::string& prefix,
             std::vector<NamedValue>& out) {
  const auto& reflection = *message.GetReflection();
  const auto& type = *message.GetDescriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    const std::string name = absl::StrCat(prefix, field.name());
    if (!IsOurMessage(field)) {
      out.push_back({name, FieldText(message, field)});
    } else if (reflection.HasField(message, &field)) {
      Collect(reflection.GetMessage(message, &field), name + ".", out);
    }
  }
}

std::vector<std::string> HeaderOf(const std::vector<std::string>& columns) {
  std::vector<std::string> header;
  for (const std::string& column : columns) {
    header.push_back(absl::AsciiStrToUpper(column));
  }
  return header;
}

}  // namespace

std::string FieldText(const Message& message, const FieldDescriptor& field) {
  return field.is_repeated() ? RepeatedText(message, field)
                             : SingleText(message, field);
}

absl::Status WriteJson(const Message& message, std::ostream& out) {
  std::string json;
  if (auto status = ToJson(message, json); !status.ok()) return status;
  out << json << '\n';
  return absl::OkStatus();
}

absl::Status Show(const Message& message, Format format, std::ostream& out) {
  if (format == Format::kJson) return WriteJson(message, out);
  std::vector<NamedValue> values;
  Collect(message, "", values);
  std::size_t width = 0;
  for (const auto& row : values) width = std::max(width, row.name.size());
  for (const auto& row : values) {
    out << row.name << std::string(width - row.name.size() + 2, ' ')
        << (row.value.empty() ? "-" : Printable(row.value)) << '\n';
  }
  return absl::OkStatus();
}

Rows::Rows(std::vector<std::string> columns, Format format, std::ostream& out)
    : columns_(std::move(columns)),
      format_(format),
      out_(out),
      table_(HeaderOf(columns_)) {}

absl::Status Rows::Add(const Message& message) {
  if (format_ == Format::kJson) return WriteJson(message, out_);
  std::vector<std::string> cells;
  for (const std::string& column : columns_) {
    const auto* field = message.GetDescriptor()->FindFieldByName(column);
    cells.push_back(field == nullptr ? "" : FieldText(message, *field));
  }
  table_.AddRow(std::move(cells));
  return absl::OkStatus();
}

void Rows::Flush() {
  if (format_ == Format::kTable) table_.Flush(out_);
  out_.flush();
}

}  // namespace ostiary::cli

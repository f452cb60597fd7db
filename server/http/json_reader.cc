#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/struct.pb.h>

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "server/base/reason.h"
#include "server/http/json.h"
#include "server/http/json_document.h"
#include "server/http/json_number.h"
#include "server/http/json_scalar.h"
#include "server/http/json_well_known.h"

namespace ostiary::http {
namespace {

namespace pb = google::protobuf;
using Field = pb::FieldDescriptor;

// A name from the text, fit for an error: short and without surprises.
std::string Printable(absl::string_view name) {
  std::string out(name.substr(0, 64));
  for (char& c : out) {
    const auto byte = static_cast<unsigned char>(c);
    if (!absl::ascii_isalnum(byte) && c != '_' && c != '-' && c != '.') c = '?';
  }
  return out;
}

bool IsValueType(const Field& field) {
  return field.cpp_type() == Field::CPPTYPE_MESSAGE &&
         field.message_type()->well_known_type() ==
             pb::Descriptor::WELLKNOWNTYPE_VALUE;
}

class Reader {
 public:
  absl::Status ReadRoot(JsonValue value, pb::Message& message) {
    if (!value.Is(JsonKind::kObject)) {
      return Refuse(Reason::kArgumentInvalid,
                    "The body must be a JSON object.");
    }
    return ReadFields(value, message);
  }

 private:
  // Where we are, for errors: "account.roles[2]".
  class Step {
   public:
    Step(std::string& path, absl::string_view name)
        : path_(path), size_(path.size()) {
      absl::StrAppend(&path_, path_.empty() ? "" : ".", name);
    }
    Step(std::string& path, int index) : path_(path), size_(path.size()) {
      absl::StrAppend(&path_, "[", index, "]");
    }
    ~Step() { path_.resize(size_); }
    Step(const Step&) = delete;
    Step& operator=(const Step&) = delete;

   private:
    std::string& path_;
    const std::size_t size_;
  };

  absl::Status Expected(absl::string_view what) const {
    return RefuseField(path_, absl::StrCat("expected ", what));
  }

  absl::Status ReadFields(JsonValue object, pb::Message& message);
  absl::Status ReadField(JsonValue value, const Field& field,
                         pb::Message& message);
  absl::Status ReadRepeated(JsonValue array, const Field& field,
                            pb::Message& message);
  absl::Status ReadMap(JsonValue object, const Field& field,
                       pb::Message& message);
  // One value, set or added.
  absl::Status ReadOne(JsonValue value, const Field& field,
                       pb::Message& message);
  absl::Status ReadMessage(JsonValue value, pb::Message& message);
  absl::Status ReadScalar(JsonScalar scalar, const Field& field,
                          pb::Message& message);

  absl::Status ReadStruct(JsonValue value, pb::Struct& out);
  absl::Status ReadList(JsonValue value, pb::ListValue& out);
  absl::Status ReadValue(JsonValue value, pb::Value& out);

  std::string path_;
};

absl::Status Reader::ReadFields(JsonValue object, pb::Message& message) {
  if (!object.Is(JsonKind::kObject)) return Expected("an object");
  const pb::Descriptor& type = *message.GetDescriptor();
  std::vector<bool> seen(static_cast<std::size_t>(type.field_count()));
  for (const JsonValue member : object) {
    const std::string name(member.key());
    const Field* field = type.FindFieldByName(name);
    if (field == nullptr) field = type.FindFieldByCamelcaseName(name);
    const Step step(path_, field == nullptr ? absl::string_view(Printable(name))
                                            : absl::string_view(field->name()));
    if (field == nullptr) return RefuseField(path_, "there is no such field");
    const auto index = static_cast<std::size_t>(field->index());
    if (seen[index]) return RefuseField(path_, "given twice");
    seen[index] = true;
    if (absl::Status s = ReadField(member, *field, message); !s.ok()) return s;
  }
  return absl::OkStatus();
}

absl::Status Reader::ReadField(JsonValue value, const Field& field,
                               pb::Message& message) {
  if (value.Is(JsonKind::kNull) && !IsValueType(field)) return absl::OkStatus();
  const pb::OneofDescriptor* const oneof = field.real_containing_oneof();
  if (oneof != nullptr && message.GetReflection()->HasOneof(message, oneof)) {
    return RefuseField(path_, absl::StrCat("only one member of \"",
                                           oneof->name(), "\" may be given"));
  }
  if (field.is_map()) return ReadMap(value, field, message);
  if (field.is_repeated()) return ReadRepeated(value, field, message);
  return ReadOne(value, field, message);
}

absl::Status Reader::ReadRepeated(JsonValue array, const Field& field,
                                  pb::Message& message) {
  if (!array.Is(JsonKind::kArray)) return Expected("an array");
  int index = 0;
  for (const JsonValue element : array) {
    const Step step(path_, index++);
    if (absl::Status s = ReadOne(element, field, message); !s.ok()) return s;
  }
  return absl::OkStatus();
}

absl::Status Reader::ReadMap(JsonValue object, const Field& field,
                             pb::Message& message) {
  if (!object.Is(JsonKind::kObject)) return Expected("an object");
  const Field& key = *field.message_type()->map_key();
  const Field& value = *field.message_type()->map_value();
  std::set<absl::string_view> seen;
  for (const JsonValue member : object) {
    const Step step(path_, Printable(member.key()));
    if (!seen.insert(member.key()).second)
      return RefuseField(path_, "given twice");
    JsonScalar name{JsonKind::kString, member.key()};
    if (key.cpp_type() == Field::CPPTYPE_BOOL && name.text == "true")
      name.kind = JsonKind::kTrue;
    if (key.cpp_type() == Field::CPPTYPE_BOOL && name.text == "false")
      name.kind = JsonKind::kFalse;
    pb::Message& entry = *message.GetReflection()->AddMessage(&message, &field);
    if (absl::Status s = ReadScalar(name, key, entry); !s.ok()) return s;
    if (absl::Status s = ReadOne(member, value, entry); !s.ok()) return s;
  }
  return absl::OkStatus();
}

absl::Status Reader::ReadOne(JsonValue value, const Field& field,
                             pb::Message& message) {
  if (field.cpp_type() != Field::CPPTYPE_MESSAGE)
    return ReadScalar({value.kind(), value.text()}, field, message);
  const pb::Reflection& reflection = *message.GetReflection();
  return ReadMessage(value, field.is_repeated()
                                ? *reflection.AddMessage(&message, &field)
                                : *reflection.MutableMessage(&message, &field));
}

absl::Status Reader::ReadScalar(JsonScalar scalar, const Field& field,
                                pb::Message& message) {
  const std::optional<std::string> expected = PutScalar(scalar, field, message);
  return expected.has_value() ? Expected(*expected) : absl::OkStatus();
}

absl::Status Reader::ReadMessage(JsonValue value, pb::Message& message) {
  const absl::string_view text =
      value.Is(JsonKind::kString) ? value.text() : absl::string_view();
  switch (message.GetDescriptor()->well_known_type()) {
    case pb::Descriptor::WELLKNOWNTYPE_TIMESTAMP:
      return ParseTimestamp(text, static_cast<pb::Timestamp&>(message))
                 ? absl::OkStatus()
                 : Expected("a time such as \"2026-01-02T03:04:05Z\"");
    case pb::Descriptor::WELLKNOWNTYPE_DURATION:
      return ParseDuration(text, static_cast<pb::Duration&>(message))
                 ? absl::OkStatus()
                 : Expected("a duration such as \"900s\" or \"1.5s\"");
    case pb::Descriptor::WELLKNOWNTYPE_FIELDMASK:
      return value.Is(JsonKind::kString) &&
                     ParseFieldMask(text, static_cast<pb::FieldMask&>(message))
                 ? absl::OkStatus()
                 : Expected("names of fields such as \"displayName,email\"");
    case pb::Descriptor::WELLKNOWNTYPE_STRUCT:
      return ReadStruct(value, static_cast<pb::Struct&>(message));
    case pb::Descriptor::WELLKNOWNTYPE_LISTVALUE:
      return ReadList(value, static_cast<pb::ListValue&>(message));
    case pb::Descriptor::WELLKNOWNTYPE_VALUE:
      return ReadValue(value, static_cast<pb::Value&>(message));
    case pb::Descriptor::WELLKNOWNTYPE_DOUBLEVALUE:
    case pb::Descriptor::WELLKNOWNTYPE_FLOATVALUE:
    case pb::Descriptor::WELLKNOWNTYPE_INT64VALUE:
    case pb::Descriptor::WELLKNOWNTYPE_UINT64VALUE:
    case pb::Descriptor::WELLKNOWNTYPE_INT32VALUE:
    case pb::Descriptor::WELLKNOWNTYPE_UINT32VALUE:
    case pb::Descriptor::WELLKNOWNTYPE_STRINGVALUE:
    case pb::Descriptor::WELLKNOWNTYPE_BYTESVALUE:
    case pb::Descriptor::WELLKNOWNTYPE_BOOLVALUE:
      return ReadOne(value, *message.GetDescriptor()->field(0), message);
    default:
      return ReadFields(value, message);
  }
}

absl::Status Reader::ReadStruct(JsonValue value, pb::Struct& out) {
  if (!value.Is(JsonKind::kObject)) return Expected("an object");
  for (const JsonValue member : value) {
    const Step step(path_, Printable(member.key()));
    const std::string name(member.key());
    if (out.fields().contains(name)) return RefuseField(path_, "given twice");
    if (absl::Status s = ReadValue(member, (*out.mutable_fields())[name]);
        !s.ok()) {
      return s;
    }
  }
  return absl::OkStatus();
}

absl::Status Reader::ReadList(JsonValue value, pb::ListValue& out) {
  if (!value.Is(JsonKind::kArray)) return Expected("an array");
  int index = 0;
  for (const JsonValue element : value) {
    const Step step(path_, index++);
    if (absl::Status s = ReadValue(element, *out.add_values()); !s.ok())
      return s;
  }
  return absl::OkStatus();
}

absl::Status Reader::ReadValue(JsonValue value, pb::Value& out) {
  switch (value.kind()) {
    case JsonKind::kNull:
      out.set_null_value(pb::NULL_VALUE);
      return absl::OkStatus();
    case JsonKind::kFalse:
    case JsonKind::kTrue:
      out.set_bool_value(value.Is(JsonKind::kTrue));
      return absl::OkStatus();
    case JsonKind::kNumber: {
      const std::optional<double> number = ParseJsonDouble(value.text());
      if (!number.has_value()) return Expected("a number in range");
      out.set_number_value(*number);
      return absl::OkStatus();
    }
    case JsonKind::kString:
      out.set_string_value(std::string(value.text()));
      return absl::OkStatus();
    case JsonKind::kArray:
      return ReadList(value, *out.mutable_list_value());
    case JsonKind::kObject:
      return ReadStruct(value, *out.mutable_struct_value());
  }
  return Expected("a JSON value");
}

}  // namespace

absl::Status ParseJson(absl::string_view text, pb::Message& message) {
  const absl::StatusOr<JsonDocument> document =
      JsonDocument::Parse(text, kMostJsonDepth);
  if (!document.ok()) return document.status();
  return Reader().ReadRoot(document->root(), message);
}

}  // namespace ostiary::http

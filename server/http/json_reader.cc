#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/struct.pb.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "server/base/reason.h"
#include "server/http/json.h"
#include "server/http/json_document.h"
#include "server/http/json_number.h"
#include "server/http/json_well_known.h"

namespace ostiary::http {
namespace {

namespace pb = google::protobuf;
using Field = pb::FieldDescriptor;

// A scalar on its way into a field; the name of a map entry becomes one, too.
struct Scalar {
  JsonKind kind;
  absl::string_view text;

  bool IsText() const { return kind == JsonKind::kString; }
  bool IsNumeric() const { return IsText() || kind == JsonKind::kNumber; }
};

// A name from the text, fit for an error: short and without surprises.
std::string Printable(absl::string_view name) {
  std::string out(name.substr(0, 64));
  for (char& c : out) {
    const auto byte = static_cast<unsigned char>(c);
    if (!absl::ascii_isalnum(byte) && c != '_' && c != '-' && c != '.') c = '?';
  }
  return out;
}

// Standard or URL-safe alphabet, with or without padding.
bool ParseBase64(absl::string_view text, std::string& out) {
  std::string standard(text);
  for (char& c : standard) {
    if (c == '-') c = '+';
    if (c == '_') c = '/';
    if (absl::ascii_isspace(static_cast<unsigned char>(c))) return false;
  }
  return absl::Base64Unescape(standard, &out);
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
  absl::Status ReadScalar(Scalar scalar, const Field& field,
                          pb::Message& message);
  absl::Status ReadEnum(Scalar scalar, const Field& field,
                        pb::Message& message);
  template <typename Int, typename Put>
  absl::Status ReadInteger(Scalar scalar, absl::string_view what, Put put);

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
    Scalar name{JsonKind::kString, member.key()};
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

template <typename Int, typename Put>
absl::Status Reader::ReadInteger(Scalar scalar, absl::string_view what,
                                 Put put) {
  // In quotes only as digits: "1e3" is a text.
  if (!scalar.IsNumeric() || (scalar.IsText() && !IsPlainInteger(scalar.text)))
    return Expected(what);
  const std::optional<Int> value = ParseJsonInteger<Int>(scalar.text);
  if (!value.has_value()) return Expected(what);
  put(*value);
  return absl::OkStatus();
}

absl::Status Reader::ReadEnum(Scalar scalar, const Field& field,
                              pb::Message& message) {
  const pb::EnumDescriptor& type = *field.enum_type();
  const pb::EnumValueDescriptor* value = nullptr;
  if (scalar.IsText()) {
    value = type.FindValueByName(std::string(scalar.text));
  } else if (scalar.kind == JsonKind::kNumber) {
    const auto number = ParseJsonInteger<std::int32_t>(scalar.text);
    if (number.has_value()) value = type.FindValueByNumber(*number);
  }
  if (value == nullptr) {
    return Expected(absl::StrCat("the name or number of a value of ",
                                 std::string(type.name())));
  }
  const pb::Reflection& reflection = *message.GetReflection();
  field.is_repeated() ? reflection.AddEnum(&message, &field, value)
                      : reflection.SetEnum(&message, &field, value);
  return absl::OkStatus();
}

absl::Status Reader::ReadScalar(Scalar scalar, const Field& field,
                                pb::Message& message) {
  const pb::Reflection& r = *message.GetReflection();
  const bool add = field.is_repeated();
  switch (field.cpp_type()) {
    case Field::CPPTYPE_INT32:
      return ReadInteger<std::int32_t>(scalar, "an integer of 32 bits",
                                       [&](std::int32_t v) {
                                         add ? r.AddInt32(&message, &field, v)
                                             : r.SetInt32(&message, &field, v);
                                       });
    case Field::CPPTYPE_INT64:
      return ReadInteger<std::int64_t>(scalar, "an integer of 64 bits",
                                       [&](std::int64_t v) {
                                         add ? r.AddInt64(&message, &field, v)
                                             : r.SetInt64(&message, &field, v);
                                       });
    case Field::CPPTYPE_UINT32:
      return ReadInteger<std::uint32_t>(
          scalar, "an integer of 32 bits, not negative", [&](std::uint32_t v) {
            add ? r.AddUInt32(&message, &field, v)
                : r.SetUInt32(&message, &field, v);
          });
    case Field::CPPTYPE_UINT64:
      return ReadInteger<std::uint64_t>(
          scalar, "an integer of 64 bits, not negative", [&](std::uint64_t v) {
            add ? r.AddUInt64(&message, &field, v)
                : r.SetUInt64(&message, &field, v);
          });
    case Field::CPPTYPE_DOUBLE: {
      const auto v = scalar.IsNumeric() ? ParseJsonDouble(scalar.text)
                                        : std::optional<double>();
      if (!v.has_value()) return Expected("a number");
      add ? r.AddDouble(&message, &field, *v)
          : r.SetDouble(&message, &field, *v);
      return absl::OkStatus();
    }
    case Field::CPPTYPE_FLOAT: {
      const auto v = scalar.IsNumeric() ? ParseJsonDouble(scalar.text)
                                        : std::optional<double>();
      const bool fits =
          v.has_value() && (!std::isfinite(*v) ||
                            std::fabs(*v) <= std::numeric_limits<float>::max());
      if (!fits) return Expected("a number of single precision");
      const auto single = static_cast<float>(*v);
      add ? r.AddFloat(&message, &field, single)
          : r.SetFloat(&message, &field, single);
      return absl::OkStatus();
    }
    case Field::CPPTYPE_BOOL: {
      const bool v = scalar.kind == JsonKind::kTrue;
      if (!v && scalar.kind != JsonKind::kFalse)
        return Expected("true or false");
      add ? r.AddBool(&message, &field, v) : r.SetBool(&message, &field, v);
      return absl::OkStatus();
    }
    case Field::CPPTYPE_STRING: {
      if (!scalar.IsText()) return Expected("a string");
      std::string v(scalar.text);
      if (field.type() == Field::TYPE_BYTES && !ParseBase64(scalar.text, v))
        return Expected("bytes in base64");
      add ? r.AddString(&message, &field, std::move(v))
          : r.SetString(&message, &field, std::move(v));
      return absl::OkStatus();
    }
    case Field::CPPTYPE_ENUM:
      return ReadEnum(scalar, field, message);
    case Field::CPPTYPE_MESSAGE:
      break;
  }
  return Expected("nothing of this kind");
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

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/struct.pb.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "server/http/json.h"
#include "server/http/json_number.h"
#include "server/http/json_text.h"
#include "server/http/json_well_known.h"

namespace ostiary::http {
namespace {

namespace pb = google::protobuf;
using Field = pb::FieldDescriptor;

class Printer {
 public:
  explicit Printer(std::string& out) : out_(out) {}

  void PrintFields(const pb::Message& message);

 private:
  // The comma between two members or elements.
  void Separate(bool& first) {
    if (!first) out_.push_back(',');
    first = false;
  }
  void PrintName(absl::string_view name) {
    AppendJsonString(name, out_);
    out_.push_back(':');
  }
  // A value that has no JSON text becomes null: absent.
  void PrintTextOrNull(absl::string_view text) {
    if (text.empty()) {
      out_.append("null");
    } else {
      AppendJsonString(text, out_);
    }
  }

  void PrintField(const pb::Message& message, const Field& field);
  void PrintRepeated(const pb::Message& message, const Field& field);
  void PrintMap(const pb::Message& message, const Field& field);
  std::string MapKey(const pb::Message& entry, const Field& key) const;
  void PrintMessage(const pb::Message& message);
  void PrintStruct(const pb::Struct& value);
  void PrintList(const pb::ListValue& value);
  void PrintValue(const pb::Value& value);
  void PrintEnum(const Field& field, int number);
  void PrintText(const Field& field, const std::string& text);

  std::string& out_;
};

void Printer::PrintFields(const pb::Message& message) {
  std::vector<const Field*> fields;
  message.GetReflection()->ListFields(message, &fields);
  out_.push_back('{');
  bool first = true;
  for (const Field* const field : fields) {
    if (field->is_extension()) continue;
    Separate(first);
    PrintName(std::string(field->json_name()));
    if (field->is_map()) {
      PrintMap(message, *field);
    } else if (field->is_repeated()) {
      PrintRepeated(message, *field);
    } else {
      PrintField(message, *field);
    }
  }
  out_.push_back('}');
}

void Printer::PrintEnum(const Field& field, int number) {
  const pb::EnumValueDescriptor* const value =
      field.enum_type()->FindValueByNumber(number);
  if (value == nullptr) {
    absl::StrAppend(&out_, number);
  } else {
    AppendJsonString(std::string(value->name()), out_);
  }
}

void Printer::PrintText(const Field& field, const std::string& text) {
  AppendJsonString(
      field.type() == Field::TYPE_BYTES ? absl::Base64Escape(text) : text,
      out_);
}

void Printer::PrintField(const pb::Message& message, const Field& field) {
  const pb::Reflection& r = *message.GetReflection();
  switch (field.cpp_type()) {
    case Field::CPPTYPE_INT32:
      absl::StrAppend(&out_, r.GetInt32(message, &field));
      return;
    case Field::CPPTYPE_UINT32:
      absl::StrAppend(&out_, r.GetUInt32(message, &field));
      return;
    case Field::CPPTYPE_INT64:
      absl::StrAppend(&out_, "\"", r.GetInt64(message, &field), "\"");
      return;
    case Field::CPPTYPE_UINT64:
      absl::StrAppend(&out_, "\"", r.GetUInt64(message, &field), "\"");
      return;
    case Field::CPPTYPE_DOUBLE:
      return AppendJsonDouble(r.GetDouble(message, &field), out_);
    case Field::CPPTYPE_FLOAT:
      return AppendJsonFloat(r.GetFloat(message, &field), out_);
    case Field::CPPTYPE_BOOL:
      out_.append(r.GetBool(message, &field) ? "true" : "false");
      return;
    case Field::CPPTYPE_ENUM:
      return PrintEnum(field, r.GetEnumValue(message, &field));
    case Field::CPPTYPE_STRING: {
      std::string scratch;
      return PrintText(field, r.GetStringReference(message, &field, &scratch));
    }
    case Field::CPPTYPE_MESSAGE:
      return PrintMessage(r.GetMessage(message, &field));
  }
}

void Printer::PrintRepeated(const pb::Message& message, const Field& field) {
  const pb::Reflection& r = *message.GetReflection();
  const int size = r.FieldSize(message, &field);
  out_.push_back('[');
  for (int i = 0; i < size; ++i) {
    if (i > 0) out_.push_back(',');
    switch (field.cpp_type()) {
      case Field::CPPTYPE_INT32:
        absl::StrAppend(&out_, r.GetRepeatedInt32(message, &field, i));
        break;
      case Field::CPPTYPE_UINT32:
        absl::StrAppend(&out_, r.GetRepeatedUInt32(message, &field, i));
        break;
      case Field::CPPTYPE_INT64:
        absl::StrAppend(&out_, "\"", r.GetRepeatedInt64(message, &field, i),
                        "\"");
        break;
      case Field::CPPTYPE_UINT64:
        absl::StrAppend(&out_, "\"", r.GetRepeatedUInt64(message, &field, i),
                        "\"");
        break;
      case Field::CPPTYPE_DOUBLE:
        AppendJsonDouble(r.GetRepeatedDouble(message, &field, i), out_);
        break;
      case Field::CPPTYPE_FLOAT:
        AppendJsonFloat(r.GetRepeatedFloat(message, &field, i), out_);
        break;
      case Field::CPPTYPE_BOOL:
        out_.append(r.GetRepeatedBool(message, &field, i) ? "true" : "false");
        break;
      case Field::CPPTYPE_ENUM:
        PrintEnum(field, r.GetRepeatedEnumValue(message, &field, i));
        break;
      case Field::CPPTYPE_STRING:
        PrintText(field, r.GetRepeatedString(message, &field, i));
        break;
      case Field::CPPTYPE_MESSAGE:
        PrintMessage(r.GetRepeatedMessage(message, &field, i));
        break;
    }
  }
  out_.push_back(']');
}

std::string Printer::MapKey(const pb::Message& entry, const Field& key) const {
  if (key.cpp_type() == Field::CPPTYPE_STRING)
    return entry.GetReflection()->GetString(entry, &key);
  std::string text;
  Printer(text).PrintField(entry, key);
  text.erase(std::remove(text.begin(), text.end(), '"'), text.end());
  return text;
}

void Printer::PrintMap(const pb::Message& message, const Field& field) {
  const pb::Reflection& r = *message.GetReflection();
  const Field& key = *field.message_type()->map_key();
  std::vector<std::pair<std::string, const pb::Message*>> entries;
  for (int i = 0; i < r.FieldSize(message, &field); ++i) {
    const pb::Message& entry = r.GetRepeatedMessage(message, &field, i);
    entries.emplace_back(MapKey(entry, key), &entry);
  }
  std::sort(entries.begin(), entries.end());
  out_.push_back('{');
  bool first = true;
  for (const auto& [name, entry] : entries) {
    Separate(first);
    PrintName(name);
    PrintField(*entry, *field.message_type()->map_value());
  }
  out_.push_back('}');
}

void Printer::PrintMessage(const pb::Message& message) {
  switch (message.GetDescriptor()->well_known_type()) {
    case pb::Descriptor::WELLKNOWNTYPE_TIMESTAMP:
      return PrintTextOrNull(
          PrintTimestamp(static_cast<const pb::Timestamp&>(message)));
    case pb::Descriptor::WELLKNOWNTYPE_DURATION:
      return PrintTextOrNull(
          PrintDuration(static_cast<const pb::Duration&>(message)));
    case pb::Descriptor::WELLKNOWNTYPE_FIELDMASK:
      return AppendJsonString(
          PrintFieldMask(static_cast<const pb::FieldMask&>(message)), out_);
    case pb::Descriptor::WELLKNOWNTYPE_STRUCT:
      return PrintStruct(static_cast<const pb::Struct&>(message));
    case pb::Descriptor::WELLKNOWNTYPE_LISTVALUE:
      return PrintList(static_cast<const pb::ListValue&>(message));
    case pb::Descriptor::WELLKNOWNTYPE_VALUE:
      return PrintValue(static_cast<const pb::Value&>(message));
    case pb::Descriptor::WELLKNOWNTYPE_DOUBLEVALUE:
    case pb::Descriptor::WELLKNOWNTYPE_FLOATVALUE:
    case pb::Descriptor::WELLKNOWNTYPE_INT64VALUE:
    case pb::Descriptor::WELLKNOWNTYPE_UINT64VALUE:
    case pb::Descriptor::WELLKNOWNTYPE_INT32VALUE:
    case pb::Descriptor::WELLKNOWNTYPE_UINT32VALUE:
    case pb::Descriptor::WELLKNOWNTYPE_STRINGVALUE:
    case pb::Descriptor::WELLKNOWNTYPE_BYTESVALUE:
    case pb::Descriptor::WELLKNOWNTYPE_BOOLVALUE:
      return PrintField(message, *message.GetDescriptor()->field(0));
    default:
      return PrintFields(message);
  }
}

void Printer::PrintStruct(const pb::Struct& value) {
  std::vector<std::pair<absl::string_view, const pb::Value*>> members;
  for (const auto& [name, member] : value.fields())
    members.emplace_back(name, &member);
  std::sort(members.begin(), members.end());
  out_.push_back('{');
  bool first = true;
  for (const auto& [name, member] : members) {
    Separate(first);
    PrintName(name);
    PrintValue(*member);
  }
  out_.push_back('}');
}

void Printer::PrintList(const pb::ListValue& value) {
  out_.push_back('[');
  bool first = true;
  for (const pb::Value& element : value.values()) {
    Separate(first);
    PrintValue(element);
  }
  out_.push_back(']');
}

void Printer::PrintValue(const pb::Value& value) {
  switch (value.kind_case()) {
    case pb::Value::kBoolValue:
      out_.append(value.bool_value() ? "true" : "false");
      return;
    case pb::Value::kNumberValue:
      if (std::isfinite(value.number_value()))
        return AppendJsonDouble(value.number_value(), out_);
      out_.append("null");
      return;
    case pb::Value::kStringValue:
      return AppendJsonString(value.string_value(), out_);
    case pb::Value::kStructValue:
      return PrintStruct(value.struct_value());
    case pb::Value::kListValue:
      return PrintList(value.list_value());
    case pb::Value::kNullValue:
    case pb::Value::KIND_NOT_SET:
      out_.append("null");
      return;
  }
}

}  // namespace

std::string PrintJson(const pb::Message& message) {
  std::string out;
  Printer(out).PrintFields(message);
  return out;
}

}  // namespace ostiary::http

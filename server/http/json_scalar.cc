#include "server/http/json_scalar.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "server/http/json_number.h"

namespace ostiary::http {
namespace {

namespace pb = google::protobuf;
using Field = pb::FieldDescriptor;

// What was expected; nothing: the value fits.
using Verdict = std::optional<std::string>;

bool IsText(JsonScalar scalar) { return scalar.kind == JsonKind::kString; }

template <typename Int>
std::optional<Int> IntegerOf(JsonScalar scalar) {
  // In quotes only as digits: "1e3" is a text.
  if (scalar.kind != JsonKind::kNumber &&
      !(IsText(scalar) && IsPlainInteger(scalar.text))) {
    return std::nullopt;
  }
  return ParseJsonInteger<Int>(scalar.text);
}

std::optional<double> NumberOf(JsonScalar scalar) {
  if (scalar.kind != JsonKind::kNumber && !IsText(scalar)) return std::nullopt;
  return ParseJsonDouble(scalar.text);
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

// One field of one message, about to be set or added to.
class Place {
 public:
  Place(const Field& field, pb::Message& message)
      : field_(field), message_(message), r_(*message.GetReflection()) {}

  void Put(std::int32_t v) {
    add() ? r_.AddInt32(&message_, &field_, v)
          : r_.SetInt32(&message_, &field_, v);
  }
  void Put(std::int64_t v) {
    add() ? r_.AddInt64(&message_, &field_, v)
          : r_.SetInt64(&message_, &field_, v);
  }
  void Put(std::uint32_t v) {
    add() ? r_.AddUInt32(&message_, &field_, v)
          : r_.SetUInt32(&message_, &field_, v);
  }
  void Put(std::uint64_t v) {
    add() ? r_.AddUInt64(&message_, &field_, v)
          : r_.SetUInt64(&message_, &field_, v);
  }
  void Put(double v) {
    add() ? r_.AddDouble(&message_, &field_, v)
          : r_.SetDouble(&message_, &field_, v);
  }
  void Put(float v) {
    add() ? r_.AddFloat(&message_, &field_, v)
          : r_.SetFloat(&message_, &field_, v);
  }
  void Put(bool v) {
    add() ? r_.AddBool(&message_, &field_, v)
          : r_.SetBool(&message_, &field_, v);
  }
  void Put(const pb::EnumValueDescriptor* v) {
    add() ? r_.AddEnum(&message_, &field_, v)
          : r_.SetEnum(&message_, &field_, v);
  }
  void Put(std::string v) {
    add() ? r_.AddString(&message_, &field_, std::move(v))
          : r_.SetString(&message_, &field_, std::move(v));
  }

 private:
  bool add() const { return field_.is_repeated(); }

  const Field& field_;
  pb::Message& message_;
  const pb::Reflection& r_;
};

template <typename Int>
Verdict PutInteger(JsonScalar scalar, const char* expected, Place place) {
  const std::optional<Int> value = IntegerOf<Int>(scalar);
  if (!value.has_value()) return expected;
  place.Put(*value);
  return std::nullopt;
}

Verdict PutDouble(JsonScalar scalar, Place place) {
  const std::optional<double> value = NumberOf(scalar);
  if (!value.has_value()) return "a number";
  place.Put(*value);
  return std::nullopt;
}

Verdict PutFloat(JsonScalar scalar, Place place) {
  const std::optional<double> value = NumberOf(scalar);
  if (!value.has_value() ||
      (std::isfinite(*value) &&
       std::fabs(*value) > std::numeric_limits<float>::max())) {
    return "a number of single precision";
  }
  place.Put(static_cast<float>(*value));
  return std::nullopt;
}

Verdict PutBool(JsonScalar scalar, Place place) {
  const bool value = scalar.kind == JsonKind::kTrue;
  if (!value && scalar.kind != JsonKind::kFalse) return "true or false";
  place.Put(value);
  return std::nullopt;
}

Verdict PutText(JsonScalar scalar, const Field& field, Place place) {
  if (!IsText(scalar)) return "a string";
  std::string value(scalar.text);
  if (field.type() == Field::TYPE_BYTES && !ParseBase64(scalar.text, value))
    return "bytes in base64";
  place.Put(std::move(value));
  return std::nullopt;
}

Verdict PutEnum(JsonScalar scalar, const Field& field, Place place) {
  const pb::EnumDescriptor& type = *field.enum_type();
  const pb::EnumValueDescriptor* value = nullptr;
  if (IsText(scalar)) {
    value = type.FindValueByName(std::string(scalar.text));
  } else if (const auto number = IntegerOf<std::int32_t>(scalar)) {
    value = type.FindValueByNumber(*number);
  }
  if (value == nullptr) {
    return absl::StrCat("the name or number of a value of ",
                        std::string(type.name()));
  }
  place.Put(value);
  return std::nullopt;
}

}  // namespace

std::optional<std::string> PutScalar(JsonScalar scalar, const Field& field,
                                     pb::Message& message) {
  const Place place(field, message);
  switch (field.cpp_type()) {
    case Field::CPPTYPE_INT32:
      return PutInteger<std::int32_t>(scalar, "an integer of 32 bits", place);
    case Field::CPPTYPE_INT64:
      return PutInteger<std::int64_t>(scalar, "an integer of 64 bits", place);
    case Field::CPPTYPE_UINT32:
      return PutInteger<std::uint32_t>(
          scalar, "an integer of 32 bits, not negative", place);
    case Field::CPPTYPE_UINT64:
      return PutInteger<std::uint64_t>(
          scalar, "an integer of 64 bits, not negative", place);
    case Field::CPPTYPE_DOUBLE:
      return PutDouble(scalar, place);
    case Field::CPPTYPE_FLOAT:
      return PutFloat(scalar, place);
    case Field::CPPTYPE_BOOL:
      return PutBool(scalar, place);
    case Field::CPPTYPE_STRING:
      return PutText(scalar, field, place);
    case Field::CPPTYPE_ENUM:
      return PutEnum(scalar, field, place);
    case Field::CPPTYPE_MESSAGE:
      break;
  }
  return "nothing of this kind";
}

}  // namespace ostiary::http

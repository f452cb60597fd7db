#include "client/jwt/strict_json.h"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value_stack.hpp>
#include <cmath>
#include <cstdint>
#include <utility>

namespace ostiary::jwt {
namespace {

namespace json = boost::json;

// Builds values as Boost's own parser does and counts the members of all
// objects as they are read.
struct CountingHandler {
  static constexpr std::size_t max_object_size = json::object::max_size();
  static constexpr std::size_t max_array_size = json::array::max_size();
  static constexpr std::size_t max_key_size = json::string::max_size();
  static constexpr std::size_t max_string_size = json::string::max_size();

  CountingHandler() : values({}, scratch, sizeof(scratch)) {}

  bool on_document_begin(json::error_code&) { return true; }
  bool on_document_end(json::error_code&) { return true; }
  bool on_object_begin(json::error_code&) { return true; }
  bool on_object_end(std::size_t n, json::error_code&) {
    members_read += n;
    values.push_object(n);
    return true;
  }
  bool on_array_begin(json::error_code&) { return true; }
  bool on_array_end(std::size_t n, json::error_code&) {
    values.push_array(n);
    return true;
  }
  bool on_key_part(json::string_view part, std::size_t, json::error_code&) {
    values.push_chars(part);
    return true;
  }
  bool on_key(json::string_view part, std::size_t, json::error_code&) {
    values.push_key(part);
    return true;
  }
  bool on_string_part(json::string_view part, std::size_t, json::error_code&) {
    values.push_chars(part);
    return true;
  }
  bool on_string(json::string_view part, std::size_t, json::error_code&) {
    values.push_string(part);
    return true;
  }
  bool on_number_part(json::string_view, json::error_code&) { return true; }
  bool on_int64(std::int64_t number, json::string_view, json::error_code&) {
    values.push_int64(number);
    return true;
  }
  bool on_uint64(std::uint64_t number, json::string_view, json::error_code&) {
    values.push_uint64(number);
    return true;
  }
  // "1e999" is read as infinity and "0e9999" as not a number; neither could
  // be written as JSON again.
  bool on_double(double number, json::string_view, json::error_code& error) {
    if (!std::isfinite(number)) {
      error = json::error::exponent_overflow;
      return false;
    }
    values.push_double(number);
    return true;
  }
  bool on_bool(bool truth, json::error_code&) {
    values.push_bool(truth);
    return true;
  }
  bool on_null(json::error_code&) {
    values.push_null();
    return true;
  }
  // Never called: comments are off.
  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }

  unsigned char scratch[4096];
  json::value_stack values;
  std::size_t members_read = 0;
};

// The recursion is bounded: the parser has refused what is too deep.
std::size_t MembersKept(const json::value& value) {
  std::size_t members = 0;
  if (const json::object* object = value.if_object()) {
    members = object->size();
    for (const auto& member : *object) members += MembersKept(member.value());
  } else if (const json::array* array = value.if_array()) {
    for (const json::value& element : *array) members += MembersKept(element);
  }
  return members;
}

}  // namespace

std::optional<json::value> ParseStrictJson(absl::string_view text,
                                           json::storage_ptr storage) {
  json::parse_options options;
  options.max_depth = kMaxJsonDepth;
  json::basic_parser<CountingHandler> parser(options);
  parser.handler().values.reset(std::move(storage));

  json::error_code error;
  const std::size_t read =
      parser.write_some(false, text.data(), text.size(), error);
  if (error || read < text.size() || !parser.done()) return std::nullopt;

  json::value value = parser.handler().values.release();
  // An object keeps one of the members that share a name, so a repeated name
  // shows as a member that was read and not kept.
  if (MembersKept(value) != parser.handler().members_read) return std::nullopt;
  return value;
}

const json::value* FindMember(const json::object& object,
                              absl::string_view name) {
  return object.if_contains(json::string_view(name.data(), name.size()));
}

}  // namespace ostiary::jwt

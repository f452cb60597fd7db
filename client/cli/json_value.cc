#include "client/cli/json_value.h"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <utility>

#include "client/jwt/strict_json.h"

namespace ostiary::cli {
namespace {

using google::protobuf::Value;

void Fill(const boost::json::value& from, Value& to) {
  switch (from.kind()) {
    case boost::json::kind::null:
      to.set_null_value(google::protobuf::NULL_VALUE);
      return;
    case boost::json::kind::bool_:
      to.set_bool_value(from.get_bool());
      return;
    case boost::json::kind::int64:
      to.set_number_value(static_cast<double>(from.get_int64()));
      return;
    case boost::json::kind::uint64:
      to.set_number_value(static_cast<double>(from.get_uint64()));
      return;
    case boost::json::kind::double_:
      to.set_number_value(from.get_double());
      return;
    case boost::json::kind::string:
      to.set_string_value(from.get_string().data(), from.get_string().size());
      return;
    case boost::json::kind::array:
      to.mutable_list_value();
      for (const auto& item : from.get_array()) {
        Fill(item, *to.mutable_list_value()->add_values());
      }
      return;
    case boost::json::kind::object:
      *to.mutable_struct_value() = ToStruct(from.get_object());
      return;
  }
}

}  // namespace

std::optional<boost::json::object> ParseJsonObject(absl::string_view text) {
  std::optional<boost::json::value> value = jwt::ParseStrictJson(text);
  if (!value || !value->is_object()) return std::nullopt;
  return std::move(value->get_object());
}

std::optional<std::string> StringMember(const boost::json::object& object,
                                        absl::string_view name) {
  const boost::json::value* member = jwt::FindMember(object, name);
  if (member == nullptr || !member->is_string()) return std::nullopt;
  return std::string(member->get_string().data(), member->get_string().size());
}

google::protobuf::Struct ToStruct(const boost::json::object& object) {
  google::protobuf::Struct result;
  for (const auto& member : object) {
    const std::string name(member.key().data(), member.key().size());
    Fill(member.value(), (*result.mutable_fields())[name]);
  }
  return result;
}

}  // namespace ostiary::cli

#include "client/status_list/status_reference.h"

#include "client/jwt/strict_json.h"

namespace ostiary::status_list {
namespace {

const boost::json::object* FindObject(const boost::json::object& object,
                                      absl::string_view name) {
  const boost::json::value* value = jwt::FindMember(object, name);
  return value == nullptr ? nullptr : value->if_object();
}

}  // namespace

std::optional<StatusReference> ReadStatusReference(
    absl::string_view claims_json) {
  const auto claims = jwt::ParseStrictJson(claims_json);
  if (!claims.has_value() || !claims->is_object()) return std::nullopt;
  const auto* status = FindObject(claims->get_object(), "status");
  const auto* list =
      status == nullptr ? nullptr : FindObject(*status, "status_list");
  if (list == nullptr) return std::nullopt;
  const auto* index = jwt::FindMember(*list, "idx");
  const auto* uri = jwt::FindMember(*list, "uri");
  const bool well_formed = index != nullptr && index->is_int64() &&
                           index->get_int64() >= 0 && uri != nullptr &&
                           uri->is_string();
  if (!well_formed) return std::nullopt;
  const boost::json::string& text = uri->get_string();
  return StatusReference{static_cast<std::uint64_t>(index->get_int64()),
                         std::string(text.data(), text.size())};
}

}  // namespace ostiary::status_list

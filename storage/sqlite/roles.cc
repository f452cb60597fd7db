#include "storage/sqlite/roles.h"

#include <boost/json.hpp>
#include <utility>

namespace ostiary::storage::sqlite {

std::string RolesToJson(const std::vector<std::string>& roles) {
  boost::json::array array;
  for (const std::string& role : roles) array.emplace_back(role);
  return boost::json::serialize(array);
}

absl::StatusOr<std::vector<std::string>> RolesFromJson(absl::string_view json) {
  if (json == "[]") return std::vector<std::string>();  // most accounts
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse(
      boost::json::string_view(json.data(), json.size()), error);
  if (error || !value.is_array()) {
    return absl::DataLossError("accounts.roles is no JSON array");
  }
  std::vector<std::string> roles;
  for (const boost::json::value& role : value.get_array()) {
    if (!role.is_string()) {
      return absl::DataLossError("accounts.roles holds what is no string");
    }
    roles.emplace_back(role.get_string().c_str(), role.get_string().size());
  }
  return roles;
}

}  // namespace ostiary::storage::sqlite

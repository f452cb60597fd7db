#include "server/account/roles.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "server/base/reason.h"

namespace ostiary::account {
namespace {

constexpr std::size_t kMaxRoleBytes = 100;

bool IsRoleCharacter(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' ||
         c == '_' || c == ':' || c == '-';
}

std::vector<std::string>::const_iterator PlaceOf(
    const std::vector<std::string>& roles, absl::string_view role) {
  return std::lower_bound(roles.begin(), roles.end(), role,
                          [](const std::string& a, absl::string_view b) {
                            return absl::string_view(a) < b;
                          });
}

}  // namespace

absl::Status CheckRole(absl::string_view role, absl::string_view field) {
  if (role.empty() || role.size() > kMaxRoleBytes ||
      !std::all_of(role.begin(), role.end(), IsRoleCharacter)) {
    return RefuseField(field, "must be 1 to 100 of A-Z a-z 0-9 . _ : -");
  }
  return absl::OkStatus();
}

bool HasRole(const std::vector<std::string>& roles, absl::string_view role) {
  const auto place = PlaceOf(roles, role);
  return place != roles.end() && *place == role;
}

bool AddRole(std::vector<std::string>& roles, absl::string_view role) {
  const auto place = PlaceOf(roles, role);
  if (place != roles.end() && *place == role) return false;
  roles.insert(place, std::string(role.data(), role.size()));
  return true;
}

bool RemoveRole(std::vector<std::string>& roles, absl::string_view role) {
  const auto place = PlaceOf(roles, role);
  if (place == roles.end() || *place != role) return false;
  roles.erase(place);
  return true;
}

}  // namespace ostiary::account

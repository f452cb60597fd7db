#ifndef OSTIARY_SERVER_ACCOUNT_ROLES_H_
#define OSTIARY_SERVER_ACCOUNT_ROLES_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace ostiary::account {

// Whoever carries it in a token for the issuer is an operator.
inline constexpr absl::string_view kOperatorRole = "ostiary.operator";

// Roles ride in every access token, which should stay under 1 KB.
inline constexpr std::size_t kMaxRoles = 32;

// 1 to 100 of A-Z a-z 0-9 . _ : - ; kArgumentInvalid about `field` otherwise.
absl::Status CheckRole(absl::string_view role, absl::string_view field);

// True if `roles` (sorted) holds `role`.
bool HasRole(const std::vector<std::string>& roles, absl::string_view role);

// Adds or removes, keeping the order. False if there was nothing to do.
bool AddRole(std::vector<std::string>& roles, absl::string_view role);
bool RemoveRole(std::vector<std::string>& roles, absl::string_view role);

}  // namespace ostiary::account

#endif  // OSTIARY_SERVER_ACCOUNT_ROLES_H_

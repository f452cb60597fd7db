#ifndef OSTIARY_STORAGE_SQLITE_ROLES_H_
#define OSTIARY_STORAGE_SQLITE_ROLES_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace ostiary::storage::sqlite {

// Roles as one column: a JSON array of strings. Lives on disk.
std::string RolesToJson(const std::vector<std::string>& roles);

// kDataLoss if `json` is no array of strings.
absl::StatusOr<std::vector<std::string>> RolesFromJson(absl::string_view json);

}  // namespace ostiary::storage::sqlite

#endif  // OSTIARY_STORAGE_SQLITE_ROLES_H_

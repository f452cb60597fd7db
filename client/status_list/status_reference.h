#ifndef OSTIARY_CLIENT_STATUS_LIST_STATUS_REFERENCE_H_
#define OSTIARY_CLIENT_STATUS_LIST_STATUS_REFERENCE_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace ostiary::status_list {

// Where a token's status is found: its claim `status`, member `status_list`.
struct StatusReference {
  std::uint64_t index = 0;  // idx
  std::string uri;          // uri; equals the list token's `sub`

  friend bool operator==(const StatusReference&,
                         const StatusReference&) = default;
};

// Reads it from a token's claims, given as a JSON object (jwt::Claims::
// extra_json has it). Nullopt if there is none, or none in this form.
std::optional<StatusReference> ReadStatusReference(
    absl::string_view claims_json);

}  // namespace ostiary::status_list

#endif  // OSTIARY_CLIENT_STATUS_LIST_STATUS_REFERENCE_H_

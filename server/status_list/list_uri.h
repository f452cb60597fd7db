#ifndef OSTIARY_SERVER_STATUS_LIST_LIST_URI_H_
#define OSTIARY_SERVER_STATUS_LIST_LIST_URI_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "server/base/ids.h"

namespace ostiary::status_list {

// Beneath the issuer.
inline constexpr absl::string_view kListsPath = "/status-lists/";

// Where a list is served, as tokens and the list itself name it.
std::string UriOf(absl::string_view issuer, const IdBytes& list_id);

// The list of that uri; nullopt: none of this issuer's.
std::optional<IdBytes> ListOf(absl::string_view issuer, absl::string_view uri);

}  // namespace ostiary::status_list

#endif  // OSTIARY_SERVER_STATUS_LIST_LIST_URI_H_

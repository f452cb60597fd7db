#include "server/status_list/list_uri.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace ostiary::status_list {

std::string UriOf(absl::string_view issuer, const IdBytes& list_id) {
  return absl::StrCat(absl::StripSuffix(issuer, "/"), kListsPath,
                      StatusListId(list_id).ToString());
}

std::optional<IdBytes> ListOf(absl::string_view issuer, absl::string_view uri) {
  const bool ours = absl::ConsumePrefix(&uri, absl::StripSuffix(issuer, "/")) &&
                    absl::ConsumePrefix(&uri, kListsPath);
  if (!ours) return std::nullopt;
  const auto id = StatusListId::Parse(uri);
  if (!id.has_value()) return std::nullopt;
  return id->bytes();
}

}  // namespace ostiary::status_list

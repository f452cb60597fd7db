#include "server/client_app/scope.h"

#include <algorithm>

#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace ostiary::client_app {
namespace {

constexpr std::size_t kMaxScopeBytes = 1024;

bool IsScopeCharacter(char c) {
  return c >= 0x21 && c <= 0x7e && c != '"' && c != '\\';
}

}  // namespace

std::optional<std::vector<std::string>> ParseScope(absl::string_view text) {
  if (text.size() > kMaxScopeBytes) return std::nullopt;
  std::vector<std::string> scopes;
  for (const absl::string_view scope :
       absl::StrSplit(text, ' ', absl::SkipEmpty())) {
    if (!std::all_of(scope.begin(), scope.end(), IsScopeCharacter))
      return std::nullopt;
    std::string name(scope.data(), scope.size());
    if (std::find(scopes.begin(), scopes.end(), name) == scopes.end()) {
      scopes.push_back(std::move(name));
    }
  }
  return scopes;
}

std::string FormatScope(const std::vector<std::string>& scopes) {
  return absl::StrJoin(scopes, " ");
}

bool IsWithin(const std::vector<std::string>& asked,
              const std::vector<std::string>& granted) {
  return std::all_of(asked.begin(), asked.end(), [&](const std::string& scope) {
    return std::find(granted.begin(), granted.end(), scope) != granted.end();
  });
}

}  // namespace ostiary::client_app

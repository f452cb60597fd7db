#ifndef OSTIARY_SERVER_CLIENT_APP_SCOPE_H_
#define OSTIARY_SERVER_CLIENT_APP_SCOPE_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace ostiary::client_app {

// Splits at spaces (RFC 6749 section 3.3), each scope once, in the order given.
// nullopt if a scope holds a character outside %x21 / %x23-5B / %x5D-7E or the
// text is over 1024 bytes.
std::optional<std::vector<std::string>> ParseScope(absl::string_view text);

std::string FormatScope(const std::vector<std::string>& scopes);

// True if every scope of `asked` is in `granted`.
bool IsWithin(const std::vector<std::string>& asked,
              const std::vector<std::string>& granted);

}  // namespace ostiary::client_app

#endif  // OSTIARY_SERVER_CLIENT_APP_SCOPE_H_

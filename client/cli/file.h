#ifndef OSTIARY_CLIENT_CLI_FILE_H_
#define OSTIARY_CLIENT_CLI_FILE_H_

#include <cstddef>
#include <istream>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace ostiary::cli {

// Nothing this program reads whole is larger: certificates, key sets, tokens.
inline constexpr std::size_t kMaxFileBytes = std::size_t{1} << 20;

// The whole file. A usage error naming `option` if it cannot be read or is
// larger than kMaxFileBytes.
absl::StatusOr<std::string> ReadFile(absl::string_view option,
                                     const std::string& path);

// All that is left in `in`; nullopt if that is more than `limit` bytes.
std::optional<std::string> ReadAll(std::istream& in, std::size_t limit);

}  // namespace ostiary::cli

#endif  // OSTIARY_CLIENT_CLI_FILE_H_

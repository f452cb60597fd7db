#include "client/cli/file.h"

#include <cerrno>
#include <cstring>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "client/cli/failure.h"
#include "client/cli/secret_text.h"

namespace ostiary::cli {

absl::StatusOr<std::string> ReadFile(absl::string_view option,
                                     const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::optional<std::string> text;
  if (file) text = ReadAll(file, kMaxFileBytes);
  if (!file || file.bad()) {
    return UsageError(absl::StrCat(
        option, ": cannot read ", path, ": ",
        errno != 0 ? std::strerror(errno) : "it is not a readable file"));
  }
  if (!text) {
    return UsageError(absl::StrCat(option, ": ", path, " is larger than ",
                                   kMaxFileBytes, " bytes"));
  }
  return *std::move(text);
}

std::optional<std::string> ReadAll(std::istream& in, std::size_t limit) {
  std::string text(limit + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  const auto count = static_cast<std::size_t>(in.gcount());
  if (in.bad() || count > limit) {
    Wipe(text);
    return std::nullopt;
  }
  in.clear();
  text.resize(count);
  return text;
}

}  // namespace ostiary::cli

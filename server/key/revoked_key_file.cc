#include "server/key/revoked_key_file.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "server/key/private_file.h"

namespace ostiary::key {
namespace {

constexpr std::size_t kFileLimit = 1 << 20;  // some 23,000 keys
constexpr std::size_t kThumbprintSize = 43;  // base64url of SHA-256

bool LooksLikeKeyId(absl::string_view line) {
  return line.size() == kThumbprintSize &&
         line.find_first_not_of(
             "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-"
             "_") == absl::string_view::npos;
}

}  // namespace

absl::StatusOr<absl::flat_hash_set<std::string>> RevokedKeyFile::Read() const {
  const absl::StatusOr<std::string> content =
      ReadPrivateFile(path_, kFileLimit);
  absl::flat_hash_set<std::string> ids;
  if (absl::IsNotFound(content.status())) return ids;
  if (!content.ok()) return content.status();

  std::vector<absl::string_view> lines =
      absl::StrSplit(absl::string_view(*content), '\n');
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].size() < kThumbprintSize) continue;  // empty, or torn
    if (!LooksLikeKeyId(lines[i])) {
      return absl::DataLossError(
          absl::StrCat(path_, ": line ", i + 1,
                       " is not the id of a key; restore the file "
                       "or correct the line: it may name a revoked key"));
    }
    ids.emplace(lines[i]);
  }
  return ids;
}

absl::Status RevokedKeyFile::Append(absl::string_view key_id) const {
  // The whole file anew: a line at its end that a power cut tears where two
  // sectors of the disk meet is long enough to be taken for a damaged one, and
  // then nothing would start.
  absl::StatusOr<std::string> content = ReadPrivateFile(path_, kFileLimit);
  if (absl::IsNotFound(content.status())) content = std::string();
  if (!content.ok()) return content.status();
  // The leading line end closes what an older release's crash may have torn.
  absl::StrAppend(&*content, "\n", key_id, "\n");
  return ReplacePrivateFile(path_, *content);
}

}  // namespace ostiary::key

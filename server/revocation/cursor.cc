#include "server/revocation/cursor.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"

namespace ostiary::revocation {
namespace {

constexpr absl::string_view kPrefix = "cur_";
constexpr std::size_t kEpochDigits = 8;
constexpr std::size_t kLongDigits = 16;

}  // namespace

std::string FormatCursor(const storage::LedgerHead& position) {
  return absl::StrFormat("%s%08x%016x%016x", kPrefix, position.epoch,
                         static_cast<std::uint64_t>(position.sequence),
                         position.check);
}

std::optional<storage::LedgerHead> ParseCursor(absl::string_view text) {
  if (text.size() != kPrefix.size() + kEpochDigits + 2 * kLongDigits)
    return std::nullopt;
  storage::LedgerHead position;
  std::uint64_t sequence = 0;
  const absl::string_view digits = text.substr(kPrefix.size());
  if (!absl::SimpleHexAtoi(digits.substr(0, kEpochDigits), &position.epoch) ||
      !absl::SimpleHexAtoi(digits.substr(kEpochDigits, kLongDigits),
                           &sequence) ||
      !absl::SimpleHexAtoi(digits.substr(kEpochDigits + kLongDigits),
                           &position.check)) {
    return std::nullopt;
  }
  position.sequence = static_cast<std::int64_t>(sequence);
  // Also refuses signs, blanks and capitals.
  if (position.sequence < 0 || FormatCursor(position) != text)
    return std::nullopt;
  return position;
}

}  // namespace ostiary::revocation

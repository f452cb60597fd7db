#include "server/base/ids.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace ostiary {
namespace {

__extension__ using Uint128 = unsigned __int128;

constexpr absl::string_view kAlphabet = "0123456789abcdefghjkmnpqrstvwxyz";
constexpr std::size_t kTextLength =
    26;  // 130 bits for 128: the first character is 0-7

int DigitValue(char c) {
  const std::size_t at = kAlphabet.find(c);
  return at == absl::string_view::npos ? -1 : static_cast<int>(at);
}

}  // namespace

std::string FormatId(absl::string_view prefix, const IdBytes& bytes) {
  std::string digits(kTextLength, '0');
  Uint128 value = 0;
  for (const std::uint8_t byte : bytes) value = (value << 8) | byte;
  for (std::size_t i = kTextLength; i-- > 0; value >>= 5) {
    digits[i] = kAlphabet[static_cast<std::size_t>(value & 31)];
  }
  return absl::StrCat(prefix, digits);
}

std::optional<IdBytes> ParseId(absl::string_view prefix,
                               absl::string_view text) {
  if (text.size() != prefix.size() + kTextLength ||
      !absl::StartsWith(text, prefix)) {
    return std::nullopt;
  }
  text.remove_prefix(prefix.size());
  if (DigitValue(text[0]) > 7) return std::nullopt;  // would not fit 128 bits
  Uint128 value = 0;
  for (const char c : text) {
    const int digit = DigitValue(c);
    if (digit < 0) return std::nullopt;
    value = (value << 5) | static_cast<unsigned>(digit);
  }
  IdBytes bytes;
  for (std::size_t i = bytes.size(); i-- > 0; value >>= 8) {
    bytes[i] = static_cast<std::uint8_t>(value & 0xff);
  }
  return bytes;
}

bool BeginsLikeAnId(absl::string_view text) {
  for (const absl::string_view prefix : {"acct_", "sess_", "cli_", "ort_"}) {
    if (absl::StartsWithIgnoreCase(text, prefix)) return true;
  }
  return false;
}

}  // namespace ostiary

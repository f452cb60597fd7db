#include "server/revocation/packed_key.h"

#include <array>
#include <cstdint>

#include "absl/strings/match.h"
#include "client/jwt/base64url.h"

namespace ostiary::revocation {
namespace {

__extension__ using Uint128 = unsigned __int128;

// 22 base64url characters carry 132 bits and 26 of base32 carry 130; the
// canonical spelling has zeroes in those beyond 128, at the end or in front.
constexpr std::size_t kTokenIdLength = 22;
constexpr std::size_t kIdDigits = 26;

constexpr std::uint8_t kNoDigit = 255;
using Digits = std::array<std::uint8_t, 256>;

constexpr Digits DigitsOf(const char* alphabet) {
  Digits digits{};
  for (std::uint8_t& digit : digits) digit = kNoDigit;
  for (std::uint8_t value = 0; alphabet[value] != '\0'; ++value)
    digits[static_cast<unsigned char>(alphabet[value])] = value;
  return digits;
}

constexpr Digits kBase64Url = DigitsOf(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");
constexpr Digits kBase32 = DigitsOf("0123456789abcdefghjkmnpqrstvwxyz");

IdBytes BytesOf(Uint128 value) {
  IdBytes bytes;
  for (std::size_t i = bytes.size(); i-- > 0; value >>= 8)
    bytes[i] = static_cast<std::uint8_t>(value & 0xff);
  return bytes;
}

std::optional<IdBytes> PackTokenId(absl::string_view text) {
  if (text.size() != kTokenIdLength) return std::nullopt;
  Uint128 value = 0;
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    const std::uint8_t digit = kBase64Url[static_cast<unsigned char>(text[i])];
    if (digit == kNoDigit) return std::nullopt;
    value = (value << 6) | digit;
  }
  const std::uint8_t last = kBase64Url[static_cast<unsigned char>(text.back())];
  if (last == kNoDigit || (last & 15) != 0) return std::nullopt;
  return BytesOf((value << 2) | (last >> 4));
}

std::optional<IdBytes> PackId(absl::string_view prefix,
                              absl::string_view text) {
  if (text.size() != prefix.size() + kIdDigits ||
      !absl::StartsWith(text, prefix)) {
    return std::nullopt;
  }
  text.remove_prefix(prefix.size());
  if (kBase32[static_cast<unsigned char>(text.front())] > 7)
    return std::nullopt;
  Uint128 value = 0;
  for (const char character : text) {
    const std::uint8_t digit = kBase32[static_cast<unsigned char>(character)];
    if (digit == kNoDigit) return std::nullopt;
    value = (value << 5) | digit;
  }
  return BytesOf(value);
}

}  // namespace

std::optional<KeyForm> KeyFormOf(storage::LedgerKind kind) {
  switch (kind) {
    case storage::LedgerKind::kToken:
      return KeyForm::kTokenId;
    case storage::LedgerKind::kSession:
      return KeyForm::kSessionId;
    case storage::LedgerKind::kAccount:
      return KeyForm::kAccountId;
    case storage::LedgerKind::kClient:
    case storage::LedgerKind::kKey:
    case storage::LedgerKind::kAll:
      return std::nullopt;
  }
  return std::nullopt;
}

std::optional<IdBytes> PackKey(KeyForm form, absl::string_view text) {
  switch (form) {
    case KeyForm::kTokenId:
      return PackTokenId(text);
    case KeyForm::kSessionId:
      return PackId(SessionKind::kPrefix, text);
    case KeyForm::kAccountId:
      return PackId(AccountKind::kPrefix, text);
  }
  return std::nullopt;
}

std::string UnpackKey(KeyForm form, const IdBytes& bytes) {
  switch (form) {
    case KeyForm::kTokenId:
      return jwt::Base64UrlEncode(absl::string_view(
          reinterpret_cast<const char*>(bytes.data()), bytes.size()));
    case KeyForm::kSessionId:
      return SessionId(bytes).ToString();
    case KeyForm::kAccountId:
      return AccountId(bytes).ToString();
  }
  return "";
}

}  // namespace ostiary::revocation

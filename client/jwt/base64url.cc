#include "client/jwt/base64url.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace ostiary::jwt {
namespace {

constexpr char kAlphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::uint8_t kForeign = 0xff;

constexpr std::array<std::uint8_t, 256> MakeSextets() {
  std::array<std::uint8_t, 256> sextets{};
  sextets.fill(kForeign);
  for (std::uint8_t i = 0; i < 64; ++i) {
    sextets[static_cast<unsigned char>(kAlphabet[i])] = i;
  }
  return sextets;
}
constexpr std::array<std::uint8_t, 256> kSextets = MakeSextets();

std::uint32_t ByteAt(absl::string_view bytes, std::size_t i) {
  return static_cast<unsigned char>(bytes[i]);
}

std::uint32_t SextetAt(absl::string_view text, std::size_t i) {
  return kSextets[static_cast<unsigned char>(text[i])];
}

}  // namespace

std::string Base64UrlEncode(absl::string_view bytes) {
  std::string text((bytes.size() * 4 + 2) / 3, '\0');
  char* out = text.data();
  std::size_t i = 0;
  for (; i + 3 <= bytes.size(); i += 3) {
    const std::uint32_t group = ByteAt(bytes, i) << 16 |
                                ByteAt(bytes, i + 1) << 8 |
                                ByteAt(bytes, i + 2);
    *out++ = kAlphabet[group >> 18];
    *out++ = kAlphabet[(group >> 12) & 63];
    *out++ = kAlphabet[(group >> 6) & 63];
    *out++ = kAlphabet[group & 63];
  }
  const std::size_t left = bytes.size() - i;
  if (left == 0) return text;
  const std::uint32_t group =
      ByteAt(bytes, i) << 16 | (left == 2 ? ByteAt(bytes, i + 1) << 8 : 0);
  *out++ = kAlphabet[group >> 18];
  *out++ = kAlphabet[(group >> 12) & 63];
  if (left == 2) *out++ = kAlphabet[(group >> 6) & 63];
  return text;
}

std::optional<std::string> Base64UrlDecode(absl::string_view text) {
  const std::size_t left = text.size() % 4;
  if (left == 1) return std::nullopt;

  std::string bytes(text.size() / 4 * 3 + (left == 0 ? 0 : left - 1), '\0');
  std::size_t out = 0;
  std::uint32_t seen = 0;  // kForeign has the only bits above a sextet
  std::size_t i = 0;
  for (; i + 4 <= text.size(); i += 4) {
    const std::uint32_t a = SextetAt(text, i), b = SextetAt(text, i + 1),
                        c = SextetAt(text, i + 2), d = SextetAt(text, i + 3);
    seen |= a | b | c | d;
    const std::uint32_t group = a << 18 | b << 12 | c << 6 | d;
    bytes[out++] = static_cast<char>(group >> 16);
    bytes[out++] = static_cast<char>(group >> 8);
    bytes[out++] = static_cast<char>(group);
  }
  if (left != 0) {
    const std::uint32_t a = SextetAt(text, i), b = SextetAt(text, i + 1),
                        c = left == 3 ? SextetAt(text, i + 2) : 0;
    seen |= a | b | c;
    const std::uint32_t group = a << 18 | b << 12 | c << 6;
    bytes[out++] = static_cast<char>(group >> 16);
    if (left == 3) bytes[out++] = static_cast<char>(group >> 8);
    const std::uint32_t trailing = left == 3 ? group & 0xff : group & 0xffff;
    if (trailing != 0) return std::nullopt;
  }
  if (seen > 63) return std::nullopt;
  return bytes;
}

}  // namespace ostiary::jwt

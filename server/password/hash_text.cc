#include "server/password/hash_text.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"

namespace ostiary::password {
namespace {

constexpr absl::string_view kStandard =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr absl::string_view kDot =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789./";

absl::string_view AlphabetOf(Base64Form form) {
  return form == Base64Form::kDotUnpadded ? kDot : kStandard;
}

// Without its padding; nullopt if the padding is not what it must be.
std::optional<absl::string_view> WithoutPadding(absl::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  if (absl::EndsWith(text, "==")) return text.substr(0, text.size() - 2);
  if (absl::EndsWith(text, "=")) return text.substr(0, text.size() - 1);
  return text;
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

std::optional<std::uint32_t> ReadDecimal(absl::string_view text) {
  if (text.empty() || text.size() > 10) return std::nullopt;
  if (text[0] == '0' && text.size() > 1) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  if (value > 0xffffffffu) return std::nullopt;
  return static_cast<std::uint32_t>(value);
}

std::optional<std::uint32_t> ReadNamed(absl::string_view name,
                                       absl::string_view text) {
  if (!absl::StartsWith(text, name)) return std::nullopt;
  return ReadDecimal(text.substr(name.size()));
}

std::optional<std::string> ReadBase64(Base64Form form, absl::string_view text) {
  if (form == Base64Form::kPadded) {
    const std::optional<absl::string_view> bare = WithoutPadding(text);
    if (!bare.has_value()) return std::nullopt;
    text = *bare;
  }
  if (text.size() % 4 == 1) return std::nullopt;
  const absl::string_view alphabet = AlphabetOf(form);
  std::string bytes;
  bytes.reserve(text.size() * 3 / 4);
  std::uint32_t buffer = 0;
  int bits = 0;
  for (const char c : text) {
    const std::size_t value = alphabet.find(c);
    if (value == absl::string_view::npos) return std::nullopt;
    buffer = ((buffer << 6) | static_cast<std::uint32_t>(value)) & 0xffffu;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push_back(static_cast<char>((buffer >> bits) & 0xffu));
  }
  const std::uint32_t left_over = buffer & ((1u << bits) - 1);
  if (left_over != 0) return std::nullopt;
  return bytes;
}

std::string WriteBase64(Base64Form form, absl::string_view bytes) {
  const absl::string_view alphabet = AlphabetOf(form);
  std::string text;
  text.reserve(bytes.size() * 4 / 3 + 4);
  std::uint32_t buffer = 0;
  int bits = 0;
  for (const char c : bytes) {
    buffer = ((buffer << 8) | static_cast<unsigned char>(c)) & 0xffffu;
    bits += 8;
    while (bits >= 6) {
      bits -= 6;
      text.push_back(alphabet[(buffer >> bits) & 0x3fu]);
    }
  }
  if (bits > 0) text.push_back(alphabet[(buffer << (6 - bits)) & 0x3fu]);
  while (form == Base64Form::kPadded && text.size() % 4 != 0) {
    text.push_back('=');
  }
  return text;
}

std::optional<std::string> ReadHex(absl::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = HexDigit(text[i]);
    const int low = HexDigit(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes.push_back(static_cast<char>(high * 16 + low));
  }
  return bytes;
}

std::string WriteHex(absl::string_view bytes) {
  return absl::BytesToHexString(bytes);
}

std::optional<std::uint32_t> ReadCrypt64Digit(char c) {
  const std::size_t value = kCrypt64.find(c);
  if (value == absl::string_view::npos) return std::nullopt;
  return static_cast<std::uint32_t>(value);
}

bool IsCrypt64(absl::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return kCrypt64.find(c) != absl::string_view::npos;
  });
}

}  // namespace ostiary::password

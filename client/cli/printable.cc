#include "client/cli/printable.h"

#include <cstdint>

#include "absl/strings/str_format.h"

namespace ostiary::cli {
namespace {

struct Character {
  std::uint32_t code_point;
  std::size_t size;
  bool valid;
};

bool IsContinuation(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

std::size_t SequenceLength(unsigned char first) {
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first < 0xE0) return 2;
  if (first >= 0xE0 && first < 0xF0) return 3;
  if (first >= 0xF0 && first < 0xF5) return 4;
  return 0;
}

bool IsInRange(std::uint32_t code_point, std::size_t size) {
  if (size == 3) {
    return code_point >= 0x800 && (code_point < 0xD800 || code_point > 0xDFFF);
  }
  return size != 4 || (code_point >= 0x10000 && code_point <= 0x10FFFF);
}

Character FirstOf(absl::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  const std::size_t size = SequenceLength(first);
  if (size == 0 || size > text.size()) return {first, 1, false};
  std::uint32_t code_point = size == 1 ? first : first & (0x7FU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if (!IsContinuation(text[i])) return {first, 1, false};
    code_point =
        (code_point << 6) | (static_cast<unsigned char>(text[i]) & 0x3FU);
  }
  if (!IsInRange(code_point, size)) return {first, 1, false};
  return {code_point, size, true};
}

bool IsDangerous(std::uint32_t code_point) {
  const bool control =
      code_point < 0x20 || (code_point >= 0x7F && code_point < 0xA0);
  const bool line_break = code_point == 0x2028 || code_point == 0x2029;
  const bool direction = code_point == 0x200E || code_point == 0x200F ||
                         (code_point >= 0x202A && code_point <= 0x202E) ||
                         (code_point >= 0x2066 && code_point <= 0x2069);
  return control || line_break || direction;
}

}  // namespace

std::string Printable(absl::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Character character = FirstOf(text);
    if (!character.valid) {
      absl::StrAppendFormat(&out, "\\x%02x", character.code_point);
    } else if (IsDangerous(character.code_point)) {
      absl::StrAppendFormat(&out, "\\u%04x", character.code_point);
    } else {
      out.append(text.data(), character.size);
    }
    text.remove_prefix(character.size);
  }
  return out;
}

std::size_t WidthOf(absl::string_view printable) {
  std::size_t width = 0;
  for (const char byte : printable) width += IsContinuation(byte) ? 0 : 1;
  return width;
}

}  // namespace ostiary::cli

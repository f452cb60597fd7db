#include "server/http/json_text.h"

#include <cstddef>
#include <cstdint>

namespace ostiary::http {
namespace {

using Byte = unsigned char;

bool IsPlain(Byte c) {
  return c >= 0x20 && c < 0x7f && c != '"' && c != '\\' && c != '<' && c != '>';
}

void AppendUnicodeEscape(std::uint32_t unit, std::string& out) {
  constexpr char kHex[] = "0123456789abcdef";
  out.append("\\u");
  for (int shift = 12; shift >= 0; shift -= 4)
    out.push_back(kHex[(unit >> shift) & 0xf]);
}

void AppendEscape(Byte c, std::string& out) {
  switch (c) {
    case '"':
      out.append("\\\"");
      return;
    case '\\':
      out.append("\\\\");
      return;
    case '\b':
      out.append("\\b");
      return;
    case '\f':
      out.append("\\f");
      return;
    case '\n':
      out.append("\\n");
      return;
    case '\r':
      out.append("\\r");
      return;
    case '\t':
      out.append("\\t");
      return;
    default:
      AppendUnicodeEscape(c, out);
  }
}

bool IsTail(Byte c) { return (c & 0xc0) == 0x80; }

// The length of the well-formed sequence at the front (RFC 3629), and the
// character it stands for; 0: there is none.
std::size_t DecodeUtf8(absl::string_view text, std::uint32_t& character) {
  const auto at = [&](std::size_t i) { return static_cast<Byte>(text[i]); };
  const Byte lead = at(0);
  const std::size_t length = lead >= 0xf0   ? 4
                             : lead >= 0xe0 ? 3
                             : lead >= 0xc2 ? 2
                                            : 0;
  if (length == 0 || lead > 0xf4 || text.size() < length) return 0;
  character = lead & (0x7fu >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if (!IsTail(at(i))) return 0;
    character = character << 6 | (at(i) & 0x3fu);
  }
  const bool overlong = (length == 3 && character < 0x800) ||
                        (length == 4 && character < 0x10000);
  const bool surrogate = character >= 0xd800 && character <= 0xdfff;
  return overlong || surrogate || character > 0x10ffff ? 0 : length;
}

// Takes one character that is not ASCII off the front of `text`.
void AppendBeyondAscii(absl::string_view& text, std::string& out) {
  std::uint32_t character = 0;
  const std::size_t length = DecodeUtf8(text, character);
  if (length == 0) {
    out.append("\xef\xbf\xbd");
    text.remove_prefix(1);
    return;
  }
  if (character == 0x2028 || character == 0x2029) {
    AppendUnicodeEscape(character, out);
  } else {
    out.append(text.data(), length);
  }
  text.remove_prefix(length);
}

}  // namespace

void AppendJsonString(absl::string_view text, std::string& out) {
  out.push_back('"');
  while (!text.empty()) {
    std::size_t plain = 0;
    while (plain < text.size() && IsPlain(static_cast<Byte>(text[plain])))
      ++plain;
    out.append(text.data(), plain);
    text.remove_prefix(plain);
    if (text.empty()) break;
    const Byte c = static_cast<Byte>(text.front());
    if (c >= 0x80) {
      AppendBeyondAscii(text, out);
    } else {
      AppendEscape(c, out);
      text.remove_prefix(1);
    }
  }
  out.push_back('"');
}

}  // namespace ostiary::http

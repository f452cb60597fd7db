#include "server/base/log_text.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace ostiary {
namespace {

struct CodePoint {
  char32_t value;
  std::size_t length;
};

bool IsContinuation(unsigned char byte) { return (byte & 0xC0) == 0x80; }

// The code point that `bytes` begins with; nullopt if it is not well-formed
// UTF-8 (too short, overlong, a surrogate, beyond U+10FFFF).
std::optional<CodePoint> Decode(absl::string_view bytes) {
  const auto at = [&bytes](std::size_t i) {
    return static_cast<unsigned char>(bytes[i]);
  };
  const unsigned char lead = at(0);
  if (lead < 0x80) return CodePoint{lead, 1};
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || bytes.size() < length) return std::nullopt;
  char32_t value = lead & (0xFF >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if (!IsContinuation(at(i))) return std::nullopt;
    value = (value << 6) | (at(i) & 0x3F);
  }
  constexpr char32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  if (value < kSmallest[length] || value > 0x10FFFF) return std::nullopt;
  if (value >= 0xD800 && value <= 0xDFFF) return std::nullopt;
  return CodePoint{value, length};
}

// Must not reach a terminal or a line-based reader as it is: controls, line and
// paragraph separators, marks that turn the direction of the text round.
bool MustBeEscaped(char32_t c) {
  if (c < 0x20 || (c >= 0x7F && c <= 0x9F)) return true;
  if (c >= 0x2028 && c <= 0x202E) return true;
  if (c >= 0x2066 && c <= 0x2069) return true;
  return c == 0x200E || c == 0x200F || c == 0x061C || c == 0xFEFF;
}

void AppendEscapedText(std::string& out, char32_t c) {
  switch (c) {
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
  }
  const auto number = static_cast<std::uint32_t>(c);
  absl::StrAppend(&out, c < 0x80 ? absl::StrFormat("\\x%02x", number)
                                 : absl::StrFormat("\\u%04x", number));
}

void AppendJson(std::string& out, absl::string_view bytes, CodePoint c) {
  if (c.value == '"' || c.value == '\\') {
    out.push_back('\\');
    out.push_back(static_cast<char>(c.value));
  } else if (MustBeEscaped(c.value)) {
    absl::StrAppend(
        &out, absl::StrFormat("\\u%04x", static_cast<std::uint32_t>(c.value)));
  } else {
    out.append(bytes.data(), c.length);
  }
}

}  // namespace

std::string EscapeText(absl::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  while (!bytes.empty()) {
    const std::optional<CodePoint> c = Decode(bytes);
    if (!c.has_value()) {
      absl::StrAppend(
          &out,
          absl::StrFormat("\\x%02x", static_cast<unsigned char>(bytes[0])));
    } else if (c->value == '\\') {
      out += "\\\\";
    } else if (MustBeEscaped(c->value)) {
      AppendEscapedText(out, c->value);
    } else {
      out.append(bytes.data(), c->length);
    }
    bytes.remove_prefix(c.has_value() ? c->length : 1);
  }
  return out;
}

std::string QuoteText(absl::string_view bytes) {
  const std::string escaped = EscapeText(bytes);
  if (!escaped.empty() && escaped.find_first_of(" \"=") == std::string::npos) {
    return escaped;
  }
  std::string out = "\"";
  for (const char c : escaped) {
    if (c == '"') out.push_back('\\');
    out.push_back(c);
  }
  out.push_back('"');
  return out;
}

std::string QuoteJson(absl::string_view bytes) {
  std::string out = "\"";
  out.reserve(bytes.size() + 2);
  while (!bytes.empty()) {
    const std::optional<CodePoint> c = Decode(bytes);
    if (c.has_value()) {
      AppendJson(out, bytes, *c);
    } else {
      out += "\\ufffd";
    }
    bytes.remove_prefix(c.has_value() ? c->length : 1);
  }
  out.push_back('"');
  return out;
}

}  // namespace ostiary

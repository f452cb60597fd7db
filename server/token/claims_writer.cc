#include "server/token/claims_writer.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace ostiary::token {
namespace {

// How long a sequence is that begins with `first`; 0: none begins so.
std::size_t SequenceLength(unsigned char first) {
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return 2;
  if (first >= 0xe0 && first <= 0xef) return 3;
  if (first >= 0xf0 && first <= 0xf4) return 4;
  return 0;
}

// The second byte rules out overlong forms, surrogates and what is beyond
// U+10FFFF (RFC 3629 section 4).
bool SecondFits(unsigned char first, unsigned char second) {
  const unsigned char low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
  const unsigned char high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
  return second >= low && second <= high;
}

}  // namespace

bool IsUtf8(absl::string_view text) {
  while (!text.empty()) {
    const auto first = static_cast<unsigned char>(text[0]);
    const std::size_t length = SequenceLength(first);
    if (length == 0 || length > text.size()) return false;
    for (std::size_t i = 1; i < length; ++i) {
      const auto next = static_cast<unsigned char>(text[i]);
      if ((next & 0xc0) != 0x80) return false;
      if (i == 1 && !SecondFits(first, next)) return false;
    }
    text.remove_prefix(length);
  }
  return true;
}

void ClaimsWriter::Add(absl::string_view name, absl::string_view value) {
  BeginMember(name);
  AppendText(value);
}

void ClaimsWriter::Add(absl::string_view name,
                       const std::vector<std::string>& values) {
  BeginMember(name);
  json_ += '[';
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0) json_ += ',';
    AppendText(values[i]);
  }
  json_ += ']';
}

void ClaimsWriter::AddNumber(absl::string_view name, std::uint64_t value) {
  BeginMember(name);
  absl::StrAppend(&json_, value);
}

void ClaimsWriter::AddObject(absl::string_view name, ClaimsWriter& object) {
  BeginMember(name);
  if (!object.ok()) ok_ = false;
  json_ += object.Finish();
}

void ClaimsWriter::AddMembers(absl::string_view members) {
  if (members.empty()) return;
  if (json_.size() > 1) json_ += ',';
  absl::StrAppend(&json_, members);
}

std::string ClaimsWriter::Finish() {
  json_ += '}';
  return std::move(json_);
}

void ClaimsWriter::BeginMember(absl::string_view name) {
  absl::StrAppend(&json_, json_.size() > 1 ? "," : "", "\"", name, "\":");
}

void ClaimsWriter::AppendText(absl::string_view text) {
  if (!IsUtf8(text)) ok_ = false;
  json_ += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      absl::StrAppend(&json_, "\\u", absl::Hex(byte, absl::kZeroPad4));
    } else {
      if (c == '"' || c == '\\') json_ += '\\';
      json_ += c;
    }
  }
  json_ += '"';
}

}  // namespace ostiary::token

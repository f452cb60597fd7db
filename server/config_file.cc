#include "server/config_file.h"

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace ostiary {
namespace {

class Reader {
 public:
  explicit Reader(absl::string_view text) : text_(text) {}

  absl::StatusOr<std::vector<ConfigLine>> ReadAll() {
    std::vector<ConfigLine> lines;
    while (SkipToNextLineWithText()) {
      absl::StatusOr<ConfigLine> line = ReadLine();
      if (!line.ok()) return line.status();
      lines.push_back(*std::move(line));
    }
    return lines;
  }

 private:
  bool AtEnd() const { return at_ == text_.size(); }
  char Peek() const { return AtEnd() ? '\0' : text_[at_]; }
  char Take() {
    const char c = text_[at_++];
    if (c == '\n') ++line_;
    return c;
  }

  absl::Status Wrong(absl::string_view what) const {
    return absl::InvalidArgumentError(absl::StrCat(line_, ": ", what));
  }

  void SkipBlanks() {
    while (Peek() == ' ' || Peek() == '\t' || Peek() == '\r') Take();
  }
  void SkipComment() {
    if (Peek() != '#') return;
    while (!AtEnd() && Peek() != '\n') Take();
  }
  // Blanks, comments and line ends.
  bool SkipToNextLineWithText() {
    do {
      SkipBlanks();
      SkipComment();
    } while (Peek() == '\n' && Take() == '\n');
    return !AtEnd();
  }

  static bool IsNameCharacter(char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' ||
           c == '_' || c == '.';
  }
  static bool IsBareCharacter(char c) {
    return c > ' ' && c != 0x7F && c != ',' && c != ']' && c != '[' &&
           c != '#' && c != '"' && c != '\'' && c != '=';
  }

  absl::StatusOr<ConfigLine> ReadLine() {
    ConfigLine line;
    line.line = line_;
    if (Peek() == '[') {
      return Wrong("sections are not used here: write name = value");
    }
    while (IsNameCharacter(Peek())) line.name.push_back(Take());
    SkipBlanks();
    if (line.name.empty() || Peek() != '=') {
      return Wrong("expected name = value");
    }
    Take();
    SkipBlanks();
    absl::Status read =
        Peek() == '[' ? ReadArray(line.values) : ReadScalar(line.values);
    if (!read.ok()) return read;
    SkipBlanks();
    SkipComment();
    if (!AtEnd() && Peek() != '\n') {
      return Wrong(
          "expected the end of the line after the value; several values are "
          "written [\"a\", \"b\"]");
    }
    return line;
  }

  absl::Status ReadArray(std::vector<std::string>& values) {
    Take();
    while (SkipToNextLineWithText() && Peek() != ']') {
      if (absl::Status read = ReadScalar(values); !read.ok()) return read;
      SkipToNextLineWithText();
      if (Peek() == ',') {
        Take();
      } else if (Peek() != ']') {
        return Wrong("expected , or ] in the array");
      }
    }
    if (AtEnd()) return Wrong("the array is not closed with ]");
    Take();
    return absl::OkStatus();
  }

  absl::Status ReadScalar(std::vector<std::string>& values) {
    std::string value;
    if (Peek() == '"' || Peek() == '\'') {
      if (absl::Status read = ReadQuoted(value); !read.ok()) return read;
    } else {
      while (!AtEnd() && IsBareCharacter(Peek())) {
        value.push_back(Take());
      }
      if (value.empty()) return Wrong("expected a value");
    }
    values.push_back(std::move(value));
    return absl::OkStatus();
  }

  absl::Status ReadQuoted(std::string& value) {
    const char quote = Take();
    while (!AtEnd() && Peek() != '\n' && Peek() != quote) {
      const char c = Take();
      if (c != '\\' || quote == '\'') {
        value.push_back(c);
        continue;
      }
      const std::optional<char> escaped = Unescape(Peek());
      if (!escaped.has_value()) {
        return Wrong("only \\\" \\\\ \\n and \\t are understood after a \\");
      }
      Take();
      value.push_back(*escaped);
    }
    if (Peek() != quote) return Wrong("the quote is not closed");
    Take();
    return absl::OkStatus();
  }

  static std::optional<char> Unescape(char c) {
    switch (c) {
      case '"':
      case '\\':
        return c;
      case 'n':
        return '\n';
      case 't':
        return '\t';
    }
    return std::nullopt;
  }

  const absl::string_view text_;
  std::size_t at_ = 0;
  int line_ = 1;
};

}  // namespace

absl::StatusOr<std::vector<ConfigLine>> ParseConfigFile(
    absl::string_view text) {
  if (text.find('\0') != absl::string_view::npos) {
    return absl::InvalidArgumentError("1: not a text file");
  }
  return Reader(text).ReadAll();
}

}  // namespace ostiary

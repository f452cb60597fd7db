// The reader of configuration files: any text is read or refused with the line
// that is wrong, and what was read stays what it was when it is written out.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "server/config_file.h"

namespace {

using ostiary::ConfigLine;

void Require(bool held, const char* rule) {
  if (held) return;
  std::cerr << "broken: " << rule << std::endl;
  std::abort();
}

std::string Quoted(const std::string& value) {
  return absl::StrCat(
      "\"",
      absl::StrReplaceAll(
          value,
          {{"\\", "\\\\"}, {"\"", "\\\""}, {"\n", "\\n"}, {"\t", "\\t"}}),
      "\"");
}

std::string Written(const std::vector<ConfigLine>& lines) {
  std::string text;
  for (const ConfigLine& line : lines) {
    const bool array = line.values.size() != 1;
    absl::StrAppend(
        &text, line.name, " = ", array ? "[" : "",
        absl::StrJoin(line.values, ", ",
                      [](std::string* out, const std::string& value) {
                        absl::StrAppend(out, Quoted(value));
                      }),
        array ? "]" : "", "\n");
  }
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  const std::string input(reinterpret_cast<const char*>(data), size);
  const auto lines = ostiary::ParseConfigFile(input);
  if (!lines.ok()) {
    Require(absl::ascii_isdigit(lines.status().message()[0]),
            "a refusal says in which line");
    return 0;
  }
  const auto again = ostiary::ParseConfigFile(Written(*lines));
  if (!again.ok()) std::cerr << again.status() << "\n" << Written(*lines);
  Require(again.ok() && again->size() == lines->size(),
          "what is read can be written");
  for (std::size_t i = 0; i < lines->size(); ++i) {
    Require((*again)[i].name == (*lines)[i].name &&
                (*again)[i].values == (*lines)[i].values,
            "and read again");
  }
  return 0;
}

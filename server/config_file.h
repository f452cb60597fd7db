#ifndef OSTIARY_SERVER_CONFIG_FILE_H_
#define OSTIARY_SERVER_CONFIG_FILE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace ostiary {

struct ConfigLine {
  std::string name;
  std::vector<std::string> values;  // more than one only from an array
  int line = 0;                     // where it begins; the first line is 1
};

// Reads the part of TOML that options need: `name = value` lines, comments
// behind #, and as value "text" with \" \\ \n \t, 'text as it is', a bare word
// (15m, true, 127.0.0.1:8080) or an array of those that may span lines. No
// sections. Stricter than CLI11's reader, and it knows where it stands.
//
// kInvalidArgument names the line and what is wrong with it, never its value.
absl::StatusOr<std::vector<ConfigLine>> ParseConfigFile(absl::string_view text);

}  // namespace ostiary

#endif  // OSTIARY_SERVER_CONFIG_FILE_H_

#ifndef OSTIARY_SERVER_OPTION_SOURCES_H_
#define OSTIARY_SERVER_OPTION_SOURCES_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "server/config.h"
#include "server/option_rows.h"

namespace ostiary {

// What somebody wrote for one option, not yet understood.
struct GivenOption {
  std::vector<std::string> values;
  std::string origin;  // "the command line", "OSTIARY_ISSUER", "a.toml:3"
};

// By the option's name.
using GivenOptions = std::map<std::string, GivenOption>;

struct Arguments {
  Mode mode = Mode::kServe;
  TableFormat table_format = TableFormat::kText;
  std::optional<RestoredSessions> restored_sessions;
  std::string restore_from;
  std::string restore_report;
  RestoreOutput restore_output = RestoreOutput::kText;
  GivenOptions options;
};

// Each appends to `problems` what it cannot take: unknown names (with the name
// that was probably meant), a missing value, an option given twice.
Arguments ReadArguments(const std::vector<std::string>& arguments,
                        std::vector<std::string>& problems);

// An unknown OSTIARY_* variable is refused if it looks like one of ours
// misspelt, and warned about otherwise: Kubernetes sets OSTIARY_SERVICE_HOST
// and the like in every pod beside a service called ostiary.
GivenOptions ReadEnvironment(
    const std::map<std::string, std::string>& environment,
    std::vector<std::string>& problems, std::vector<std::string>& warnings);

GivenOptions ReadFileOptions(const std::string& path,
                             std::vector<std::string>& problems);

// Splits a list at its commas. Values of other options stay as they are.
std::vector<std::string> SplitValues(const OptionRow& row,
                                     const std::vector<std::string>& values);

}  // namespace ostiary

#endif  // OSTIARY_SERVER_OPTION_SOURCES_H_

#ifndef OSTIARY_SERVER_CONFIG_RULES_H_
#define OSTIARY_SERVER_CONFIG_RULES_H_

#include <set>
#include <string>
#include <vector>

#include "server/config.h"

namespace ostiary {

// Fills in what follows from other options and from the machine. `given` holds
// the names of the options that somebody set.
void DeriveDefaults(const std::set<std::string>& given, int cores,
                    Config& config);

// The rules that concern more than one option, and the files that options
// name. One sentence per problem.
void CheckRules(const std::set<std::string>& given, Config& config,
                std::vector<std::string>& problems);

}  // namespace ostiary

#endif  // OSTIARY_SERVER_CONFIG_RULES_H_

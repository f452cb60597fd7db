#ifndef OSTIARY_TESTS_CHECKER_CANARY_H_
#define OSTIARY_TESTS_CHECKER_CANARY_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace ostiary::checker {

// Where a secret was found. `where` is the text's name; the secret itself is
// told by its number alone, so that a report leaks nothing.
struct Leak {
  std::string where;
  std::size_t canary = 0;  // its place in the list
  std::string spelling;    // "plain", "hex", "base64", "base64url"
  std::size_t offset = 0;
};

// Searches one text (a store file, a log, a page of metrics, an error) for
// every canary: as it is, in hex (either case) and in base64, at each of its
// three alignments. A canary shorter than 8 bytes is passed over: it would be
// found by chance.
std::vector<Leak> FindCanaries(absl::string_view where, absl::string_view text,
                               const std::vector<std::string>& canaries);

}  // namespace ostiary::checker

#endif  // OSTIARY_TESTS_CHECKER_CANARY_H_

#ifndef OSTIARY_CLIENT_CLI_JSONL_H_
#define OSTIARY_CLIENT_CLI_JSONL_H_

#include <boost/json/object.hpp>
#include <cstddef>
#include <istream>
#include <ostream>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace ostiary::cli {

// Longer lines are read past without being kept.
inline constexpr std::size_t kMaxLineBytes = std::size_t{1} << 20;

// What one line comes to.
struct LineVerdict {
  bool good = false;
  std::string reason;  // not written if empty
};

inline constexpr char kLineMalformed[] = "LINE_MALFORMED";
inline constexpr char kLineTooLong[] = "LINE_TOO_LONG";

// {"valid": true}, or {"valid": false, "reason": "TOKEN_EXPIRED"}, with `name`
// for "valid". One line, flushed.
void WriteVerdict(const LineVerdict& verdict, absl::string_view name,
                  std::ostream& out);

// For each line of `in` exactly one line on `out`, in order, flushed at once,
// so that a caller may feed one line and wait for its verdict. A line that is
// not a strict JSON object is LINE_MALFORMED, one above kMaxLineBytes
// LINE_TOO_LONG; both are verdicts and the rest is still read. An empty line is
// malformed: no line goes unanswered.
//
// An error of `judge` ends the work and is returned.
absl::Status JudgeLines(
    std::istream& in, std::ostream& out, absl::string_view name,
    absl::FunctionRef<absl::StatusOr<LineVerdict>(const boost::json::object&)>
        judge);

}  // namespace ostiary::cli

#endif  // OSTIARY_CLIENT_CLI_JSONL_H_

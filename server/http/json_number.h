#ifndef OSTIARY_SERVER_HTTP_JSON_NUMBER_H_
#define OSTIARY_SERVER_HTTP_JSON_NUMBER_H_

#include <cmath>
#include <limits>
#include <optional>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"

namespace ostiary::http {

// Any JSON number, or "NaN", "Infinity", "-Infinity". Empty if it is none of
// these or too large for a double.
std::optional<double> ParseJsonDouble(absl::string_view text);

// True for digits with or without a minus before them.
bool IsPlainInteger(absl::string_view text);

// An integer of type Int, exactly: 9007199254740993 is not rounded. 1e3 and
// 2.0 count as integers; 1.5 does not.
template <typename Int>
std::optional<Int> ParseJsonInteger(absl::string_view text) {
  if (IsPlainInteger(text)) {
    Int value = 0;
    if (!absl::SimpleAtoi(text, &value)) return std::nullopt;
    return value;
  }
  // Beyond 2^53 a double does not tell one integer from the next.
  constexpr double kExact = 9007199254740992.0;
  const std::optional<double> number = ParseJsonDouble(text);
  if (!number.has_value() || !(std::fabs(*number) <= kExact) ||
      std::trunc(*number) != *number ||
      *number < static_cast<double>(std::numeric_limits<Int>::min()) ||
      *number > static_cast<double>(std::numeric_limits<Int>::max())) {
    return std::nullopt;
  }
  return static_cast<Int>(*number);
}

// The shortest of the usual two precisions that reads back as the same value;
// "NaN", "Infinity" and "-Infinity" with quotes.
void AppendJsonDouble(double value, std::string& out);
void AppendJsonFloat(float value, std::string& out);

}  // namespace ostiary::http

#endif  // OSTIARY_SERVER_HTTP_JSON_NUMBER_H_

#include "server/http/json_number.h"

#include <algorithm>
#include <charconv>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/charconv.h"

namespace ostiary::http {
namespace {

template <typename Real>
void AppendReal(Real value, int short_digits, int full_digits,
                std::string& out) {
  if (std::isnan(value)) {
    out.append("\"NaN\"");
    return;
  }
  if (std::isinf(value)) {
    out.append(value > 0 ? "\"Infinity\"" : "\"-Infinity\"");
    return;
  }
  char text[40];
  for (const int digits : {short_digits, full_digits}) {
    const auto end = std::to_chars(std::begin(text), std::end(text), value,
                                   std::chars_format::general, digits)
                         .ptr;
    Real back = 0;
    absl::from_chars(std::begin(text), end, back);
    if (back == value || digits == full_digits) {
      out.append(std::begin(text), end);
      return;
    }
  }
}

}  // namespace

std::optional<double> ParseJsonDouble(absl::string_view text) {
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (text == "Infinity") return std::numeric_limits<double>::infinity();
  if (text == "-Infinity") return -std::numeric_limits<double>::infinity();
  // from_chars also knows "inf" and "nan"; JSON does not.
  const bool negative = !text.empty() && text.front() == '-';
  if (text.size() <= (negative ? 1u : 0u) ||
      !absl::ascii_isdigit(static_cast<unsigned char>(text[negative ? 1 : 0])))
    return std::nullopt;
  double value = 0;
  const auto result =
      absl::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ptr != text.data() + text.size()) return std::nullopt;
  // Out of range with a value near zero is an underflow, which is no harm.
  if (result.ec == std::errc::result_out_of_range && std::fabs(value) > 1)
    return std::nullopt;
  return value;
}

bool IsPlainInteger(absl::string_view text) {
  if (!text.empty() && text.front() == '-') text.remove_prefix(1);
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isdigit(static_cast<unsigned char>(c));
  });
}

void AppendJsonDouble(double value, std::string& out) {
  AppendReal(value, std::numeric_limits<double>::digits10,
             std::numeric_limits<double>::max_digits10, out);
}

void AppendJsonFloat(float value, std::string& out) {
  AppendReal(value, std::numeric_limits<float>::digits10,
             std::numeric_limits<float>::max_digits10, out);
}

}  // namespace ostiary::http

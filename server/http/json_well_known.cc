#include "server/http/json_well_known.h"

#include <cstdint>
#include <cstdlib>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"

namespace ostiary::http {
namespace {

constexpr std::int64_t kFirstSecond = -62135596800;  // 0001-01-01T00:00:00Z
constexpr std::int64_t kLastSecond = 253402300799;   // 9999-12-31T23:59:59Z
constexpr std::int64_t kMostSeconds = 315576000000;  // of a Duration

bool IsDigit(char c) {
  return absl::ascii_isdigit(static_cast<unsigned char>(c));
}

// Takes exactly `count` digits off the front.
std::optional<int> TakeNumber(absl::string_view& text, std::size_t count) {
  if (text.size() < count) return std::nullopt;
  int value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (!IsDigit(text[i])) return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool Take(absl::string_view& text, char expected) {
  if (text.empty() || text.front() != expected) return false;
  text.remove_prefix(1);
  return true;
}

// Takes "2026-01-02" or "03:04:05": three numbers, the first of `width` digits.
bool TakeTriple(absl::string_view& text, std::size_t width, char separator,
                int (&out)[3]) {
  for (int i = 0; i < 3; ++i) {
    if (i > 0 && !Take(text, separator)) return false;
    const std::optional<int> number = TakeNumber(text, i == 0 ? width : 2);
    if (!number.has_value()) return false;
    out[i] = *number;
  }
  return true;
}

// Takes ".123" off the front, if it is there: 1 to 9 digits.
std::optional<std::int32_t> TakeNanos(absl::string_view& text) {
  if (!Take(text, '.')) return 0;
  std::int32_t nanos = 0;
  int digits = 0;
  while (!text.empty() && IsDigit(text.front())) {
    if (++digits > 9) return std::nullopt;
    nanos = nanos * 10 + (text.front() - '0');
    text.remove_prefix(1);
  }
  if (digits == 0) return std::nullopt;
  for (; digits < 9; ++digits) nanos *= 10;
  return nanos;
}

// The whole of `text` is "Z" or "+01:30"; in seconds.
std::optional<int> ParseOffset(absl::string_view text) {
  if (text == "Z" || text == "z") return 0;
  const int sign = Take(text, '+') ? 1 : Take(text, '-') ? -1 : 0;
  const std::optional<int> hours = TakeNumber(text, 2);
  if (sign == 0 || !hours.has_value() || !Take(text, ':')) return std::nullopt;
  const std::optional<int> minutes = TakeNumber(text, 2);
  if (!minutes.has_value() || !text.empty()) return std::nullopt;
  if (*hours > 23 || *minutes > 59) return std::nullopt;
  return sign * (*hours * 3600 + *minutes * 60);
}

// ".5" as 0, 3, 6 or 9 digits.
std::string Fraction(std::int32_t nanos) {
  if (nanos == 0) return "";
  if (nanos % 1000000 == 0) return absl::StrFormat(".%03d", nanos / 1000000);
  if (nanos % 1000 == 0) return absl::StrFormat(".%06d", nanos / 1000);
  return absl::StrFormat(".%09d", nanos);
}

std::optional<std::string> SnakeCase(absl::string_view path) {
  std::string out;
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isupper(byte)) {
      out.push_back('_');
      out.push_back(absl::ascii_tolower(byte));
    } else if (absl::ascii_isalnum(byte) || c == '_' || c == '.') {
      out.push_back(c);
    } else {
      return std::nullopt;
    }
  }
  return out;
}

}  // namespace

bool ParseTimestamp(absl::string_view text, google::protobuf::Timestamp& out) {
  int date[3];
  int time[3];
  if (!TakeTriple(text, 4, '-', date)) return false;
  if (!Take(text, 'T') && !Take(text, 't')) return false;
  if (!TakeTriple(text, 2, ':', time)) return false;
  const std::optional<std::int32_t> nanos = TakeNanos(text);
  const std::optional<int> offset = ParseOffset(text);
  if (!nanos.has_value() || !offset.has_value()) return false;
  const absl::CivilSecond civil(date[0], date[1], date[2], time[0], time[1],
                                time[2]);
  // CivilSecond makes February 30 a day in March: such a date is no date.
  if (civil.month() != date[1] || civil.day() != date[2] ||
      civil.hour() != time[0] || civil.minute() != time[1] ||
      civil.second() != time[2]) {
    return false;
  }
  const std::int64_t seconds = (civil - absl::CivilSecond()) - *offset;
  if (seconds < kFirstSecond || seconds > kLastSecond) return false;
  out.set_seconds(seconds);
  out.set_nanos(*nanos);
  return true;
}

std::string PrintTimestamp(const google::protobuf::Timestamp& time) {
  if (time.seconds() < kFirstSecond || time.seconds() > kLastSecond ||
      time.nanos() < 0 || time.nanos() > 999999999) {
    return "";
  }
  const absl::CivilSecond civil = absl::CivilSecond() + time.seconds();
  return absl::StrFormat("%04d-%02d-%02dT%02d:%02d:%02d%sZ", civil.year(),
                         civil.month(), civil.day(), civil.hour(),
                         civil.minute(), civil.second(),
                         Fraction(time.nanos()));
}

bool ParseDuration(absl::string_view text, google::protobuf::Duration& out) {
  const bool negative = Take(text, '-');
  std::size_t digits = 0;
  while (digits < text.size() && IsDigit(text[digits])) ++digits;
  std::int64_t seconds = 0;
  if (digits == 0 || !absl::SimpleAtoi(text.substr(0, digits), &seconds))
    return false;
  text.remove_prefix(digits);
  const std::optional<std::int32_t> nanos = TakeNanos(text);
  if (!nanos.has_value() || text != "s" || seconds > kMostSeconds ||
      (seconds == kMostSeconds && *nanos > 0)) {
    return false;
  }
  out.set_seconds(negative ? -seconds : seconds);
  out.set_nanos(negative ? -*nanos : *nanos);
  return true;
}

std::string PrintDuration(const google::protobuf::Duration& duration) {
  const std::int64_t seconds = duration.seconds();
  const std::int32_t nanos = duration.nanos();
  if (seconds > kMostSeconds || seconds < -kMostSeconds || nanos > 999999999 ||
      nanos < -999999999 || (seconds > 0 && nanos < 0) ||
      (seconds < 0 && nanos > 0)) {
    return "";
  }
  const bool negative = seconds < 0 || nanos < 0;
  return absl::StrCat(negative ? "-" : "", negative ? -seconds : seconds,
                      Fraction(std::abs(nanos)), "s");
}

bool ParseFieldMask(absl::string_view text, google::protobuf::FieldMask& out) {
  if (text.empty()) return true;
  for (const absl::string_view path : absl::StrSplit(text, ',')) {
    const std::optional<std::string> name = SnakeCase(path);
    if (!name.has_value() || name->empty()) return false;
    out.add_paths(*name);
  }
  return true;
}

std::string PrintFieldMask(const google::protobuf::FieldMask& mask) {
  return absl::StrJoin(mask.paths(), ",",
                       [](std::string* out, const std::string& path) {
                         out->append(LowerCamelCase(path));
                       });
}

std::string LowerCamelCase(absl::string_view name) {
  std::string out;
  bool raise = false;
  for (const char c : name) {
    if (c == '_') {
      raise = true;
      continue;
    }
    out.push_back(raise ? absl::ascii_toupper(static_cast<unsigned char>(c))
                        : c);
    raise = false;
  }
  return out;
}

}  // namespace ostiary::http

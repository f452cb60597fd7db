#include "server/option_values.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace ostiary {
namespace {

struct Unit {
  absl::string_view name;
  absl::Duration length;
};

// Longest first, so that a duration is written with the fewest parts.
const Unit kUnits[] = {{"d", absl::Hours(24)},
                       {"h", absl::Hours(1)},
                       {"m", absl::Minutes(1)},
                       {"s", absl::Seconds(1)},
                       {"ms", absl::Milliseconds(1)}};

std::optional<absl::Duration> LengthOf(absl::string_view unit) {
  for (const Unit& known : kUnits) {
    if (known.name == unit) return known.length;
  }
  return std::nullopt;
}

std::size_t CountWhile(absl::string_view text, bool (*is)(unsigned char)) {
  std::size_t count = 0;
  while (count < text.size() && is(static_cast<unsigned char>(text[count]))) {
    ++count;
  }
  return count;
}

bool IsDigit(unsigned char c) { return absl::ascii_isdigit(c); }
bool IsLower(unsigned char c) { return absl::ascii_islower(c); }

// Digits only: SimpleAtoi alone would take "+5" and " 5".
std::optional<int> ParseInt(absl::string_view text) {
  int value = 0;
  if (text.empty() || CountWhile(text, IsDigit) != text.size()) {
    return std::nullopt;
  }
  if (!absl::SimpleAtoi(text, &value)) return std::nullopt;
  return value;
}

template <typename Allowed>
bool ConsistsOf(absl::string_view text, Allowed allowed) {
  for (const char c : text) {
    if (!allowed(static_cast<unsigned char>(c))) return false;
  }
  return true;
}

bool IsIpv4(const std::string& host) {
  in_addr address;
  return inet_pton(AF_INET, host.c_str(), &address) == 1;
}

bool IsIpv6(const std::string& host) {
  in6_addr address;
  return inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

bool IsLoopbackHost(const std::string& host) {
  in6_addr v6;
  if (inet_pton(AF_INET6, host.c_str(), &v6) == 1) {
    return IN6_IS_ADDR_LOOPBACK(&v6) != 0;
  }
  in_addr v4;
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) {
    return (ntohl(v4.s_addr) >> 24) == 127;
  }
  return host == "localhost";
}

struct HostPort {
  std::string host;  // without brackets
  std::string port;  // digits; empty: none given
};

bool IsHostName(absl::string_view host) {
  return !host.empty() && host.size() <= 253 && host.front() != '.' &&
         host.front() != '-' && ConsistsOf(host, [](unsigned char c) {
           return absl::ascii_isalnum(c) || c == '.' || c == '-';
         });
}

// "host", "host:port", "[v6]", "[v6]:port".
std::optional<HostPort> SplitHostPort(absl::string_view text) {
  HostPort split;
  absl::string_view rest;
  if (absl::StartsWith(text, "[")) {
    const std::size_t end = text.find(']');
    if (end == absl::string_view::npos) return std::nullopt;
    split.host = std::string(text.substr(1, end - 1));
    if (!IsIpv6(split.host)) return std::nullopt;
    rest = text.substr(end + 1);
  } else {
    const std::size_t colon = text.find(':');
    split.host = std::string(text.substr(0, colon));
    if (!IsHostName(split.host)) return std::nullopt;
    rest = colon == absl::string_view::npos ? absl::string_view()
                                            : text.substr(colon);
  }
  if (rest.empty()) return split;
  if (!absl::ConsumePrefix(&rest, ":")) return std::nullopt;
  const std::optional<int> port = ParseInt(rest);
  if (!port.has_value() || rest.size() > 5 || *port > 65535) {
    return std::nullopt;
  }
  split.port = std::string(rest);
  return split;
}

struct Url {
  HostPort authority;
  std::string path;
};

std::optional<Url> ParseUrl(absl::string_view text) {
  if (text.size() > 255) return std::nullopt;
  if (!ConsistsOf(text, [](unsigned char c) { return c > 0x20 && c < 0x7F; }) ||
      text.find_first_of("?#@\\\"<>") != absl::string_view::npos) {
    return std::nullopt;
  }
  if (!absl::ConsumePrefix(&text, "https://") &&
      !absl::ConsumePrefix(&text, "http://")) {
    return std::nullopt;
  }
  const std::size_t slash = text.find('/');
  const std::optional<HostPort> authority =
      SplitHostPort(text.substr(0, slash));
  if (!authority.has_value()) return std::nullopt;
  return Url{*authority, slash == absl::string_view::npos
                             ? std::string()
                             : std::string(text.substr(slash))};
}

std::string Same(const std::string& text) { return text; }

std::optional<std::string> If(bool good, absl::string_view text) {
  if (!good) return std::nullopt;
  return std::string(text);
}

}  // namespace

std::optional<absl::Duration> DurationFromText(absl::string_view text) {
  if (text.empty()) return std::nullopt;
  absl::Duration sum;
  while (!text.empty()) {
    const std::size_t digits = CountWhile(text, IsDigit);
    // Nine digits of days are within Duration's range many times over.
    if (digits == 0 || digits > 9) return std::nullopt;
    const std::optional<int> number = ParseInt(text.substr(0, digits));
    text.remove_prefix(digits);
    const std::size_t letters = CountWhile(text, IsLower);
    const std::optional<absl::Duration> unit =
        LengthOf(text.substr(0, letters));
    if (!number.has_value() || !unit.has_value()) return std::nullopt;
    text.remove_prefix(letters);
    sum += *number * *unit;
  }
  return sum;
}

std::string DurationToText(absl::Duration duration) {
  if (duration == absl::ZeroDuration()) return "0s";
  std::string text;
  for (const Unit& unit : kUnits) {
    const std::int64_t count =
        absl::IDivDuration(duration, unit.length, &duration);
    if (count > 0) absl::StrAppend(&text, count, unit.name);
  }
  return text;
}

Codec<absl::Duration> DurationBetween(absl::Duration least,
                                      absl::Duration most) {
  return {[=](absl::string_view text) -> std::optional<absl::Duration> {
            const std::optional<absl::Duration> value = DurationFromText(text);
            if (!value.has_value() || *value < least || *value > most) {
              return std::nullopt;
            }
            return value;
          },
          DurationToText};
}

Codec<int> IntBetween(int least, int most) {
  return {[=](absl::string_view text) -> std::optional<int> {
            const std::optional<int> value = ParseInt(text);
            if (!value.has_value() || *value < least || *value > most) {
              return std::nullopt;
            }
            return value;
          },
          [](const int& value) { return absl::StrCat(value); }};
}

Codec<int> IntBetweenOrAuto(int least, int most) {
  const Codec<int> number = IntBetween(least, most);
  return {[=](absl::string_view text) -> std::optional<int> {
            if (text == "auto") return 0;
            return number.parse(text);
          },
          [=](const int& value) {
            return value == 0 ? std::string("auto") : number.format(value);
          }};
}

Codec<bool> OnOff() {
  return OneOf<bool>(
      {{"on", true}, {"off", false}, {"true", true}, {"false", false}});
}

Codec<std::string> Text() {
  return {[](absl::string_view text) {
            const bool good = !text.empty() &&
                              absl::StripAsciiWhitespace(text) == text &&
                              ConsistsOf(text, [](unsigned char c) {
                                return c >= 0x20 && c != 0x7F;
                              });
            return If(good, text);
          },
          Same};
}

Codec<std::optional<Rate>> RateOrOff() {
  constexpr int kMostCount = 1000000;
  return {[](absl::string_view text) -> std::optional<std::optional<Rate>> {
            if (text == "off") return std::optional<Rate>();
            const std::size_t slash = text.find('/');
            if (slash == absl::string_view::npos) return std::nullopt;
            const std::optional<int> count = ParseInt(text.substr(0, slash));
            const std::optional<absl::Duration> per =
                DurationFromText(text.substr(slash + 1));
            if (!count.has_value() || *count < 1 || *count > kMostCount ||
                !per.has_value() || *per < absl::Seconds(1) ||
                *per > absl::Hours(24)) {
              return std::nullopt;
            }
            return std::optional<Rate>(Rate{*count, *per});
          },
          [](const std::optional<Rate>& rate) -> std::string {
            if (!rate.has_value()) return "off";
            return absl::StrCat(rate->count, "/", DurationToText(rate->per));
          }};
}

Codec<ListenAddress> Address() {
  return {[](absl::string_view text) -> std::optional<ListenAddress> {
            const std::optional<HostPort> split = SplitHostPort(text);
            if (!split.has_value() || split->port.empty()) return std::nullopt;
            ListenAddress address;
            address.host =
                split->host == "localhost" ? "127.0.0.1" : split->host;
            if (!IsIpv4(address.host) && !IsIpv6(address.host)) {
              return std::nullopt;
            }
            address.port =
                static_cast<std::uint16_t>(ParseInt(split->port).value_or(0));
            return address;
          },
          [](const ListenAddress& address) { return address.ToString(); }};
}

Codec<std::string> Cidr() {
  return {[](absl::string_view text) -> std::optional<std::string> {
            const std::size_t slash = text.find('/');
            const std::string host(text.substr(0, slash));
            const int most = IsIpv4(host) ? 32 : IsIpv6(host) ? 128 : -1;
            if (most < 0) return std::nullopt;
            if (slash == absl::string_view::npos) return host;
            const std::optional<int> bits = ParseInt(text.substr(slash + 1));
            return If(bits.has_value() && *bits <= most, text);
          },
          Same};
}

Codec<std::string> IssuerUrl() {
  return {[](absl::string_view text) {
            const std::optional<Url> url = ParseUrl(text);
            return If(url.has_value() && !absl::EndsWith(url->path, "/"), text);
          },
          Same};
}

Codec<std::string> Origin() {
  return {[](absl::string_view text) {
            const std::optional<Url> url = ParseUrl(text);
            return If(url.has_value() && url->path.empty(), text);
          },
          Same};
}

Codec<std::string> HostName() {
  return {[](absl::string_view text) {
            return If(IsHostName(text) || IsIpv6(std::string(text)), text);
          },
          Same};
}

Codec<std::string> TokenWord(std::string reserved_prefix) {
  return {[reserved_prefix](absl::string_view text) {
            const bool good = !text.empty() && text.size() <= 255 &&
                              ConsistsOf(text,
                                         [](unsigned char c) {
                                           return c > 0x20 && c < 0x7F &&
                                                  c != '"' && c != '\\' &&
                                                  c != ',';
                                         }) &&
                              (reserved_prefix.empty() ||
                               !absl::StartsWith(text, reserved_prefix));
            return If(good, text);
          },
          Same};
}

bool HasLoopbackHost(absl::string_view url) {
  const std::optional<Url> parsed = ParseUrl(url);
  return parsed.has_value() && IsLoopbackHost(parsed->authority.host);
}

bool ListenAddress::IsLoopback() const { return IsLoopbackHost(host); }

std::string ListenAddress::ToString() const {
  if (host.find(':') != std::string::npos) {
    return absl::StrCat("[", host, "]:", port);
  }
  return absl::StrCat(host, ":", port);
}

}  // namespace ostiary

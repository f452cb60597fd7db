#ifndef OSTIARY_SERVER_OPTION_VALUES_H_
#define OSTIARY_SERVER_OPTION_VALUES_H_

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/config.h"

namespace ostiary {

// How one type of value is read and written. `Format` gives a text that
// `parse` takes back. What was expected is said by the option's row, so a
// refusal is just nullopt.
template <typename T>
struct Codec {
  std::function<std::optional<T>(absl::string_view)> parse;
  std::function<std::string(const T&)> format;
};

// "90d", "1h30m", "250ms": whole numbers with ms, s, m, h or d.
std::optional<absl::Duration> DurationFromText(absl::string_view text);
std::string DurationToText(absl::Duration duration);

Codec<absl::Duration> DurationBetween(absl::Duration least,
                                      absl::Duration most);
Codec<int> IntBetween(int least, int most);
// The same, or "auto", which is 0 until the machine is known.
Codec<int> IntBetweenOrAuto(int least, int most);
Codec<bool> OnOff();
// Not empty, no control character, no white space at either end.
Codec<std::string> Text();
// "10/15m"; "off" is nullopt inside.
Codec<std::optional<Rate>> RateOrOff();
// "127.0.0.1:8080", "[::1]:0", "localhost:8080".
Codec<ListenAddress> Address();
// "10.0.0.0/8", "2001:db8::/32", or one address.
Codec<std::string> Cidr();
// An http or https URL that can be an issuer: a host, no user, no query, no
// fragment, no slash at the end.
Codec<std::string> IssuerUrl();
// "https://app.example.com:8443": a scheme and a host, nothing behind.
Codec<std::string> Origin();
// "auth.example.com", without a port.
Codec<std::string> HostName();
// 1 to 255 printable characters without space, quote and backslash (RFC 6749's
// scope-token); not beginning with `reserved_prefix`.
Codec<std::string> TokenWord(std::string reserved_prefix = "");

template <typename E>
Codec<E> OneOf(std::vector<std::pair<std::string, E>> names) {
  return {[names](absl::string_view text) -> std::optional<E> {
            for (const auto& [name, value] : names) {
              if (text == absl::string_view(name)) return value;
            }
            return std::nullopt;
          },
          [names](const E& wanted) -> std::string {
            for (const auto& [name, value] : names) {
              if (value == wanted) return name;
            }
            return "";
          }};
}

// True if the host of `url` (an issuer) is a loopback address or localhost.
bool HasLoopbackHost(absl::string_view url);

}  // namespace ostiary

#endif  // OSTIARY_SERVER_OPTION_VALUES_H_

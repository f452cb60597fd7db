#ifndef OSTIARY_SERVER_HTTP_LISTEN_ADDRESS_H_
#define OSTIARY_SERVER_HTTP_LISTEN_ADDRESS_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/http/asio.h"

namespace ostiary::http {

// "127.0.0.1:8080", "[::1]:0" or "localhost:8080". The error says what was
// expected.
absl::StatusOr<asio::ip::tcp::endpoint> ParseListenAddress(
    absl::string_view text);

// "127.0.0.1:8080", "[::1]:8080".
std::string ListenAddressText(const asio::ip::tcp::endpoint& endpoint);

// Without port; an IPv4 address never in its IPv6 form.
std::string AddressText(const asio::ip::address& address);
// True for an IPv4 loopback address in its IPv6 form, too.
bool IsLoopback(const asio::ip::address& address);
// What connections are counted by: an IPv4 address, or the /64 around an IPv6
// address.
std::string CountingKey(const asio::ip::address& address);

}  // namespace ostiary::http

#endif  // OSTIARY_SERVER_HTTP_LISTEN_ADDRESS_H_

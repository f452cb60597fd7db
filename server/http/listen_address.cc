#include "server/http/listen_address.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace ostiary::http {
namespace {

absl::Status Unparsable(absl::string_view text) {
  return absl::InvalidArgumentError(absl::StrCat(
      "cannot listen on \"", text,
      "\": expected an address and a port, such as 127.0.0.1:8080, "
      "[::1]:8080 or localhost:8080"));
}

asio::ip::address WithoutMapping(const asio::ip::address& address) {
  if (!address.is_v6() || !address.to_v6().is_v4_mapped()) return address;
  return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
}

}  // namespace

absl::StatusOr<asio::ip::tcp::endpoint> ParseListenAddress(
    absl::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == absl::string_view::npos) return Unparsable(text);
  std::string host(text.substr(0, colon));
  unsigned int port = 0;
  if (!absl::SimpleAtoi(text.substr(colon + 1), &port) || port > 65535)
    return Unparsable(text);
  const bool bracketed =
      host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (host == "localhost") host = "127.0.0.1";
  error_code ec;
  const asio::ip::address address = asio::ip::make_address(host, ec);
  if (ec || address.is_v6() != bracketed) return Unparsable(text);
  return asio::ip::tcp::endpoint(address, static_cast<unsigned short>(port));
}

std::string ListenAddressText(const asio::ip::tcp::endpoint& endpoint) {
  const std::string address = endpoint.address().to_string();
  return endpoint.address().is_v6()
             ? absl::StrCat("[", address, "]:", endpoint.port())
             : absl::StrCat(address, ":", endpoint.port());
}

std::string AddressText(const asio::ip::address& address) {
  return WithoutMapping(address).to_string();
}

bool IsLoopback(const asio::ip::address& address) {
  return WithoutMapping(address).is_loopback();
}

std::string CountingKey(const asio::ip::address& address) {
  const asio::ip::address plain = WithoutMapping(address);
  if (plain.is_v4()) return plain.to_string();
  auto bytes = plain.to_v6().to_bytes();
  std::fill(bytes.begin() + 8, bytes.end(), static_cast<unsigned char>(0));
  return asio::ip::address_v6(bytes).to_string();
}

}  // namespace ostiary::http

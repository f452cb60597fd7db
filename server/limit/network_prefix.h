#ifndef OSTIARY_SERVER_LIMIT_NETWORK_PREFIX_H_
#define OSTIARY_SERVER_LIMIT_NETWORK_PREFIX_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace ostiary::limit {

// An IP address. IPv4 is kept as ::ffff:a.b.c.d, so that the same host is the
// same value whichever socket it came in on.
class Address {
 public:
  // "192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1"; also "[2001:db8::1]:443"
  // and "192.0.2.1:443", as proxies write them, and a zone ("fe80::1%eth0"),
  // which is dropped. Anything else is nullopt.
  static std::optional<Address> Parse(absl::string_view text);

  bool is_ipv4() const;
  bool is_loopback() const;
  // Without port and zone; IPv4 in its own notation.
  std::string ToString() const;

  // The lowest address of the /64 this one is in.
  Address FirstOf64() const;

  const std::array<std::uint8_t, 16>& bytes() const { return bytes_; }
  friend bool operator==(const Address&, const Address&) = default;

 private:
  std::array<std::uint8_t, 16> bytes_{};
};

// A range of addresses in CIDR notation: "10.0.0.0/8", "::1/128", or a single
// address.
class AddressRange {
 public:
  // kInvalidArgument says what is wrong: not an address, a length out of range,
  // or bits set behind the length ("10.1.0.0/8" is a slip).
  static absl::StatusOr<AddressRange> Parse(absl::string_view text);
  bool Contains(const Address& address) const;

 private:
  Address first_;
  int bits_ = 128;  // of the 16 bytes
};

// What counts as one origin: an IPv4 address, or an IPv6 /64, which is what one
// household or one rented machine has to itself.
class NetworkPrefix {
 public:
  // nullopt for loopback: everything behind a proxy that names nobody would be
  // one origin.
  static std::optional<NetworkPrefix> Of(const Address& address);
  // nullopt also if `address` is none (a Unix socket's peer).
  static std::optional<NetworkPrefix> OfText(absl::string_view address);

  // "192.0.2.1/32", "2001:db8::/64".
  std::string ToString() const;
  friend bool operator==(const NetworkPrefix&, const NetworkPrefix&) = default;

 private:
  Address first_;
};

// The address a request comes from: `peer` itself or, when that is one of
// `trusted_proxies`, the last in `forwarded` (the values of X-Forwarded-For,
// joined by commas, oldest first) that is not. What stands before that one was
// written by the caller and is not read. An entry that is no address ends the
// walk. nullopt if `peer` is no address.
std::optional<Address> ClientAddress(
    absl::string_view peer, absl::string_view forwarded,
    const std::vector<AddressRange>& trusted_proxies);

}  // namespace ostiary::limit

#endif  // OSTIARY_SERVER_LIMIT_NETWORK_PREFIX_H_

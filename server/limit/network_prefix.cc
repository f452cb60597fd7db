#include "server/limit/network_prefix.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace ostiary::limit {
namespace {

constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0,    0,
                                                  0, 0, 0, 0, 0xff, 0xff};
constexpr int kIpv4Offset = 96;       // bits before an IPv4 address
constexpr std::size_t kMaxText = 64;  // no address is longer
// Proxies in a row. Whoever has more is playing.
constexpr int kMaxHops = 16;

bool AllDigits(absl::string_view text) {
  return !text.empty() && text.size() <= 5 &&
         std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
}

// "[2001:db8::1]:443" and "192.0.2.1:443" without port and brackets; nullopt if
// what looks like a port is none.
std::optional<absl::string_view> WithoutPort(absl::string_view text) {
  if (!text.empty() && text.front() == '[') {
    const std::size_t end = text.find(']');
    if (end == absl::string_view::npos) return std::nullopt;
    const absl::string_view rest = text.substr(end + 1);
    if (!rest.empty() && (rest[0] != ':' || !AllDigits(rest.substr(1)))) {
      return std::nullopt;
    }
    return text.substr(1, end - 1);
  }
  const std::size_t colon = text.find(':');
  if (colon == absl::string_view::npos ||
      text.find(':', colon + 1) != absl::string_view::npos) {
    return text;
  }
  if (!AllDigits(text.substr(colon + 1))) return std::nullopt;
  return text.substr(0, colon);
}

bool SameBits(const std::array<std::uint8_t, 16>& a,
              const std::array<std::uint8_t, 16>& b, int bits) {
  const std::size_t whole = static_cast<std::size_t>(bits / 8);
  if (std::memcmp(a.data(), b.data(), whole) != 0) return false;
  if (bits % 8 == 0) return true;
  const int mask = 0xff << (8 - bits % 8);
  return ((a[whole] ^ b[whole]) & mask & 0xff) == 0;
}

}  // namespace

std::optional<Address> Address::Parse(absl::string_view text) {
  if (text.size() > kMaxText) return std::nullopt;
  const std::optional<absl::string_view> host = WithoutPort(text);
  if (!host.has_value()) return std::nullopt;
  const std::string bare(host->substr(0, host->find('%')));
  if (bare.find('\0') != std::string::npos) return std::nullopt;
  Address address;
  if (inet_pton(AF_INET6, bare.c_str(), address.bytes_.data()) == 1) {
    return address;
  }
  if (inet_pton(AF_INET, bare.c_str(), &address.bytes_[12]) != 1) {
    return std::nullopt;
  }
  std::copy(kMapped.begin(), kMapped.end(), address.bytes_.begin());
  return address;
}

bool Address::is_ipv4() const {
  return std::equal(kMapped.begin(), kMapped.end(), bytes_.begin());
}

bool Address::is_loopback() const {
  if (is_ipv4()) return bytes_[12] == 127;
  return std::all_of(bytes_.begin(), bytes_.begin() + 15,
                     [](std::uint8_t b) { return b == 0; }) &&
         bytes_[15] == 1;
}

Address Address::FirstOf64() const {
  Address first = *this;
  std::fill(first.bytes_.begin() + 8, first.bytes_.end(), std::uint8_t{0});
  return first;
}

std::string Address::ToString() const {
  char text[INET6_ADDRSTRLEN] = {};
  if (is_ipv4()) {
    inet_ntop(AF_INET, &bytes_[12], text, sizeof(text));
  } else {
    inet_ntop(AF_INET6, bytes_.data(), text, sizeof(text));
  }
  return text;
}

absl::StatusOr<AddressRange> AddressRange::Parse(absl::string_view text) {
  const std::size_t slash = text.find('/');
  const std::optional<Address> first = Address::Parse(text.substr(0, slash));
  if (!first.has_value()) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", text, "\" is not an address or a CIDR range"));
  }
  AddressRange range;
  range.first_ = *first;
  if (slash == absl::string_view::npos) return range;
  const int offset = first->is_ipv4() ? kIpv4Offset : 0;
  int length = 0;
  if (!AllDigits(text.substr(slash + 1)) ||
      !absl::SimpleAtoi(text.substr(slash + 1), &length) ||
      length > 128 - offset) {
    return absl::InvalidArgumentError(absl::StrCat(
        "\"", text, "\": expected a length of 0 to ", 128 - offset));
  }
  range.bits_ = offset + length;
  for (int bit = range.bits_; bit < 128; ++bit) {
    const std::uint8_t byte = first->bytes()[static_cast<std::size_t>(bit / 8)];
    if ((byte >> (7 - bit % 8)) & 1) {
      return absl::InvalidArgumentError(
          absl::StrCat("\"", text, "\": has bits set behind its length"));
    }
  }
  return range;
}

bool AddressRange::Contains(const Address& address) const {
  return SameBits(first_.bytes(), address.bytes(), bits_);
}

std::optional<NetworkPrefix> NetworkPrefix::Of(const Address& address) {
  if (address.is_loopback()) return std::nullopt;
  NetworkPrefix prefix;
  prefix.first_ = address.is_ipv4() ? address : address.FirstOf64();
  return prefix;
}

std::optional<NetworkPrefix> NetworkPrefix::OfText(absl::string_view address) {
  const std::optional<Address> parsed = Address::Parse(address);
  return parsed.has_value() ? Of(*parsed) : std::nullopt;
}

std::string NetworkPrefix::ToString() const {
  return absl::StrCat(first_.ToString(), first_.is_ipv4() ? "/32" : "/64");
}

std::optional<Address> ClientAddress(
    absl::string_view peer, absl::string_view forwarded,
    const std::vector<AddressRange>& trusted_proxies) {
  const auto is_trusted = [&](const Address& address) {
    return std::any_of(
        trusted_proxies.begin(), trusted_proxies.end(),
        [&](const AddressRange& range) { return range.Contains(address); });
  };
  std::optional<Address> client = Address::Parse(peer);
  if (!client.has_value()) return std::nullopt;
  for (int hop = 0; hop < kMaxHops && is_trusted(*client); ++hop) {
    const std::size_t comma = forwarded.rfind(',');
    const absl::string_view last = comma == absl::string_view::npos
                                       ? forwarded
                                       : forwarded.substr(comma + 1);
    const std::optional<Address> before =
        Address::Parse(absl::StripAsciiWhitespace(last));
    if (!before.has_value()) return client;
    client = before;
    forwarded = comma == absl::string_view::npos ? absl::string_view()
                                                 : forwarded.substr(0, comma);
  }
  return client;
}

}  // namespace ostiary::limit

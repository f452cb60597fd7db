#include "server/grpc/open_connections.h"

#include <netinet/in.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <vector>

namespace ostiary::rpc {
namespace {

// Looking again is a system call for each connection: a flood of callers who
// are turned away must not make us look for each of them.
constexpr absl::Duration kLookInterval = absl::Milliseconds(100);

// Which socket `fd` is; nothing if it is none. No two that are open have the
// same number.
std::optional<ino_t> SocketAt(int fd) {
  struct stat found;
  if (fstat(fd, &found) != 0 || !S_ISSOCK(found.st_mode)) return std::nullopt;
  return found.st_ino;
}

}  // namespace

bool OpenConnections::Enter(int fd, const sockaddr_storage& peer,
                            absl::Time now) {
  Forget(fd);  // who had this descriptor has closed it
  const std::optional<ino_t> socket = SocketAt(fd);
  if (!socket.has_value()) return false;
  const Network network = NetworkOf(peer);
  if (!HasPlaceFor(network)) LookAgain(now);
  if (!HasPlaceFor(network)) return false;
  open_[fd] = {*socket, network};
  ++by_network_[network];
  return true;
}

OpenConnections::Network OpenConnections::NetworkOf(
    const sockaddr_storage& peer) {
  Network network = {};
  if (peer.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(peer);
    std::memcpy(network.data(), &v4.sin_addr, sizeof v4.sin_addr);
  } else if (peer.ss_family == AF_INET6) {
    const in6_addr& v6 = reinterpret_cast<const sockaddr_in6&>(peer).sin6_addr;
    if (IN6_IS_ADDR_V4MAPPED(&v6)) {
      std::memcpy(network.data(), v6.s6_addr + 12, 4);
    } else {
      std::memcpy(network.data(), v6.s6_addr, network.size());
    }
  }
  return network;
}

bool OpenConnections::HasPlaceFor(const Network& network) const {
  if (count() >= limits_.in_all) return false;
  const auto found = by_network_.find(network);
  return found == by_network_.end() || found->second < limits_.per_address;
}

void OpenConnections::LookAgain(absl::Time now) {
  if (now - looked_at_ < kLookInterval) return;
  looked_at_ = now;
  std::vector<int> closed;
  for (const auto& [fd, connection] : open_)
    if (SocketAt(fd) != connection.socket) closed.push_back(fd);
  for (const int fd : closed) Forget(fd);
}

void OpenConnections::Forget(int fd) {
  const auto found = open_.find(fd);
  if (found == open_.end()) return;
  const auto network = by_network_.find(found->second.network);
  if (--network->second == 0) by_network_.erase(network);
  open_.erase(found);
}

}  // namespace ostiary::rpc

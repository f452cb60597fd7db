#ifndef OSTIARY_SERVER_GRPC_OPEN_CONNECTIONS_H_
#define OSTIARY_SERVER_GRPC_OPEN_CONNECTIONS_H_

#include <sys/socket.h>
#include <sys/types.h>

#include <array>
#include <cstdint>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"

namespace ostiary::rpc {

struct ConnectionLimits {
  int in_all = 8192;
  // Addresses of one IPv6 /64 count as one: whoever has one has them all.
  int per_address = 4096;
};

// The connections that gRPC was given, in all and by address. gRPC does not
// tell when it has closed one, so they are looked at again when one is too
// many: a descriptor that is no longer the same socket has been closed.
//
// Not thread-safe.
class OpenConnections {
 public:
  explicit OpenConnections(const ConnectionLimits& limits) : limits_(limits) {}

  // Counts a connection that has just been accepted, whose descriptor `fd` is.
  // False: there is no place for it. `now` is of a clock that does not go back.
  bool Enter(int fd, const sockaddr_storage& peer, absl::Time now);

  // How many were open when they were last looked at.
  int count() const { return static_cast<int>(open_.size()); }

 private:
  // The network part of an address, IPv4 as itself.
  using Network = std::array<std::uint8_t, 8>;
  struct Connection {
    ino_t socket;
    Network network;
  };

  static Network NetworkOf(const sockaddr_storage& peer);
  bool HasPlaceFor(const Network& network) const;
  void LookAgain(absl::Time now);
  void Forget(int fd);

  const ConnectionLimits limits_;
  absl::flat_hash_map<int, Connection> open_;  // by descriptor
  absl::flat_hash_map<Network, int> by_network_;
  absl::Time looked_at_ = absl::InfinitePast();
};

}  // namespace ostiary::rpc

#endif  // OSTIARY_SERVER_GRPC_OPEN_CONNECTIONS_H_

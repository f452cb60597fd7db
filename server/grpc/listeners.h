#ifndef OSTIARY_SERVER_GRPC_LISTENERS_H_
#define OSTIARY_SERVER_GRPC_LISTENERS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace ostiary::rpc {

// A file descriptor and its owner.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept;
  Descriptor& operator=(Descriptor&& other) noexcept;

  // -1: none.
  int fd() const { return fd_; }

 private:
  int fd_ = -1;
};

// One address that is listened on; a name may stand for several sockets.
struct TcpListener {
  std::vector<Descriptor> sockets;  // they do not block
  int port = 0;
};

// `listen` is "host:port" or "[v6]:port"; port 0 takes a free one. [::] takes
// callers by IPv4 too. The error names the address and the cause: bad syntax,
// unknown host, an address of another machine, already in use, not permitted.
absl::StatusOr<TcpListener> ListenTcp(const std::string& listen);

// gRPC reports a failed bind of a path without saying what failed. These try
// first, so that the error names the path and the cause.

// Also refuses a path at which a server answers: gRPC would silently take it
// over. A socket that a dead server left behind is fine.
absl::Status CheckSocketPath(const std::string& path);

// Whether the bound socket is open to its owner alone.
absl::Status CheckSocketIsPrivate(const std::string& path);

}  // namespace ostiary::rpc

#endif  // OSTIARY_SERVER_GRPC_LISTENERS_H_

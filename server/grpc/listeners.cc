#include "server/grpc/listeners.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace ostiary::rpc {
namespace {

// sun_path without its terminator.
constexpr std::size_t kMaxSocketPathBytes = sizeof(sockaddr_un::sun_path) - 1;
// Of one connection in the kernel, which keeps twice as much. gRPC reads on
// until nothing is left: what a flood leaves behind it is work still to do.
constexpr int kMostUnseenBytes = 256 << 10;

Descriptor NewSocket(int family, int type) {
  return Descriptor(socket(family, type | SOCK_CLOEXEC, 0));
}

struct FreeAddresses {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

struct HostAndPort {
  std::string host;
  std::string port;
};

absl::Status CannotListen(absl::string_view where, absl::string_view why) {
  return absl::FailedPreconditionError(
      absl::StrCat("gRPC cannot listen on '", where, "': ", why));
}

absl::StatusOr<HostAndPort> Split(const std::string& listen) {
  const absl::string_view text = listen;
  const std::size_t colon = text.rfind(':');
  int port = 0;
  if (colon == absl::string_view::npos || colon == 0 ||
      !absl::SimpleAtoi(text.substr(colon + 1), &port) || port < 0 ||
      port > 65535) {
    return CannotListen(listen, "expected host:port, with a port up to 65535");
  }
  absl::string_view host = text.substr(0, colon);
  if (host.front() == '[' && host.back() == ']' && host.size() > 2) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find_first_of("[]:") != absl::string_view::npos) {
    return CannotListen(listen, "expected an IPv6 address as [address]:port");
  }
  return HostAndPort{std::string(host), absl::StrCat(port)};
}

absl::StatusOr<Addresses> Resolve(const std::string& listen) {
  absl::StatusOr<HostAndPort> parts = Split(listen);
  if (!parts.ok()) return parts.status();
  addrinfo hints = {};
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int failed =
      getaddrinfo(parts->host.c_str(), parts->port.c_str(), &hints, &found);
  if (failed != 0) {
    return CannotListen(listen, absl::StrCat("the host does not resolve: ",
                                             gai_strerror(failed)));
  }
  return Addresses(found);
}

void SetPort(int port, sockaddr_storage& address) {
  const in_port_t wire = htons(static_cast<std::uint16_t>(port));
  if (address.ss_family == AF_INET6) {
    reinterpret_cast<sockaddr_in6&>(address).sin6_port = wire;
  } else {
    reinterpret_cast<sockaddr_in&>(address).sin_port = wire;
  }
}

int BoundPort(int fd) {
  sockaddr_storage address = {};
  socklen_t size = sizeof address;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    return 0;
  return ntohs(address.ss_family == AF_INET6
                   ? reinterpret_cast<const sockaddr_in6&>(address).sin6_port
                   : reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

// Adds a socket that listens on `address`, on the port of those before it.
// Returns 0 or the error's number.
int AddSocket(const addrinfo& address, TcpListener& listener) {
  Descriptor made = NewSocket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK);
  if (made.fd() < 0) return errno;
  // Connections of a former server that are still closing are no obstacle. A
  // second server is one: without SO_REUSEPORT two cannot share the callers.
  const int on = 1;
  const int off = 0;
  setsockopt(made.fd(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  // Accepted sockets inherit it.
  setsockopt(made.fd(), SOL_SOCKET, SO_RCVBUF, &kMostUnseenBytes,
             sizeof kMostUnseenBytes);
  if (address.ai_family == AF_INET6)
    setsockopt(made.fd(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  sockaddr_storage to = {};
  std::memcpy(&to, address.ai_addr, address.ai_addrlen);
  if (listener.port != 0) SetPort(listener.port, to);
  if (bind(made.fd(), reinterpret_cast<const sockaddr*>(&to),
           address.ai_addrlen) != 0 ||
      listen(made.fd(), SOMAXCONN) != 0)
    return errno;
  listener.port = BoundPort(made.fd());
  listener.sockets.push_back(std::move(made));
  return 0;
}

absl::string_view Explain(int error) {
  switch (error) {
    case EADDRINUSE:
      return "the port is in use by another process";
    case EACCES:
      return "not permitted (ports below 1024 need a privilege)";
    case EADDRNOTAVAIL:
      return "the address belongs to no interface of this machine";
    default:
      return strerrordesc_np(error);
  }
}

// A name may stand for addresses of which this machine has only some, as
// localhost does where IPv6 is off.
bool IsAbsentHere(int error) {
  return error == EADDRNOTAVAIL || error == EAFNOSUPPORT;
}

sockaddr_un SocketAddress(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

bool ServerAnswersAt(const std::string& path) {
  const Descriptor probe = NewSocket(AF_UNIX, SOCK_STREAM);
  const sockaddr_un address = SocketAddress(path);
  return probe.fd() >= 0 &&
         connect(probe.fd(), reinterpret_cast<const sockaddr*>(&address),
                 sizeof address) == 0;
}

absl::Status CheckFolderOf(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "."
                             : slash == 0               ? "/"
                                                        : path.substr(0, slash);
  struct stat found;
  if (stat(folder.c_str(), &found) != 0 || !S_ISDIR(found.st_mode))
    return CannotListen(path, "its folder does not exist");
  if (access(folder.c_str(), W_OK | X_OK) != 0)
    return CannotListen(path, "its folder is not writable for this process");
  return absl::OkStatus();
}

}  // namespace

Descriptor::~Descriptor() {
  if (fd_ >= 0) close(fd_);
}

Descriptor::Descriptor(Descriptor&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)) {}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

absl::StatusOr<TcpListener> ListenTcp(const std::string& listen) {
  absl::StatusOr<Addresses> addresses = Resolve(listen);
  if (!addresses.ok()) return addresses.status();
  int absent = 0;
  TcpListener listener;
  for (const addrinfo* it = addresses->get(); it != nullptr; it = it->ai_next) {
    const int error = AddSocket(*it, listener);
    if (error != 0 && !IsAbsentHere(error))
      return CannotListen(listen, Explain(error));
    if (error != 0) absent = error;
  }
  if (listener.sockets.empty()) return CannotListen(listen, Explain(absent));
  return listener;
}

absl::Status CheckSocketPath(const std::string& path) {
  if (path.size() > kMaxSocketPathBytes) {
    return CannotListen(
        path, absl::StrCat("the path has ", path.size(),
                           " bytes; a Unix socket's may have at most ",
                           kMaxSocketPathBytes));
  }
  if (absl::Status s = CheckFolderOf(path); !s.ok()) return s;
  struct stat found;
  if (lstat(path.c_str(), &found) != 0) return absl::OkStatus();
  if (!S_ISSOCK(found.st_mode))
    return CannotListen(path, "something that is not a socket is in the way");
  if (ServerAnswersAt(path))
    return CannotListen(path, "another server answers there");
  return absl::OkStatus();
}

absl::Status CheckSocketIsPrivate(const std::string& path) {
  struct stat found;
  if (lstat(path.c_str(), &found) != 0)
    return CannotListen(path, "the socket is gone");
  if ((found.st_mode & 0177) != 0)
    return CannotListen(path, "the socket is open to others than its owner");
  return absl::OkStatus();
}

}  // namespace ostiary::rpc

#include "server/grpc/acceptor.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <utility>

namespace ostiary::rpc {
namespace {

// After an accept that failed for want of descriptors or memory: asking again
// at once would spin.
constexpr int kPauseMillis = 100;
// From one listener before the others have their turn.
constexpr int kMostAtOnce = 64;
// A peer that does not take what was sent to it holds buffers and calls.
constexpr unsigned kMostUnreadMillis = 10'000;

bool IsForWantOfSomething(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS ||
         error == ENOMEM;
}

absl::Time SteadyNow() {
  return absl::UnixEpoch() +
         absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

void Prepare(int fd) {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &kMostUnreadMillis,
             sizeof kMostUnreadMillis);
}

}  // namespace

Acceptor::Acceptor(const ConnectionLimits& limits)
    : open_(limits), stop_(eventfd(0, EFD_CLOEXEC)) {}

absl::StatusOr<std::unique_ptr<Acceptor>> Acceptor::Listen(
    const std::vector<std::string>& listen, const ConnectionLimits& limits) {
  std::unique_ptr<Acceptor> acceptor(new Acceptor(limits));
  if (acceptor->stop_.fd() < 0)
    return absl::ResourceExhaustedError("gRPC: no descriptor is left");
  for (const std::string& address : listen) {
    absl::StatusOr<TcpListener> listener = ListenTcp(address);
    if (!listener.ok()) return listener.status();
    acceptor->listeners_.push_back(*std::move(listener));
  }
  return acceptor;
}

Acceptor::~Acceptor() { Stop(); }

std::vector<int> Acceptor::ports() const {
  std::vector<int> ports;
  for (const TcpListener& listener : listeners_) ports.push_back(listener.port);
  return ports;
}

void Acceptor::Start(Take take) {
  thread_ = std::thread([this, take = std::move(take)] { Run(take); });
}

void Acceptor::Stop() {
  if (thread_.joinable()) {
    eventfd_write(stop_.fd(), 1);
    thread_.join();
  }
  listeners_.clear();
}

void Acceptor::Run(const Take& take) {
  std::vector<pollfd> watched = {{stop_.fd(), POLLIN, 0}};
  for (const TcpListener& listener : listeners_)
    for (const Descriptor& one : listener.sockets)
      watched.push_back({one.fd(), POLLIN, 0});
  bool pausing = false;
  for (;;) {
    const nfds_t count = pausing ? 1 : watched.size();
    poll(watched.data(), count, pausing ? kPauseMillis : -1);
    if (watched[0].revents != 0) return;
    pausing = false;
    for (std::size_t i = 1; i < count; ++i) {
      if (watched[i].revents != 0 && !AcceptFrom(watched[i].fd, take))
        pausing = true;
    }
  }
}

bool Acceptor::AcceptFrom(int listener, const Take& take) {
  for (int i = 0; i < kMostAtOnce; ++i) {
    sockaddr_storage peer = {};
    socklen_t size = sizeof peer;
    const int fd = accept4(listener, reinterpret_cast<sockaddr*>(&peer), &size,
                           SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return !IsForWantOfSomething(errno);
    if (!open_.Enter(fd, peer, SteadyNow())) {
      close(fd);
      continue;
    }
    Prepare(fd);
    take(fd);
  }
  return true;
}

}  // namespace ostiary::rpc

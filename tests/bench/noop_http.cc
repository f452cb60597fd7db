// What the machine itself takes for an HTTP answer: reads a request, finds its
// end and writes the same bytes every time. One thread, one epoll set.
//
//   noop_http BYTES     an answer of about as many bytes in all
//
// Prints "port N" and serves until it is killed.

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace ostiary::bench {
namespace {

int ListenOnLoopback() {
  const int listening = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(listening, generic, size) != 0 || listen(listening, 200) != 0 ||
      getsockname(listening, generic, &size) != 0)
    return -1;
  std::printf("port %d\n", ntohs(address.sin_port));
  std::fflush(stdout);
  return listening;
}

void Watch(int epoll, int fd) {
  epoll_event event = {};
  event.events = EPOLLIN;
  event.data.fd = fd;
  epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

void Accept(int epoll, int listening) {
  const int fd = accept(listening, nullptr, nullptr);
  if (fd < 0) return;
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  Watch(epoll, fd);
}

// Requests of the benches come whole and one at a time.
void Answer(int fd, const std::string& answer) {
  char bytes[4096];
  const ssize_t count = recv(fd, bytes, sizeof bytes, 0);
  const absl::string_view request(
      bytes, count > 0 ? static_cast<std::size_t>(count) : 0);
  if (request.find("\r\n\r\n") == absl::string_view::npos ||
      send(fd, answer.data(), answer.size(), MSG_NOSIGNAL) < 0)
    close(fd);
}

int Serve(std::size_t bytes) {
  const std::string answer =
      absl::StrCat("HTTP/1.1 200 OK\r\nContent-Length: ", bytes, "\r\n\r\n",
                   std::string(bytes, 'x'));
  const int listening = ListenOnLoopback();
  if (listening < 0) return 1;
  const int epoll = epoll_create1(0);
  Watch(epoll, listening);
  for (;;) {
    epoll_event ready[64];
    const int count = epoll_wait(epoll, ready, 64, -1);
    for (int i = 0; i < count; ++i) {
      if (ready[i].data.fd == listening) {
        Accept(epoll, listening);
      } else {
        Answer(ready[i].data.fd, answer);
      }
    }
  }
}

}  // namespace
}  // namespace ostiary::bench

int main(int argc, char** argv) {
  std::size_t bytes = 0;
  if (argc == 2 && absl::SimpleAtoi(argv[1], &bytes))
    return ostiary::bench::Serve(bytes);
  std::fprintf(stderr, "noop_http BYTES\n");
  return 2;
}

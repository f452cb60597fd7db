// Keeps one request in flight on each of a number of kept-alive connections of
// HTTP/1.1, and says what a request cost the server.
//
//   http_load --port N --path /.well-known/jwks.json --expect 200
//             --server-pid P --seconds 2 --connections 16
//
// Every answer's status is looked at. Prints one line of JSON.

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tests/bench/measure.h"

namespace ostiary::bench {
namespace {

struct Plan {
  int port = 0;
  std::string path;
  std::string if_none_match;  // empty: not sent
  int expect = 200;
  int server_pid = 0;
  double seconds = 2;
  int connections = 16;
};

[[noreturn]] void Fail(const std::string& what) {
  std::fprintf(stderr, "http_load: %s\n", what.c_str());
  std::exit(1);
}

std::string RequestOf(const Plan& plan) {
  std::string text = absl::StrCat(
      "GET ", plan.path, " HTTP/1.1\r\nHost: localhost:", plan.port,
      "\r\nUser-Agent: http_load\r\nAccept: */*\r\n");
  if (!plan.if_none_match.empty())
    absl::StrAppend(&text, "If-None-Match: ", plan.if_none_match, "\r\n");
  return text + "\r\n";
}

// The size of the answer at the front of `received`; 0: not whole yet.
std::size_t AnswerSize(absl::string_view received, int expect) {
  const std::size_t end = received.find("\r\n\r\n");
  if (end == absl::string_view::npos) return 0;
  const absl::string_view header = received.substr(0, end);
  if (!absl::StartsWith(header, absl::StrCat("HTTP/1.1 ", expect, " ")))
    Fail(absl::StrCat("not ", expect, ": ", header));
  std::size_t body = 0;
  for (absl::string_view line : absl::StrSplit(header, "\r\n")) {
    if (!absl::StartsWithIgnoreCase(line, "content-length:")) continue;
    line.remove_prefix(15);
    if (!absl::SimpleAtoi(line, &body)) Fail("a length that is no number");
  }
  return received.size() >= end + 4 + body ? end + 4 + body : 0;
}

class Connection {
 public:
  Connection(const Plan& plan, const std::string& request)
      : plan_(plan), request_(request), fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(plan.port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd_, reinterpret_cast<const sockaddr*>(&address),
                sizeof address) != 0)
      Fail("cannot connect");
    const int on = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }

  int fd() const { return fd_; }

  void Ask() {
    began_ = absl::Now();
    if (send(fd_, request_.data(), request_.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(request_.size()))
      Fail("cannot send");
  }

  // True: a whole answer is there.
  bool Receive() {
    char bytes[16384];
    const ssize_t count = recv(fd_, bytes, sizeof bytes, 0);
    if (count <= 0) Fail("the server closed the connection");
    received_.append(bytes, static_cast<std::size_t>(count));
    const std::size_t size = AnswerSize(received_, plan_.expect);
    if (size == 0) return false;
    if (size != received_.size()) Fail("more than one answer");
    answer_bytes_ = size;
    received_.clear();
    return true;
  }

  absl::Duration waited() const { return absl::Now() - began_; }
  std::size_t answer_bytes() const { return answer_bytes_; }

 private:
  const Plan& plan_;
  const std::string& request_;
  const int fd_;
  absl::Time began_;
  std::string received_;
  std::size_t answer_bytes_ = 0;
};

int Run(const Plan& plan) {
  const std::string request = RequestOf(plan);
  std::vector<Connection> connections;
  std::vector<pollfd> waiting;
  for (int i = 0; i < plan.connections; ++i) {
    connections.emplace_back(plan, request);
    waiting.push_back({connections.back().fd(), POLLIN, 0});
  }
  std::vector<double> latencies;
  const absl::Duration cpu = CpuOf(plan.server_pid);
  const absl::Time began = absl::Now();
  const absl::Time end = began + absl::Seconds(plan.seconds);
  for (Connection& connection : connections) connection.Ask();
  while (absl::Now() < end) {
    if (poll(waiting.data(), waiting.size(), 10000) <= 0)
      Fail("no answer for 10 s");
    for (std::size_t i = 0; i < waiting.size(); ++i) {
      if (waiting[i].revents == 0 || !connections[i].Receive()) continue;
      latencies.push_back(absl::ToDoubleMicroseconds(connections[i].waited()));
      connections[i].Ask();
    }
  }
  const absl::Duration took = absl::Now() - began;
  const absl::Duration used = CpuOf(plan.server_pid) - cpu;
  if (latencies.empty()) Fail("no answer");
  const auto requests = static_cast<double>(latencies.size());
  std::printf(
      "{\"requests\": %.0f, \"per_second\": %.0f, \"cpu_us\": %.3f, "
      "\"p50_us\": %.0f, \"p99_us\": %.0f, \"answer_bytes\": %zu}\n",
      requests, requests / absl::ToDoubleSeconds(took),
      absl::ToDoubleMicroseconds(used) / requests, Percentile(latencies, 0.5),
      Percentile(latencies, 0.99), connections.front().answer_bytes());
  return 0;
}

int Main(int argc, char** argv) {
  Plan plan;
  CLI::App app("Loads one path of an HTTP server on loopback.");
  app.add_option("--port", plan.port)->required();
  app.add_option("--path", plan.path)->required();
  app.add_option("--if-none-match", plan.if_none_match);
  app.add_option("--expect", plan.expect);
  app.add_option("--server-pid", plan.server_pid)->required();
  app.add_option("--seconds", plan.seconds)->check(CLI::Range(0.1, 600.0));
  app.add_option("--connections", plan.connections)->check(CLI::Range(1, 200));
  CLI11_PARSE(app, argc, argv);
  return Run(plan);
}

}  // namespace
}  // namespace ostiary::bench

int main(int argc, char** argv) { return ostiary::bench::Main(argc, argv); }

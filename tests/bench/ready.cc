// Starts a server and says when it answered its first Verify, and what it had
// cost by then.
//
//   ready --target 127.0.0.1:PORT --settle 1 -- COMMAND ...
//
// The server listens on PORT, which must be free. It is ended with SIGTERM.
// Prints one line of JSON: ready_ms from just before the fork, cpu_ms of the
// process until then, and its memory `settle` seconds later.

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "grpcpp/grpcpp.h"
#include "ostiary/v1/token_service.grpc.pb.h"
#include "tests/bench/measure.h"

namespace ostiary::bench {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(120);
constexpr absl::Duration kPause = absl::Microseconds(250);

pid_t Start(std::vector<std::string>& command) {
  std::vector<char*> arguments;
  for (std::string& word : command) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  int input[2];  // some servers end with their input: it stays open
  if (pipe(input) != 0) std::abort();
  const pid_t pid = fork();
  if (pid != 0) return pid;
  const int nothing = open("/dev/null", O_WRONLY);
  dup2(input[0], STDIN_FILENO);
  dup2(nothing, STDOUT_FILENO);
  dup2(nothing, STDERR_FILENO);
  close(input[1]);
  execv(arguments[0], arguments.data());
  _exit(127);
}

bool Connects(int port) {
  const int socket_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool connected =
      connect(socket_fd, reinterpret_cast<const sockaddr*>(&address),
              sizeof(address)) == 0;
  close(socket_fd);
  return connected;
}

// Any answer but "not there" and "not ready".
bool Answers(v1::TokenService::Stub& stub) {
  ::grpc::ClientContext call;
  call.set_deadline(absl::ToChronoTime(absl::Now() + absl::Seconds(5)));
  v1::VerifyRequest request;
  request.set_token("no token");
  v1::VerifyResponse response;
  const ::grpc::Status status = stub.Verify(&call, request, &response);
  return status.error_code() != ::grpc::StatusCode::UNAVAILABLE &&
         status.error_code() != ::grpc::StatusCode::DEADLINE_EXCEEDED;
}

bool WaitUntilReady(const std::string& target, pid_t pid) {
  const int port = std::atoi(target.substr(target.rfind(':') + 1).c_str());
  const absl::Time end = absl::Now() + kPatience;
  // gRPC itself would come back for a server that is not there much later.
  while (!Connects(port)) {
    if (absl::Now() > end || waitpid(pid, nullptr, WNOHANG) != 0) return false;
    absl::SleepFor(kPause);
  }
  ::grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  const auto stub = v1::TokenService::NewStub(::grpc::CreateCustomChannel(
      target, ::grpc::InsecureChannelCredentials(), arguments));
  while (!Answers(*stub)) {
    if (absl::Now() > end) return false;
    absl::SleepFor(kPause);
  }
  return true;
}

double CpuMilliseconds(pid_t pid) {
  clockid_t clock = 0;
  timespec used{};
  if (clock_getcpuclockid(pid, &clock) != 0 ||
      clock_gettime(clock, &used) != 0) {
    return 0;
  }
  return absl::ToDoubleMilliseconds(absl::DurationFromTimespec(used));
}

int Main(int argc, char** argv) {
  std::string target;
  double settle = 0;
  std::vector<std::string> command;
  CLI::App app("Starts a server and measures when it is ready.");
  app.add_option("--target", target)->required();
  app.add_option("--settle", settle)->check(CLI::Range(0.0, 60.0));
  app.add_option("command", command)->required();
  CLI11_PARSE(app, argc, argv);
  grpc_init();  // not while the server starts
  const absl::Time began = absl::Now();
  const pid_t pid = Start(command);
  const bool ready = WaitUntilReady(target, pid);
  const absl::Duration took = absl::Now() - began;
  const double cpu_ms = CpuMilliseconds(pid);
  absl::SleepFor(absl::Seconds(settle));
  const std::size_t resident = ResidentBytes(pid);
  const std::size_t own = OwnBytes(pid);
  kill(pid, SIGTERM);
  waitpid(pid, nullptr, 0);
  if (!ready) {
    std::fprintf(stderr, "ready: no answer from %s\n", command[0].c_str());
    return 1;
  }
  std::printf(
      "{\"ready_ms\": %.2f, \"cpu_ms\": %.2f, \"rss_mib\": %.2f, "
      "\"own_mib\": %.2f}\n",
      absl::ToDoubleMilliseconds(took), cpu_ms,
      static_cast<double>(resident) / (1 << 20),
      static_cast<double>(own) / (1 << 20));
  return 0;
}

}  // namespace
}  // namespace ostiary::bench

int main(int argc, char** argv) { return ostiary::bench::Main(argc, argv); }

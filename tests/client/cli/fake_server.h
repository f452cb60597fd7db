#ifndef OSTIARY_TESTS_CLIENT_CLI_FAKE_SERVER_H_
#define OSTIARY_TESTS_CLIENT_CLI_FAKE_SERVER_H_

#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "google/protobuf/message.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server.h"
#include "grpcpp/server_context.h"
#include "ostiary/v1/account.pb.h"
#include "ostiary/v1/key_service.pb.h"
#include "ostiary/v1/revocation_service.pb.h"
#include "tests/support/temp_dir.h"

namespace ostiary::cli {

// What the fake services were asked and what they answer. The services keep no
// rules: the tests are about the program in front of them.
struct Script {
  // Guards `calls` and the headers while calls are under way.
  std::mutex mutex;
  // "Method {request}", in order.
  std::vector<std::string> calls;
  // The authorization header of the last call.
  std::string authorization;
  // The user agent of the last call.
  std::string user_agent;

  // Returned by every method if not OK.
  grpc::Status failure;
  // Calls wait until their deadline has passed.
  bool never_answers = false;
  std::vector<v1::Account> accounts;
  std::vector<v1::SigningKey> keys;
  bool serving = true;
  bool token_is_valid = true;
  // Each Watch is answered with the next of them; a Watch after the last one is
  // UNAVAILABLE.
  struct Stream {
    std::vector<v1::WatchResponse> frames;
    // None: stays open until the caller goes.
    std::optional<grpc::Status> end;
  };
  std::deque<Stream> streams;
};

// A status as ostiaryd sends it.
grpc::Status Failure(
    grpc::StatusCode code, const std::string& message,
    const std::vector<const google::protobuf::Message*>& details);

// A real gRPC server with fake services on a Unix socket of its own, and on a
// TCP port too if credentials for it are given.
class FakeServer {
 public:
  explicit FakeServer(
      std::shared_ptr<grpc::ServerCredentials> tcp_credentials = nullptr);
  ~FakeServer();

  Script& script() { return script_; }
  std::string socket() const { return dir_.File("ostiary.sock"); }
  int port() const { return port_; }

 private:
  class Services;

  testing::TempDir dir_;
  Script script_;
  std::unique_ptr<Services> services_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace ostiary::cli

#endif  // OSTIARY_TESTS_CLIENT_CLI_FAKE_SERVER_H_

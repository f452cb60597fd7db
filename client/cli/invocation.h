#ifndef OSTIARY_CLIENT_CLI_INVOCATION_H_
#define OSTIARY_CLIENT_CLI_INVOCATION_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "client/cli/connection.h"
#include "client/cli/exit_code.h"
#include "client/cli/output.h"
#include "client/cli/surroundings.h"

namespace ostiary::cli {

// The flags every command takes, as text.
struct GlobalFlags {
  std::string socket;
  std::string server;
  std::string tls_ca;
  std::string tls_cert;
  std::string tls_key;
  bool allow_plaintext = false;
  std::string token_file;
  std::string output = "table";
  std::string timeout = "10s";
};

// One run of the program: its surroundings, its global flags found good, and a
// connection that is opened when first asked for.
class Invocation {
 public:
  // Usage errors for --output and --timeout.
  static absl::StatusOr<std::unique_ptr<Invocation>> Create(
      GlobalFlags flags, Surroundings& surroundings);

  Surroundings& surroundings() { return surroundings_; }
  std::ostream& out() { return surroundings_.out; }
  Format format() const { return format_; }

  // Usage errors for everything that says where the server is and who calls.
  absl::StatusOr<Connection*> connection();

  // Calls once, or fails with what kept it from being called.
  template <typename Service, typename Request, typename Response>
  absl::StatusOr<Response> Call(
      grpc::Status (Service::Stub::*method)(grpc::ClientContext*,
                                            const Request&, Response*),
      const Request& request) {
    absl::StatusOr<Connection*> opened = connection();
    if (!opened.ok()) return opened.status();
    return (*opened)->template Call<Service>(method, request);
  }

  // Shows a message in the chosen format; the exit code is kOk.
  absl::StatusOr<ExitCode> Answer(const google::protobuf::Message& message);

 private:
  Invocation(GlobalFlags flags, Surroundings& surroundings, Format format,
             absl::Duration timeout);

  absl::StatusOr<Place> FindPlace() const;
  absl::StatusOr<SecretText> FindToken() const;

  const GlobalFlags flags_;
  Surroundings& surroundings_;
  const Format format_;
  const absl::Duration timeout_;
  std::unique_ptr<Connection> connection_;
};

// A duration like "10s" or "1m30s" within [least, most]; a usage error naming
// `option` otherwise.
absl::StatusOr<absl::Duration> ParseDurationFlag(absl::string_view option,
                                                 const std::string& text,
                                                 absl::Duration least,
                                                 absl::Duration most);

// What a command does once its arguments are understood.
using Action = std::function<absl::StatusOr<ExitCode>(Invocation&)>;

}  // namespace ostiary::cli

#endif  // OSTIARY_CLIENT_CLI_INVOCATION_H_

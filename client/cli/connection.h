#ifndef OSTIARY_CLIENT_CLI_CONNECTION_H_
#define OSTIARY_CLIENT_CLI_CONNECTION_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/cli/endpoint.h"
#include "client/cli/secret_text.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/status.h"

namespace ostiary::cli {

struct ConnectionOptions {
  Place place;
  // Sent as "authorization: Bearer"; empty: none.
  SecretText token;
  // For each call, from its start.
  absl::Duration timeout = absl::Seconds(10);
};

// One channel to one server. Nothing is sent before the first call.
class Connection {
 public:
  // Usage errors of `ResolveEndpoint`, and: unreadable TLS files; a token with
  // characters that cannot stand in a header.
  static absl::StatusOr<std::unique_ptr<Connection>> Open(
      ConnectionOptions options);

  // Calls a method of `Service` once and waits:
  //   Call<v1::KeyService>(&v1::KeyService::Stub::GetJwks, request)
  //
  // The error keeps the server's reason and details. If there was no answer,
  // it says why and what to try.
  template <typename Service, typename Request, typename Response>
  absl::StatusOr<Response> Call(
      grpc::Status (Service::Stub::*method)(grpc::ClientContext*,
                                            const Request&, Response*),
      const Request& request) {
    grpc::ClientContext context;
    Prepare(context);
    Response response;
    const auto stub = Service::NewStub(channel_);
    const grpc::Status status = (*stub.*method)(&context, request, &response);
    if (!status.ok()) return Explain(status);
    return response;
  }

  // For calls that `Call` cannot make. Deadline and token, or the token alone:
  // a stream has no end that could be foretold.
  void Prepare(grpc::ClientContext& context) const;
  void PrepareStream(grpc::ClientContext& context) const;
  // `status` must not be OK.
  absl::Status Explain(const grpc::Status& status) const;

  const Endpoint& endpoint() const { return endpoint_; }
  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }
  // One with a TCP connection of its own.
  std::shared_ptr<grpc::Channel> NewChannel() const;

 private:
  using Credentials = std::shared_ptr<grpc::ChannelCredentials>;
  Connection(ConnectionOptions options, Endpoint endpoint,
             Credentials credentials);

  const ConnectionOptions options_;
  const Endpoint endpoint_;
  const Credentials credentials_;
  const std::shared_ptr<grpc::Channel> channel_;
};

}  // namespace ostiary::cli

#endif  // OSTIARY_CLIENT_CLI_CONNECTION_H_

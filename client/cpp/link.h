#ifndef OSTIARY_CLIENT_CPP_LINK_H_
#define OSTIARY_CLIENT_CPP_LINK_H_

#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "grpcpp/security/credentials.h"
#include "ostiary/options.h"

namespace ostiary::client {

// The way to one server. Thread-safe.
class Link {
 public:
  // INVALID_ARGUMENT for a target that is neither "host:port" nor "unix:PATH",
  // half a client certificate, or a bearer token that cannot stand in a header.
  // Nothing is sent.
  static absl::StatusOr<std::unique_ptr<Link>> Open(
      absl::string_view target, ServerCredentials credentials);

  std::shared_ptr<grpc::Channel> channel() const;
  // From now on a connection of its own: one that has died without a word, or
  // gRPC's own long pause after failures, is left behind.
  void Renew();
  // Adds the bearer token.
  void Sign(grpc::ClientContext& context) const;

 private:
  Link(std::string target, std::string bearer_token,
       std::shared_ptr<grpc::ChannelCredentials> credentials);

  const std::string target_;
  const std::string bearer_token_;
  const std::shared_ptr<grpc::ChannelCredentials> credentials_;
  mutable absl::Mutex mutex_;
  std::shared_ptr<grpc::Channel> channel_ ABSL_GUARDED_BY(mutex_);
};

// ErrorInfo.reason of an error of the server; empty if there is none.
std::string ReasonOf(const grpc::Status& status);

}  // namespace ostiary::client

#endif  // OSTIARY_CLIENT_CPP_LINK_H_

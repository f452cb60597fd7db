#include "client/cpp/link.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/support/channel_arguments.h"

namespace ostiary::client {
namespace {

// Above every part of a snapshot.
constexpr int kMaxFrameBytes = 32 << 20;

bool IsTarget(absl::string_view target) {
  if (absl::StartsWith(target, "unix:")) return target.size() > 5;
  const std::size_t colon = target.rfind(':');
  if (colon == absl::string_view::npos || colon == 0) return false;
  int port = 0;
  return absl::SimpleAtoi(target.substr(colon + 1), &port) && port > 0 &&
         port <= 65535;
}

bool CanStandInHeader(const std::string& token) {
  return std::all_of(token.begin(), token.end(),
                     [](char c) { return c > ' ' && c <= '~'; });
}

std::shared_ptr<grpc::ChannelCredentials> CredentialsOf(
    const ServerCredentials& credentials) {
  if (!credentials.tls) return grpc::InsecureChannelCredentials();
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = credentials.tls->root_certificates;
  options.pem_cert_chain = credentials.tls->certificate_chain;
  options.pem_private_key = credentials.tls->private_key;
  return grpc::SslCredentials(options);
}

grpc::ChannelArguments Arguments() {
  grpc::ChannelArguments arguments;
  arguments.SetUserAgentPrefix("ostiary-cpp/" OSTIARY_VERSION);
  arguments.SetMaxReceiveMessageSize(kMaxFrameBytes);
  // A proxy of the environment is for web pages: tokens do not go there.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // Otherwise a new channel would share the connection of the old one.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 1000);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 2000);
  return arguments;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Link>> Link::Open(
    absl::string_view target, ServerCredentials credentials) {
  if (!IsTarget(target)) {
    return absl::InvalidArgumentError(
        "target: expected host:port or unix:PATH");
  }
  if (!CanStandInHeader(credentials.bearer_token)) {
    return absl::InvalidArgumentError(
        "credentials.bearer_token: holds characters that no token has");
  }
  if (credentials.tls && credentials.tls->certificate_chain.empty() !=
                             credentials.tls->private_key.empty()) {
    return absl::InvalidArgumentError(
        "credentials.tls: a certificate and its key go together");
  }
  auto channel_credentials = CredentialsOf(credentials);
  return std::unique_ptr<Link>(new Link(std::string(target),
                                        std::move(credentials.bearer_token),
                                        std::move(channel_credentials)));
}

Link::Link(std::string target, std::string bearer_token,
           std::shared_ptr<grpc::ChannelCredentials> credentials)
    : target_(std::move(target)),
      bearer_token_(std::move(bearer_token)),
      credentials_(std::move(credentials)) {
  Renew();
}

std::shared_ptr<grpc::Channel> Link::channel() const {
  absl::ReaderMutexLock lock(&mutex_);
  return channel_;
}

void Link::Renew() {
  auto renewed = grpc::CreateCustomChannel(target_, credentials_, Arguments());
  absl::MutexLock lock(&mutex_);
  channel_.swap(renewed);
}

void Link::Sign(grpc::ClientContext& context) const {
  if (bearer_token_.empty()) return;
  context.AddMetadata("authorization", "Bearer " + bearer_token_);
}

std::string ReasonOf(const grpc::Status& status) {
  google::rpc::Status details;
  if (!details.ParseFromString(status.error_details())) return "";
  for (const auto& any : details.details()) {
    google::rpc::ErrorInfo info;
    if (any.Is<google::rpc::ErrorInfo>() && any.UnpackTo(&info)) {
      return info.reason();
    }
  }
  return "";
}

}  // namespace ostiary::client

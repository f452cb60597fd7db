#include "client/cli/connection.h"

#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/cli/failure.h"
#include "client/cli/file.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"

namespace ostiary::cli {
namespace {

// A full page of accounts with the largest metadata fits.
constexpr int kMaxAnswerBytes = 64 << 20;

using Credentials = std::shared_ptr<grpc::ChannelCredentials>;

// gRPC finds out at the first connection and tells nobody but its log.
absl::StatusOr<std::string> ReadPem(absl::string_view option,
                                    const std::string& path,
                                    absl::string_view kind) {
  absl::StatusOr<std::string> text = ReadFile(option, path);
  if (!text.ok()) return text;
  if (!absl::StrContains(*text, absl::StrCat(kind, "-----"))) {
    return UsageError(absl::StrCat(option, ": ", path, " holds no PEM ",
                                   absl::AsciiStrToLower(kind)));
  }
  return text;
}

absl::StatusOr<Credentials> TlsCredentials(const Place& place) {
  grpc::SslCredentialsOptions options;
  absl::StatusOr<std::string> roots =
      ReadPem("--tls-ca", place.tls_ca, "CERTIFICATE");
  if (!roots.ok()) return roots.status();
  options.pem_root_certs = *std::move(roots);
  if (place.tls_cert.empty()) return grpc::SslCredentials(options);
  absl::StatusOr<std::string> chain =
      ReadPem("--tls-cert", place.tls_cert, "CERTIFICATE");
  if (!chain.ok()) return chain.status();
  absl::StatusOr<std::string> key =
      ReadPem("--tls-key", place.tls_key, "PRIVATE KEY");
  if (!key.ok()) return key.status();
  options.pem_cert_chain = *std::move(chain);
  options.pem_private_key = *std::move(key);
  Credentials credentials = grpc::SslCredentials(options);
  Wipe(options.pem_private_key);
  return credentials;
}

absl::StatusOr<Credentials> CredentialsFor(const Place& place,
                                           Protection protection) {
  switch (protection) {
    case Protection::kLocalSocket:
      return grpc::experimental::LocalCredentials(UDS);
    case Protection::kPlaintext:
      return grpc::InsecureChannelCredentials();
    case Protection::kTls:
      return TlsCredentials(place);
  }
  return absl::InternalError("unknown protection");
}

grpc::ChannelArguments ArgumentsOf() {
  grpc::ChannelArguments arguments;
  arguments.SetUserAgentPrefix("ostiary-cli/" OSTIARY_VERSION);
  arguments.SetMaxReceiveMessageSize(kMaxAnswerBytes);
  // A proxy of the environment is for web pages: passwords do not go there.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return arguments;
}

bool CanStandInHeader(const std::string& token) {
  for (const char c : token) {
    if (c <= ' ' || c > '~') return false;
  }
  return true;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Connection>> Connection::Open(
    ConnectionOptions options) {
  if (!CanStandInHeader(options.token.Reveal())) {
    return UsageError(
        "the bearer token holds spaces or characters that no token has");
  }
  absl::StatusOr<Endpoint> endpoint = ResolveEndpoint(options.place);
  if (!endpoint.ok()) return endpoint.status();
  absl::StatusOr<Credentials> credentials =
      CredentialsFor(options.place, endpoint->protection);
  if (!credentials.ok()) return credentials.status();
  return std::unique_ptr<Connection>(new Connection(
      std::move(options), *std::move(endpoint), *std::move(credentials)));
}

Connection::Connection(ConnectionOptions options, Endpoint endpoint,
                       Credentials credentials)
    : options_(std::move(options)),
      endpoint_(std::move(endpoint)),
      credentials_(std::move(credentials)),
      channel_(grpc::CreateCustomChannel(endpoint_.target, credentials_,
                                         ArgumentsOf())) {}

std::shared_ptr<grpc::Channel> Connection::NewChannel() const {
  grpc::ChannelArguments arguments = ArgumentsOf();
  // Channels with the same arguments share a connection otherwise.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel(endpoint_.target, credentials_, arguments);
}

void Connection::Prepare(grpc::ClientContext& context) const {
  context.set_deadline(absl::ToChronoTime(absl::Now() + options_.timeout));
  PrepareStream(context);
}

void Connection::PrepareStream(grpc::ClientContext& context) const {
  if (!options_.token.empty()) {
    context.AddMetadata("authorization", "Bearer " + options_.token.Reveal());
  }
}

absl::Status Connection::Explain(const grpc::Status& rpc) const {
  absl::Status status = FromRpc(rpc);
  if (IsServersAnswer(status)) return status;
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
      return ExplainUnreachable(options_.place, status.message());
    case absl::StatusCode::kDeadlineExceeded:
      return absl::DeadlineExceededError(absl::StrCat(
          "no answer within ", absl::FormatDuration(options_.timeout),
          "; the call may still take effect. --timeout gives it "
          "longer"));
    case absl::StatusCode::kUnimplemented:
      return absl::UnimplementedError(
          "the server does not know this method; is it an ostiaryd, and not "
          "older than this program?");
    default:
      return status;
  }
}

}  // namespace ostiary::cli

#ifndef OSTIARY_CLIENT_CPP_INCLUDE_OSTIARY_TOKEN_CLIENT_H_
#define OSTIARY_CLIENT_CPP_INCLUDE_OSTIARY_TOKEN_CLIENT_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "ostiary/options.h"
#include "ostiary/time_source.h"

namespace ostiary {

struct TokenClientOptions {
  // Where Ostiary's gRPC listens: "host:port", or "unix:PATH".
  std::string target;
  // The application; empty: the server's built-in public client.
  std::string client_id;
  // Who the access tokens are for; empty: the server's default audience.
  std::string audience;
  // Scopes asked for, separated by spaces.
  std::string scope;
  // For one call.
  absl::Duration call_timeout = absl::Seconds(5);
  ServerCredentials credentials;
  // Not owned; must outlive the client.
  const TimeSource* time = &TimeSource::OfMachine();
};

// Signs a user in and keeps the session alive, on a thread of its own.
//
// It refreshes at a random moment between 60 % and 85 % of the access token's
// life (with a fixed schedule a thief could stay in step), one refresh at a
// time, retries a lost answer with the same refresh token and request id, and
// replaces both tokens together. When the server rejects the refresh token the
// session is over: AccessToken says UNAUTHENTICATED, and the user must sign in
// again.
//
// Errors of the server keep its code and sentence; their reason is ReasonOf.
// Thread-safe.
class TokenClient {
 public:
  // INVALID_ARGUMENT names the option that is wrong.
  static absl::StatusOr<std::unique_ptr<TokenClient>> Create(
      TokenClientOptions options);
  // The session stays alive on the server. Returns within a second.
  ~TokenClient();
  TokenClient(const TokenClient&) = delete;
  TokenClient& operator=(const TokenClient&) = delete;

  // Opens a session, in place of the one before.
  absl::Status SignIn(absl::string_view identifier, absl::string_view password);
  // Goes on with a session that was kept as its last refresh token.
  absl::Status Resume(absl::string_view refresh_token);

  // One that has not expired. Blocks for a call or two if it had to be
  // refreshed and was not. UNAUTHENTICATED if there is no session (any more);
  // UNAVAILABLE if the server could not be reached in time.
  absl::StatusOr<std::string> AccessToken();
  // To be kept like a password; changes with every refresh. Empty: no session.
  std::string RefreshToken() const;

  // Ends the session, here in any case.
  absl::Status SignOut();

  // The reason of an error: "CREDENTIALS_REJECTED"; empty if it has none.
  static std::string ReasonOf(const absl::Status& status);

 private:
  class Parts;
  explicit TokenClient(std::unique_ptr<Parts> parts);

  const std::unique_ptr<Parts> parts_;
};

}  // namespace ostiary

#endif  // OSTIARY_CLIENT_CPP_INCLUDE_OSTIARY_TOKEN_CLIENT_H_

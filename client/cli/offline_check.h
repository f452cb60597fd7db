#ifndef OSTIARY_CLIENT_CLI_OFFLINE_CHECK_H_
#define OSTIARY_CLIENT_CLI_OFFLINE_CHECK_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "client/jwt/key_set.h"
#include "client/jwt/verifier.h"
#include "ostiary/v1/token_service.pb.h"

namespace ostiary::cli {

// What a token must be, as the flags say it.
struct OfflineFlags {
  std::string jwks;  // file
  std::string issuer;
  std::string audience;
  bool any_audience = false;
  std::vector<std::string> scopes;
  std::vector<std::string> roles;
  std::string algorithms;  // "ES256,RS256"; empty: all there are
  std::string leeway = "60s";
  std::optional<long long> at;  // seconds since 1970
};

// Checks access tokens with a file of keys and no server. Knows no
// revocations: what it accepts may have been revoked.
class OfflineCheck {
 public:
  // Usage errors: unreadable or refused keys, no issuer, neither an audience
  // nor --any-audience (nothing empty ever means that anything goes), both of
  // them, unknown algorithms, leeway outside 0 to 5 minutes.
  static absl::StatusOr<OfflineCheck> Create(const OfflineFlags& flags,
                                             absl::Time now);

  // The same answer as TokenService.Verify gives.
  v1::VerifyResponse Check(absl::string_view token) const;

 private:
  OfflineCheck(jwt::Verifier verifier, jwt::KeySet keys,
               jwt::Expectations expectations, absl::Time now);

  jwt::Verifier verifier_;
  jwt::KeySet keys_;
  jwt::Expectations expectations_;
  absl::Time now_;
};

}  // namespace ostiary::cli

#endif  // OSTIARY_CLIENT_CLI_OFFLINE_CHECK_H_

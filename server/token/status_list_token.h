#ifndef OSTIARY_SERVER_TOKEN_STATUS_LIST_TOKEN_H_
#define OSTIARY_SERVER_TOKEN_STATUS_LIST_TOKEN_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/key/signing_key.h"

namespace ostiary::token {

// What a status list of one-bit entries is to say about itself.
struct StatusListTokenRequest {
  std::string uri;  // sub: where it is served, as the tokens name it
  // Whole seconds count.
  absl::Time issue_time;   // iat
  absl::Time expire_time;  // exp
  absl::Duration ttl;      // ttl: how long a copy may be used
  std::string lst;         // status_list.lst (status_list::EncodeLst)
};

// The list as a signed token of type "statuslist+jwt"
// (draft-ietf-oauth-status-list, section 5.1). The type keeps it from being
// taken for an access token. kInternal if OpenSSL fails.
absl::StatusOr<std::string> MintStatusListToken(
    const StatusListTokenRequest& request, const key::SigningKey& key);

}  // namespace ostiary::token

#endif  // OSTIARY_SERVER_TOKEN_STATUS_LIST_TOKEN_H_

#ifndef OSTIARY_SERVER_TOKEN_ACCESS_TOKEN_MINTER_H_
#define OSTIARY_SERVER_TOKEN_ACCESS_TOKEN_MINTER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/key/key_view.h"
#include "server/key/schedule.h"

namespace ostiary::token {

// The header's typ.
enum class TokenType {
  kAccessToken,  // "at+jwt" (RFC 9068)
  kJwt,          // "JWT", for clients whose consumers know no other
};

// Where a token's status is published (Token Status List).
struct StatusClaim {
  std::uint64_t index = 0;
  std::string uri;
};

// What one access token is to say. No personal data: it is readable to whoever
// holds it.
struct AccessTokenRequest {
  std::string subject;                 // sub
  std::vector<std::string> audiences;  // aud; one is written as a string
  std::string client_id;               // client_id
  std::string session_id;              // sid; empty: none
  std::string token_id;                // jti
  std::string scope;                   // space separated; empty: no claim
  std::vector<std::string> roles;      // always there, if only as []
  std::optional<absl::Time> auth_time;
  std::vector<std::string> amr;             // empty: no claim
  std::optional<std::uint64_t> generation;  // gen; none on service tokens
  std::optional<StatusClaim> status;        // status.status_list
  // Whole seconds count; what is finer is cut off.
  absl::Time issue_time;   // iat
  absl::Time expire_time;  // exp
  // A JSON object of further claims; empty: none. It may not say anything that
  // has a field above.
  std::string extra_json;
  TokenType type = TokenType::kAccessToken;
};

struct AccessToken {
  std::string text;
  std::string key_id;  // that signed it
  absl::Time issue_time;
  absl::Time expire_time;
};

struct AccessTokenMinterOptions {
  std::string issuer;
  // Of an ordinary token (--access-token-lifetime); at most
  // key::kAccessLifetimeCap, after which revocations may be forgotten.
  absl::Duration lifetime = absl::Minutes(15);
};

// Makes access tokens. Immutable and thread-safe.
class AccessTokenMinter {
 public:
  // kInvalidArgument naming the option: no issuer, or a lifetime that is not
  // whole seconds from 1 s to 24 h.
  static absl::StatusOr<AccessTokenMinter> Create(
      AccessTokenMinterOptions options);

  const std::string& issuer() const { return options_.issuer; }
  absl::Duration lifetime() const { return options_.lifetime; }

  // The token, signed with the view's active key. The members stand in a fixed
  // order and RS256 and EdDSA are deterministic: the same request then gives
  // the same text. With ES256 it says the same in another text.
  //
  // kInvalidArgument if the request is one our own verifier would refuse: a
  // required claim missing, text that is not UTF-8, a lifetime outside 1 s to
  // 24 h, extra claims that are no object or take a reserved name, a text over
  // jwt::kMaxTokenBytes. kInternal if OpenSSL fails.
  absl::StatusOr<AccessToken> Mint(const AccessTokenRequest& request,
                                   const key::KeyView& keys) const;

 private:
  explicit AccessTokenMinter(AccessTokenMinterOptions options)
      : options_(std::move(options)) {}

  AccessTokenMinterOptions options_;
};

}  // namespace ostiary::token

#endif  // OSTIARY_SERVER_TOKEN_ACCESS_TOKEN_MINTER_H_

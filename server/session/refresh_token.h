#ifndef OSTIARY_SERVER_SESSION_REFRESH_TOKEN_H_
#define OSTIARY_SERVER_SESSION_REFRESH_TOKEN_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/base/ids.h"
#include "server/base/secret.h"
#include "storage/rows.h"

namespace ostiary::session {

// The server's keys for refresh tokens, by id (8 hexadecimal digits).
class RefreshKeys {
 public:
  virtual ~RefreshKeys() = default;
  virtual std::string newest_id() const = 0;
  // Null if there is none of this id.
  virtual const SecretBytes* Find(absl::string_view key_id) const = 0;
};

// A refresh token as somebody presented it: well-formed, and no more. Whether
// we made it is what SessionSecrets::Made answers.
//
// "ort_" + base64url(version 1, key id 4 bytes, session id 16, generation 4
// big-endian, tag 32).
struct PresentedRefreshToken {
  std::string key_id;
  SessionId session_id;
  std::uint32_t generation = 0;
  std::string tag;

  static std::optional<PresentedRefreshToken> Parse(absl::string_view text);
};

// What only the holder of the refresh key *and* the session's row can compute.
// A database thief lacks the first, a key thief the second (the random salt).
class SessionSecrets {
 public:
  SessionSecrets(const SecretBytes& refresh_key,
                 const storage::SessionRow& row);

  // The refresh token of a generation of this session.
  std::string RefreshToken(std::uint32_t generation) const;
  // True if the tag is ours. In constant time.
  bool Made(const PresentedRefreshToken& presented) const;
  // The jti of the access token minted at that generation and second with that
  // scope: derived, so that a retry makes no second token.
  std::string TokenId(std::uint32_t generation, absl::Time minted_at,
                      absl::string_view scope) const;
  // How a request_id is remembered.
  std::string RequestIdHash(absl::string_view request_id) const;

 private:
  std::string Tag(std::uint32_t generation) const;

  const std::string refresh_key_id_;
  const SessionId session_id_;
  const SecretBytes session_key_;
};

}  // namespace ostiary::session

#endif  // OSTIARY_SERVER_SESSION_REFRESH_TOKEN_H_

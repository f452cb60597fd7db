#ifndef OSTIARY_CLIENT_JWT_TOKEN_H_
#define OSTIARY_CLIENT_JWT_TOKEN_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace ostiary::jwt {

// Longer texts are not looked at.
inline constexpr std::size_t kMaxTokenBytes = 16 * 1024;

// A compact JWS taken apart: three canonical base64url parts under a header
// that is a strict JSON object. Nothing in it is verified; it can be used to
// find a key and for nothing else.
//
// `jku`, `jwk`, `x5u`, `x5c` and unknown members of the header are ignored,
// never followed: the key comes from the verifier's own set.
class RawToken {
 public:
  // Nullopt is TOKEN_MALFORMED. So are `crit`, `b64` and `zip` with any value:
  // no extension is understood here (RFC 7515 section 4.1.11, RFC 8725 3.6).
  //
  // `text` must outlive the result.
  static std::optional<RawToken> Parse(absl::string_view text);

  const std::string& algorithm_name() const { return algorithm_name_; }
  const std::optional<std::string>& kid() const { return kid_; }
  const std::optional<std::string>& type() const { return type_; }

  // Header and payload as they were signed, in the text given to Parse.
  absl::string_view signing_input() const { return signing_input_; }
  // Decoded, of unknown form.
  const std::string& payload() const { return payload_; }
  const std::string& signature() const { return signature_; }

 private:
  RawToken() = default;
  bool ReadHeader(absl::string_view json);

  std::string algorithm_name_;
  std::optional<std::string> kid_;
  std::optional<std::string> type_;
  absl::string_view signing_input_;
  std::string payload_;
  std::string signature_;
};

// What an access token says (RFC 9068 and Ostiary's own claims).
struct Claims {
  std::string issuer;                       // iss
  std::string subject;                      // sub, never empty
  std::vector<std::string> audiences;       // aud, never empty
  std::string client_id;                    // client_id, never empty
  std::string session_id;                   // sid; empty if there is none
  std::string token_id;                     // jti, never empty
  absl::Time issue_time;                    // iat
  absl::Time expire_time;                   // exp
  std::optional<absl::Time> not_before;     // nbf
  std::optional<absl::Time> auth_time;      // auth_time
  std::vector<std::string> scopes;          // scope, split at spaces
  std::vector<std::string> roles;           // roles
  std::vector<std::string> amr;             // amr
  std::optional<std::uint64_t> generation;  // gen
  // All other claims as one JSON object.
  std::string extra_json = "{}";

  friend bool operator==(const Claims&, const Claims&) = default;
};

// A token whose form, key, signature, type, issuer and required claims a
// `Verifier` has found good. Only a Verifier can make one, so holding it is
// the proof. Time, audience, revocation and authority are *not* part of it:
// they depend on when and by whom it is asked. A value: copy it, cache it.
class VerifiedToken {
 public:
  const Claims& claims() const { return claims_; }
  // The key that signed it. A revoked key takes its tokens with it.
  const std::string& kid() const { return kid_; }

 private:
  friend class Verifier;
  VerifiedToken(Claims claims, std::string kid)
      : claims_(std::move(claims)), kid_(std::move(kid)) {}

  Claims claims_;
  std::string kid_;
};

}  // namespace ostiary::jwt

#endif  // OSTIARY_CLIENT_JWT_TOKEN_H_

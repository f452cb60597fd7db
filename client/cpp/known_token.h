#ifndef OSTIARY_CLIENT_CPP_KNOWN_TOKEN_H_
#define OSTIARY_CLIENT_CPP_KNOWN_TOKEN_H_

#include <memory>
#include <string>
#include <utility>

#include "client/jwt/token.h"
#include "client/revocation/revoked_set.h"

namespace ostiary::client {

// A token whose signature was checked, and what it can be revoked by, worked
// out once. Immutable; stays where it is, because `marks` points into it.
class KnownToken {
 public:
  KnownToken(jwt::Claims claims, std::string key_id)
      : claims_(std::move(claims)), key_id_(std::move(key_id)) {
    marks_.token = revocation::Fingerprint::OfToken(claims_.token_id);
    if (!claims_.session_id.empty()) {
      marks_.session = revocation::Fingerprint::OfSession(claims_.session_id);
    }
    marks_.account_id = claims_.subject;
    marks_.generation = claims_.generation.value_or(0);
    marks_.client_id = claims_.client_id;
    marks_.issue_time = claims_.issue_time;
    marks_.key_id = key_id_;
  }
  KnownToken(const KnownToken&) = delete;
  KnownToken& operator=(const KnownToken&) = delete;

  const jwt::Claims& claims() const { return claims_; }
  const revocation::TokenMarks& marks() const { return marks_; }

 private:
  const jwt::Claims claims_;
  const std::string key_id_;
  revocation::TokenMarks marks_;
};

using KnownTokenPtr = std::shared_ptr<const KnownToken>;

}  // namespace ostiary::client

#endif  // OSTIARY_CLIENT_CPP_KNOWN_TOKEN_H_

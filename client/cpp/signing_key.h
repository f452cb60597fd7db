#ifndef OSTIARY_CLIENT_CPP_SIGNING_KEY_H_
#define OSTIARY_CLIENT_CPP_SIGNING_KEY_H_

#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "client/jwt/jwk.h"

namespace ostiary::client {

// A fresh P-256 key of a TestIssuer. The process ends if there is none to be
// had. Thread-safe.
class SigningKey {
 public:
  SigningKey();
  ~SigningKey();

  const jwt::PublicJwk& jwk() const { return jwk_; }
  // R || S.
  std::string Sign(absl::string_view message) const;

 private:
  struct Key;

  const std::unique_ptr<Key> key_;
  const jwt::PublicJwk jwk_;
};

}  // namespace ostiary::client

#endif  // OSTIARY_CLIENT_CPP_SIGNING_KEY_H_

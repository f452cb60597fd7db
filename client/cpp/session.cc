#include "client/cpp/session.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <cstdlib>
#include <utility>

#include "absl/strings/escaping.h"
#include "client/cpp/jitter.h"

namespace ostiary::client {
namespace {

void Wipe(std::string& text) {
  OPENSSL_cleanse(text.data(), text.size());
  text.clear();
}

std::string NewRequestId() {
  unsigned char bytes[16];
  if (RAND_bytes(bytes, sizeof(bytes)) != 1) std::abort();
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(bytes), sizeof(bytes)));
}

}  // namespace

Secret::Secret(Secret&& other) noexcept : text_(other.text_) {
  Wipe(other.text_);
}

Secret& Secret::operator=(const Secret& other) {
  if (this != &other) {
    Wipe(text_);
    text_ = other.text_;
  }
  return *this;
}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    *this = std::as_const(other);
    Wipe(other.text_);
  }
  return *this;
}

Secret::~Secret() { Wipe(text_); }

Session Session::Of(const v1::TokenSet& tokens, absl::Duration asked) {
  const absl::Duration life = absl::Seconds(tokens.expires_in().seconds()) +
                              absl::Nanoseconds(tokens.expires_in().nanos());
  Session session = Resumed(tokens.refresh_token());
  session.access_token = Secret(tokens.access_token());
  session.refresh_at = asked + 0.60 * life + Jitter(0.25 * life);
  session.expires_at = asked + life;
  return session;
}

Session Session::Resumed(absl::string_view refresh_token) {
  Session session;
  session.refresh_token = Secret(refresh_token);
  session.request_id = NewRequestId();
  return session;
}

}  // namespace ostiary::client

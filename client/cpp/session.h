#ifndef OSTIARY_CLIENT_CPP_SESSION_H_
#define OSTIARY_CLIENT_CPP_SESSION_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "ostiary/v1/token_set.pb.h"

namespace ostiary::client {

// A secret that is wiped when it goes or is replaced.
class Secret {
 public:
  Secret() = default;
  explicit Secret(absl::string_view text) : text_(text) {}
  Secret(const Secret&) = default;
  Secret(Secret&& other) noexcept;
  Secret& operator=(const Secret& other);
  Secret& operator=(Secret&& other) noexcept;
  ~Secret();

  const std::string& Reveal() const { return text_; }
  bool empty() const { return text_.empty(); }

 private:
  std::string text_;
};

// Both tokens of a session and when to replace them. A value.
struct Session {
  // Tokens that were asked for at `asked` (uptime): their life is counted from
  // then, so that a slow answer makes it shorter, never longer.
  static Session Of(const v1::TokenSet& tokens, absl::Duration asked);
  // One of which only the refresh token is known: due at once.
  static Session Resumed(absl::string_view refresh_token);

  Secret access_token;
  Secret refresh_token;
  // Uptimes. A random moment between 60 % and 85 % of the access token's life:
  // with a fixed schedule a thief could stay in step.
  absl::Duration refresh_at = -absl::InfiniteDuration();
  absl::Duration expires_at = -absl::InfiniteDuration();
  // Sent with every attempt to replace this refresh token, so that a lost
  // answer can be had again instead of looking like a theft.
  std::string request_id;
};

}  // namespace ostiary::client

#endif  // OSTIARY_CLIENT_CPP_SESSION_H_

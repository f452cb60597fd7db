#ifndef OSTIARY_SERVER_ACCOUNT_IDENTIFIERS_H_
#define OSTIARY_SERVER_ACCOUNT_IDENTIFIERS_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace ostiary::account {

// The longest identifier anybody may send, in bytes (an email's limit).
inline constexpr std::size_t kMaxIdentifierBytes = 254;

// What a username or an email is looked up by: NFKC with case folded, so that
// two spellings a person takes for the same are the same (the idea of RFC
// 8265's UsernameCaseMapped). The text as written is kept beside it for
// display.
//
// Errors: kArgumentInvalid about `field`, saying what was expected. The text
// itself is never quoted.

// 1 to 64 characters; no "@", no white space, no control or invisible
// characters; does not begin like one of our ids ("acct_").
absl::StatusOr<std::string> UsernameKey(absl::string_view username,
                                        absl::string_view field);

// local@domain, at most 254 bytes; not begin like one of our ids.
absl::StatusOr<std::string> EmailKey(absl::string_view email,
                                     absl::string_view field);

// What somebody typed at sign-in.
struct Identifier {
  enum class Kind { kUsername, kEmail };
  Kind kind;
  std::string key;
};

// With an "@" it is an email. Text that could name nobody is nullopt, which the
// caller must treat just like an identifier that is not found.
std::optional<Identifier> ParseIdentifier(absl::string_view text);

// For display: no control characters, valid UTF-8, at most `max_bytes`.
absl::Status CheckDisplayText(absl::string_view text, std::size_t max_bytes,
                              absl::string_view field);

}  // namespace ostiary::account

#endif  // OSTIARY_SERVER_ACCOUNT_IDENTIFIERS_H_

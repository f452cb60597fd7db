#ifndef OSTIARY_SERVER_PASSWORD_PASSWORD_POLICY_H_
#define OSTIARY_SERVER_PASSWORD_PASSWORD_POLICY_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "server/password/presented_password.h"

namespace ostiary::password {

// What a new password must be. Only new ones: a policy that grew stricter locks
// nobody out.
//
// No rule about which characters to use, and none about age: such rules make
// passwords worse (NIST SP 800-63B, 3.1.1.2).
//
// Immutable, so thread-safe.
class PasswordPolicy {
 public:
  struct Options {
    // In bytes; not below kMinPasswordBytes.
    std::size_t min_bytes = kMinPasswordBytes;
    // How hard it must be to guess, as log2 of the guesses zxcvbn expects to
    // need. 20 is a million: what a limiter lets one through in years, and a
    // thief of the database would try in hours.
    double min_guess_bits = 20;
  };

  explicit PasswordPolicy(const Options& options) : options_(options) {}

  // OK, or kPasswordRejected about `field` with a sentence that says what is
  // wrong and never holds the password. `context` are words that an attacker
  // would try first: username, email, display name.
  //
  // Takes up to a few milliseconds.
  absl::Status Check(absl::string_view field,
                     const PresentedPassword& presented,
                     const std::vector<std::string>& context) const;

 private:
  const Options options_;
};

}  // namespace ostiary::password

#endif  // OSTIARY_SERVER_PASSWORD_PASSWORD_POLICY_H_

#ifndef OSTIARY_CLIENT_CLI_HASH_VERIFIER_H_
#define OSTIARY_CLIENT_CLI_HASH_VERIFIER_H_

#include <functional>
#include <string>

#include "absl/strings/string_view.h"

namespace ostiary::cli {

// What checking a password against a stored hash comes to.
struct HashVerdict {
  bool match = false;
  // Empty if it matches, else UPPER_SNAKE_CASE: PASSWORD_MISMATCH, or why the
  // hash cannot be used (HASH_MALFORMED, HASH_TOO_COSTLY, ...).
  std::string reason;
};

// Judges a hash of any supported format and password bytes as they were typed
// (no normalisation: imported hashes were made without ours). Both come from
// outside and may be anything.
//
// Handed in by main.cc: the code lives in a room of the server, which this
// room does not know. Empty if the program was built without it.
using HashVerifier = std::function<HashVerdict(absl::string_view hash,
                                               absl::string_view password)>;

// The real one. Not defined in this room: whoever puts the executable together
// links a definition and compiles main.cc with OSTIARY_HAVE_HASHES.
HashVerifier MakeHashVerifier();

}  // namespace ostiary::cli

#endif  // OSTIARY_CLIENT_CLI_HASH_VERIFIER_H_

// The one file of the client that sees the server: `ostiary hash verify` must
// judge a hash exactly as a sign-in would, so it runs the server's own code.
// Linked into the executable alone; the room knows only hash_verifier.h.

#include "client/cli/hash_verifier.h"
#include "server/password/password_hash.h"

namespace ostiary::cli {

HashVerifier MakeHashVerifier() {
  return [](absl::string_view hash, absl::string_view password) {
    const password::OfflineVerdict verdict =
        password::VerifyOffline(hash, password);
    return HashVerdict{verdict.match, verdict.reason};
  };
}

}  // namespace ostiary::cli

#ifndef OSTIARY_SERVER_FLOW_VERIFY_H_
#define OSTIARY_SERVER_FLOW_VERIFY_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/jwt/rejection.h"
#include "client/jwt/verifier.h"
#include "server/base/clock.h"
#include "server/key/key_ring.h"
#include "server/revocation/past_epochs.h"
#include "server/revocation/revocation_set.h"
#include "server/token/verified_token_cache.h"

namespace ostiary::flow {

// Judges access tokens from memory: the keys, the revocation set, the cache of
// tokens whose signature has been checked. No I/O, so it runs inline.
//
// Thread-safe.
class Verify {
 public:
  Verify(const Clock& clock, const key::KeyRing& keys, jwt::Verifier verifier,
         const revocation::RevocationSet& revocations,
         revocation::PastEpochs past_epochs, token::VerifiedTokenCache& cache)
      : clock_(clock),
        keys_(keys),
        verifier_(std::move(verifier)),
        revocations_(revocations),
        past_epochs_(std::move(past_epochs)),
        cache_(cache) {}

  struct Answer {
    // Empty: the token is good for what was asked.
    std::optional<jwt::Rejection> rejection;
    // Set if it is.
    std::shared_ptr<const jwt::VerifiedToken> token;
  };

  Answer Judge(absl::string_view token,
               const jwt::Expectations& expectations) const;

  // Signature, type and issuer only; from the cache if it can be. For callers
  // that act on the token itself (Revoke). Null if it does not pass.
  std::shared_ptr<const jwt::VerifiedToken> Authenticate(
      absl::string_view token) const;

  // kRevisionNotReached, kRevisionLost, kArgumentInvalid; OK for an empty
  // text. Never waits.
  absl::Status CheckRevision(absl::string_view min_revision) const;

  // True if judging the token needs no signature check. For choosing a lane.
  bool IsCached(absl::string_view token) const;

 private:
  struct Authenticated {
    std::optional<jwt::Rejection> rejection;
    std::shared_ptr<const jwt::VerifiedToken> token;
  };
  Authenticated Find(absl::string_view token) const;

  const Clock& clock_;
  const key::KeyRing& keys_;
  const jwt::Verifier verifier_;
  const revocation::RevocationSet& revocations_;
  const revocation::PastEpochs past_epochs_;
  token::VerifiedTokenCache& cache_;
};

}  // namespace ostiary::flow

#endif  // OSTIARY_SERVER_FLOW_VERIFY_H_

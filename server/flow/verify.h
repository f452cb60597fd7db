#ifndef OSTIARY_SERVER_FLOW_VERIFY_H_
#define OSTIARY_SERVER_FLOW_VERIFY_H_

#include <functional>
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
  // The bytes that answer for a token of these claims: made once, kept with it.
  using Encode = std::function<std::string(const jwt::Claims&)>;

  Verify(const Clock& clock, const key::KeyRing& keys, jwt::Verifier verifier,
         const revocation::RevocationSet& revocations,
         revocation::PastEpochs past_epochs, token::VerifiedTokenCache& cache,
         Encode encode)
      : clock_(clock),
        keys_(keys),
        verifier_(std::move(verifier)),
        revocations_(revocations),
        past_epochs_(std::move(past_epochs)),
        cache_(cache),
        encode_(std::move(encode)) {}

  struct Answer {
    // Empty: the token is good for what was asked.
    std::optional<jwt::Rejection> rejection;
    // Set if it is.
    std::shared_ptr<const jwt::VerifiedToken> token;
    // What Encode made of its claims; lives as long as `token`.
    absl::string_view encoded = {};
  };

  Answer Judge(absl::string_view token,
               const jwt::Expectations& expectations) const;

  // The same where no signature has to be checked for it; else nothing.
  std::optional<Answer> JudgeKnown(absl::string_view token,
                                   const jwt::Expectations& expectations) const;

  // Signature, type and issuer only; from the cache if it can be. For callers
  // that act on the token itself (Revoke). Null if it does not pass.
  std::shared_ptr<const jwt::VerifiedToken> Authenticate(
      absl::string_view token) const;

  // kRevisionNotReached, kRevisionLost, kArgumentInvalid; OK for an empty
  // text. Never waits.
  absl::Status CheckRevision(absl::string_view min_revision) const;

 private:
  using Known = std::shared_ptr<const token::KnownToken>;
  struct Authenticated {
    std::optional<jwt::Rejection> rejection;
    Known token;
  };
  Authenticated Find(absl::string_view token) const;
  Answer JudgeClaims(Known token, const jwt::Expectations& expectations) const;

  const Clock& clock_;
  const key::KeyRing& keys_;
  const jwt::Verifier verifier_;
  const revocation::RevocationSet& revocations_;
  const revocation::PastEpochs past_epochs_;
  token::VerifiedTokenCache& cache_;
  const Encode encode_;
};

}  // namespace ostiary::flow

#endif  // OSTIARY_SERVER_FLOW_VERIFY_H_

#include "server/password/passwords.h"

#include <algorithm>
#include <utility>

#include "server/base/reason.h"

namespace ostiary::password {

Passwords::Passwords(const HashParameters& parameters, HashLane& lane,
                     Random& random, SecretBytes decoy_key)
    : hasher_(parameters, random),
      decoys_(std::move(decoy_key), parameters),
      lane_(lane) {}

absl::StatusOr<VerifyOutcome> Passwords::Verify(
    const Attempt& attempt, const PresentedPassword& presented) {
  // Both are done always: which of them is used must not show in the time.
  const PasswordHash decoy =
      decoys_.For(attempt.identifier_key, attempt.shapes);
  const absl::StatusOr<PasswordHash> stored =
      PasswordHash::Parse(attempt.stored_hash);
  const PasswordHash& hash = stored.ok() ? *stored : decoy;

  // An upgrade takes its memory after the derivation gave its own back.
  const HashRequest request{
      std::max(hash.memory_bytes(), hasher_.parameters().memory_bytes()),
      attempt.deadline, attempt.cancelled};
  VerifyOutcome outcome;
  const absl::Status ran = lane_.Run(
      request, [&] { outcome = Judge(hash, attempt.standing, presented); });
  if (!ran.ok()) return ran;
  // Nobody knows a password of a decoy, and nobody may find one.
  if (!stored.ok()) return VerifyOutcome{};
  return outcome;
}

VerifyOutcome Passwords::Judge(const PasswordHash& hash, Standing standing,
                               const PresentedPassword& presented) const {
  VerifyOutcome outcome;
  if (standing == Standing::kCannotSucceed) {
    outcome.match = hash.MatchesAtFullCost(presented);
    return outcome;
  }
  outcome.match = hash.Matches(presented);
  if (!outcome.match || !hasher_.NeedsUpgrade(hash)) return outcome;
  // Without an upgrade the sign-in still succeeds; the next one tries again.
  const absl::StatusOr<PasswordHash> upgraded = hasher_.Hash(presented);
  if (upgraded.ok()) outcome.upgraded_hash = upgraded->text();
  return outcome;
}

absl::StatusOr<std::string> Passwords::Hash(const PresentedPassword& presented,
                                            absl::Time deadline,
                                            std::function<bool()> cancelled) {
  const HashRequest request{hasher_.parameters().memory_bytes(), deadline,
                            std::move(cancelled)};
  absl::StatusOr<PasswordHash> hash = Refuse(Reason::kInternal);
  const absl::Status ran =
      lane_.Run(request, [&] { hash = hasher_.Hash(presented); });
  if (!ran.ok()) return ran;
  if (!hash.ok()) return hash.status();
  return hash->text();
}

}  // namespace ostiary::password

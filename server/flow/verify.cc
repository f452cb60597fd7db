#include "server/flow/verify.h"

#include <utility>

#include "server/base/reason.h"

namespace ostiary::flow {

using jwt::Rejection;

namespace {

// The token alone, which keeps all of it alive.
std::shared_ptr<const jwt::VerifiedToken> Verified(
    std::shared_ptr<const token::KnownToken> known) {
  if (known == nullptr) return nullptr;
  const jwt::VerifiedToken* verified = &known->verified;
  return {std::move(known), verified};
}

bool IsPossible(absl::string_view token) {
  return !token.empty() && token.size() <= jwt::kMaxTokenBytes;
}

}  // namespace

Verify::Answer Verify::Judge(absl::string_view token,
                             const jwt::Expectations& expectations) const {
  Authenticated found = Find(token);
  if (found.rejection.has_value()) return {found.rejection, nullptr};
  return JudgeClaims(std::move(found.token), expectations);
}

std::optional<Verify::Answer> Verify::JudgeKnown(
    absl::string_view token, const jwt::Expectations& expectations) const {
  if (!IsPossible(token)) return Answer{Rejection::kTokenMalformed, nullptr};
  Known known = cache_.Find(token::TokenDigest::Of(token),
                            keys_.Snapshot()->verifying_keys());
  if (known == nullptr) return std::nullopt;
  return JudgeClaims(std::move(known), expectations);
}

// Never kept: all of it depends on when and by whom it is asked.
Verify::Answer Verify::JudgeClaims(
    Known token, const jwt::Expectations& expectations) const {
  const jwt::Claims& claims = token->verified.claims();
  if (const auto rejection =
          jwt::CheckTimeAndAudience(claims, expectations, clock_.Now())) {
    return {rejection, nullptr};
  }
  if (revocations_.Hits(claims, token->verified.kid()))
    return {Rejection::kTokenRevoked, nullptr};
  if (const auto rejection = jwt::CheckAuthority(claims, expectations)) {
    return {rejection, nullptr};
  }
  const absl::string_view encoded = token->answer;
  return {std::nullopt, Verified(std::move(token)), encoded};
}

std::shared_ptr<const jwt::VerifiedToken> Verify::Authenticate(
    absl::string_view token) const {
  return Verified(Find(token).token);
}

absl::Status Verify::CheckRevision(absl::string_view min_revision) const {
  if (min_revision.empty()) return absl::OkStatus();
  const auto wanted = revocation::ParseRevision(min_revision);
  if (!wanted.has_value()) {
    return RefuseField("min_revision",
                       "must be a revision that Revoke returned");
  }
  const revocation::Revision applied = revocations_.applied();
  if (wanted->epoch > applied.epoch) return Refuse(Reason::kRevisionNotReached);
  if (wanted->epoch < applied.epoch) {
    // The tail of a past epoch may not have survived the restore that ended it.
    const auto past = past_epochs_.find(wanted->epoch);
    const bool survived =
        past != past_epochs_.end() && wanted->sequence <= past->second;
    return survived ? absl::OkStatus() : Refuse(Reason::kRevisionLost);
  }
  if (wanted->sequence > applied.sequence)
    return Refuse(Reason::kRevisionNotReached);
  return absl::OkStatus();
}

Verify::Authenticated Verify::Find(absl::string_view token) const {
  if (!IsPossible(token)) return {Rejection::kTokenMalformed, nullptr};
  const std::shared_ptr<const key::KeyView> view = keys_.Snapshot();
  const token::TokenDigest digest = token::TokenDigest::Of(token);
  if (auto known = cache_.Find(digest, view->verifying_keys())) {
    return {std::nullopt, std::move(known)};
  }
  const jwt::Verdict verdict =
      verifier_.Authenticate(token, view->verifying_keys());
  if (!verdict.accepted()) return {verdict.rejection(), nullptr};
  auto known = std::make_shared<const token::KnownToken>(
      token::KnownToken{verdict.token(), encode_(verdict.token().claims())});
  cache_.Insert(digest, known, clock_.Now());
  return {std::nullopt, std::move(known)};
}

}  // namespace ostiary::flow

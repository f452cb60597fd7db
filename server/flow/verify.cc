#include "server/flow/verify.h"

#include <utility>

#include "server/base/reason.h"

namespace ostiary::flow {

using jwt::Rejection;

Verify::Answer Verify::Judge(absl::string_view token,
                             const jwt::Expectations& expectations) const {
  Authenticated found = Find(token);
  if (found.rejection.has_value()) return {found.rejection, nullptr};
  const jwt::Claims& claims = found.token->claims();
  if (const auto rejection =
          jwt::CheckTimeAndAudience(claims, expectations, clock_.Now())) {
    return {rejection, nullptr};
  }
  if (revocations_.Hits(claims, found.token->kid()))
    return {Rejection::kTokenRevoked, nullptr};
  if (const auto rejection = jwt::CheckAuthority(claims, expectations)) {
    return {rejection, nullptr};
  }
  return {std::nullopt, std::move(found.token)};
}

std::shared_ptr<const jwt::VerifiedToken> Verify::Authenticate(
    absl::string_view token) const {
  return Find(token).token;
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

bool Verify::IsCached(absl::string_view token) const {
  return cache_.Find(token::TokenDigest::Of(token),
                     keys_.Snapshot()->verifying_keys()) != nullptr;
}

Verify::Authenticated Verify::Find(absl::string_view token) const {
  if (token.empty() || token.size() > jwt::kMaxTokenBytes) {
    return {Rejection::kTokenMalformed, nullptr};
  }
  const std::shared_ptr<const key::KeyView> view = keys_.Snapshot();
  const token::TokenDigest digest = token::TokenDigest::Of(token);
  if (auto cached = cache_.Find(digest, view->verifying_keys())) {
    return {std::nullopt, std::move(cached)};
  }
  const jwt::Verdict verdict =
      verifier_.Authenticate(token, view->verifying_keys());
  if (!verdict.accepted()) return {verdict.rejection(), nullptr};
  auto verified = std::make_shared<const jwt::VerifiedToken>(verdict.token());
  cache_.Insert(digest, verified, clock_.Now());
  return {std::nullopt, std::move(verified)};
}

}  // namespace ostiary::flow

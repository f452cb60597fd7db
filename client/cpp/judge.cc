#include "client/cpp/judge.h"

#include <memory>
#include <utility>

#include "client/cpp/answer.h"
#include "client/revocation/revision.h"

namespace ostiary::client {
namespace {

jwt::Audience JwtAudience(const Audience& audience) {
  return audience.name() ? jwt::Audience::Exactly(*audience.name())
                         : jwt::Audience::Any();
}

Verdict Accept(KnownTokenPtr token) {
  const Claims& claims = token->claims();
  return std::shared_ptr<const Claims>(std::move(token), &claims);
}

}  // namespace

Judge::Judge(Rules rules, jwt::Verifier signatures, const Knowledge& knowledge,
             std::size_t cache_size, const TimeSource& time, Asker* asker)
    : rules_(std::move(rules)),
      expectations_{JwtAudience(rules_.audience), rules_.leeway},
      signatures_(std::move(signatures)),
      knowledge_(knowledge),
      time_(time),
      asker_(asker),
      cache_(cache_size) {}

Verdict Judge::Verify(absl::string_view token, const CheckOptions& check) {
  Verdict verdict =
      Decide({token, check, check.audience ? *check.audience : rules_.audience,
              check.policy.value_or(rules_.policy)});
  const std::size_t outcome = verdict.accepted()
                                  ? kRefusals
                                  : static_cast<std::size_t>(verdict.refusal());
  counts_[outcome].fetch_add(1, std::memory_order_relaxed);
  return verdict;
}

Verdict Judge::Decide(const Case& asked) {
  Authenticated token = Authenticate(asked.token);
  if (token.token != nullptr) return DecideKnown(asked, std::move(token.token));
  if (token.refusal == Refusal::kKeyUnknown) {
    return DecideUnknownKey(asked, token.keys_known);
  }
  return token.refusal;
}

Judge::Authenticated Judge::Authenticate(absl::string_view token) {
  if (token.size() > jwt::kMaxTokenBytes) return {};
  KnownTokenPtr known = cache_.Find(token, knowledge_.losses());
  if (known != nullptr) {
    cache_hits_.fetch_add(1, std::memory_order_relaxed);
    return {std::move(known)};
  }
  cache_misses_.fetch_add(1, std::memory_order_relaxed);
  const Knowledge::Keys keys = knowledge_.keys();
  const jwt::Verdict verdict = signatures_.Authenticate(token, keys.set);
  if (!verdict.accepted()) {
    return {nullptr, RefusalOf(verdict.rejection()), keys.known};
  }
  known = std::make_shared<const KnownToken>(
      verdict.token().claims(), verdict.token().kid(), expectations_.audience);
  cache_.Insert(token, known, keys.losses);
  return {std::move(known)};
}

// The key may be newer than what is known. A fresh verifier knows them all.
Verdict Judge::DecideUnknownKey(const Case& asked, bool keys_known) {
  if (keys_known && KnowsEnough(asked, time_.Now()))
    return Refusal::kKeyUnknown;
  if (asked.policy != StalenessPolicy::kAskServer)
    return Refusal::kCheckUnavailable;
  const auto answer = Ask(asked);
  if (!answer) return Refusal::kCheckUnavailable;
  if (!answer->valid()) return RefusalOf(*answer);
  const auto raw = jwt::RawToken::Parse(asked.token);
  const KnownTokenPtr token =
      TokenOf(answer->claims(), raw ? raw->kid().value_or("") : "");
  // A restored server may have forgotten what this verifier still knows.
  if (knowledge_.revoked().Hits(token->marks())) return Refusal::kTokenRevoked;
  return Accept(token);
}

Verdict Judge::DecideKnown(const Case& asked, KnownTokenPtr token) {
  const absl::Time now = time_.Now();
  if (const auto refusal = TimeOrAudience(asked, *token, now)) return *refusal;
  if (token->IsRevokedBy(knowledge_.revoked())) return Refusal::kTokenRevoked;
  if (!asked.check.scopes.empty() || !asked.check.roles.empty()) {
    const auto authority = jwt::CheckAuthority(
        token->claims(), {jwt::Audience::Any(), rules_.leeway,
                          asked.check.scopes, asked.check.roles});
    if (authority) return RefusalOf(*authority);
  }
  if (KnowsEnough(asked, now)) return Accept(std::move(token));
  return DecideStale(asked, std::move(token));
}

std::optional<Refusal> Judge::TimeOrAudience(const Case& asked,
                                             const KnownToken& token,
                                             absl::Time now) const {
  if (!asked.check.audience && token.IsGoodAt(now, rules_.leeway.duration())) {
    return std::nullopt;
  }
  const auto rejection =
      asked.check.audience
          ? jwt::CheckTimeAndAudience(
                token.claims(), {JwtAudience(asked.audience), rules_.leeway},
                now)
          : jwt::CheckTimeAndAudience(token.claims(), expectations_, now);
  if (!rejection) return std::nullopt;
  return RefusalOf(*rejection);
}

Verdict Judge::DecideStale(const Case& asked, KnownTokenPtr token) {
  switch (asked.policy) {
    case StalenessPolicy::kRefuse:
      return Refusal::kCheckUnavailable;
    case StalenessPolicy::kAccept:
      // Without a snapshot nothing is known, and nothing would ever be refused.
      if (!knowledge_.position() || !HasReached(asked.check.min_revision)) {
        return Refusal::kCheckUnavailable;
      }
      return Accept(token);
    case StalenessPolicy::kAskServer:
      break;
  }
  const auto answer = Ask(asked);
  if (!answer) return Refusal::kCheckUnavailable;
  if (!answer->valid()) return RefusalOf(*answer);
  // The feed may have told us while the server was thinking.
  if (knowledge_.revoked().Hits(token->marks())) return Refusal::kTokenRevoked;
  return Accept(token);
}

bool Judge::IsFreshAt(absl::Time now) const {
  return knowledge_.Staleness(now, time_.Uptime()) <= rules_.staleness_bound;
}

bool Judge::KnowsEnough(const Case& asked, absl::Time now) const {
  return IsFreshAt(now) && HasReached(asked.check.min_revision);
}

bool Judge::HasReached(const std::string& min_revision) const {
  if (min_revision.empty()) return true;
  const auto revision = revocation::ParseRevision(min_revision);
  return revision && knowledge_.HasReached(*revision) == Arrival::kReached;
}

std::optional<v1::VerifyResponse> Judge::Ask(const Case& asked) {
  if (asker_ == nullptr) return std::nullopt;
  v1::VerifyRequest request;
  request.set_token(asked.token.data(), asked.token.size());
  if (asked.audience.name()) {
    // An empty name means the server's default audience over there, and is met
    // by no token here.
    if (asked.audience.name()->empty()) return std::nullopt;
    request.set_audience(*asked.audience.name());
  } else {
    request.set_any_audience(true);
  }
  for (const std::string& scope : asked.check.scopes) {
    request.add_required_scopes(scope);
  }
  for (const std::string& role : asked.check.roles) {
    request.add_required_roles(role);
  }
  request.set_min_revision(asked.check.min_revision);
  return asker_->Ask(request);
}

std::map<std::string, std::uint64_t> Judge::counts() const {
  std::map<std::string, std::uint64_t> counts;
  for (int i = 0; i < kRefusals; ++i) {
    counts[std::string(RefusalName(static_cast<Refusal>(i)))] =
        counts_[static_cast<std::size_t>(i)];
  }
  counts["ACCEPTED"] = counts_[kRefusals];
  return counts;
}

}  // namespace ostiary::client

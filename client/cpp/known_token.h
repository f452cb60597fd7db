#ifndef OSTIARY_CLIENT_CPP_KNOWN_TOKEN_H_
#define OSTIARY_CLIENT_CPP_KNOWN_TOKEN_H_

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "client/jwt/token.h"
#include "client/jwt/verifier.h"
#include "client/revocation/revoked_set.h"

namespace ostiary::client {

// A token whose signature was checked, and what a check needs of it, worked out
// once. Immutable but for what is known about its revocation; stays where it
// is, because `marks` points into it.
class KnownToken {
 public:
  // `usual`: the audience that most checks ask for. Without one every check
  // has to look at the claims.
  KnownToken(jwt::Claims claims, std::string key_id,
             const jwt::Audience& usual = jwt::Audience::Exactly(""))
      : valid_from_(std::max(claims.issue_time,
                             claims.not_before.value_or(absl::InfinitePast()))),
        valid_until_(claims.expire_time),
        is_for_usual_(usual.MetBy(claims.audiences)),
        claims_(std::move(claims)),
        key_id_(std::move(key_id)) {
    marks_.token = revocation::Fingerprint::OfToken(claims_.token_id);
    if (!claims_.session_id.empty()) {
      marks_.session = revocation::Fingerprint::OfSession(claims_.session_id);
    }
    marks_.account_id = claims_.subject;
    marks_.generation = claims_.generation.value_or(0);
    marks_.client_id = claims_.client_id;
    marks_.issue_time = claims_.issue_time;
    marks_.key_id = key_id_;
  }
  KnownToken(const KnownToken&) = delete;
  KnownToken& operator=(const KnownToken&) = delete;

  const jwt::Claims& claims() const { return claims_; }
  const revocation::TokenMarks& marks() const { return marks_; }

  // True exactly if jwt::CheckTimeAndAudience has nothing against it, with the
  // usual audience. For the reason, ask that.
  bool IsGoodAt(absl::Time now, absl::Duration leeway) const {
    return is_for_usual_ && valid_from_ <= now + leeway &&
           now < valid_until_ + leeway;
  }

  // Whether an entry of `revoked`, always the same set, hits it. Looks again
  // only if something was added since it was not hit.
  bool IsRevokedBy(const revocation::RevokedSet& revoked) const {
    const std::uint64_t additions = revoked.additions();  // before looking
    if (unhit_at_.load(std::memory_order_relaxed) == additions) return false;
    if (revoked.Hits(marks_)) return true;
    unhit_at_.store(additions, std::memory_order_relaxed);
    return false;
  }

 private:
  // First what every check reads: one or two cache lines.
  mutable std::atomic<std::uint64_t> unhit_at_ =
      std::numeric_limits<std::uint64_t>::max();
  const absl::Time valid_from_;
  const absl::Time valid_until_;
  const bool is_for_usual_;
  const jwt::Claims claims_;
  const std::string key_id_;
  revocation::TokenMarks marks_;
};

using KnownTokenPtr = std::shared_ptr<const KnownToken>;

}  // namespace ostiary::client

#endif  // OSTIARY_CLIENT_CPP_KNOWN_TOKEN_H_

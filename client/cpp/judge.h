#ifndef OSTIARY_CLIENT_CPP_JUDGE_H_
#define OSTIARY_CLIENT_CPP_JUDGE_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "client/cpp/asker.h"
#include "client/cpp/knowledge.h"
#include "client/cpp/known_token.h"
#include "client/cpp/token_cache.h"
#include "client/jwt/verifier.h"
#include "ostiary/options.h"
#include "ostiary/verifier.h"

namespace ostiary::client {

// What holds for every token of one verifier.
struct Rules {
  Audience audience;
  jwt::Leeway leeway;
  absl::Duration staleness_bound;
  StalenessPolicy policy;
};

// The check of docs/verifiers.md, in its order: signature and claims, the local
// set, authority, freshness. Thread-safe.
class Judge {
 public:
  // References must outlive it. `asker` may be null: nobody can be asked.
  Judge(Rules rules, jwt::Verifier signatures, const Knowledge& knowledge,
        std::size_t cache_size, const TimeSource& time, Asker* asker);

  Verdict Verify(absl::string_view token, const CheckOptions& check);

  // Whether the knowledge is complete and within its bound.
  bool IsFresh() const { return IsFreshAt(time_.Now()); }

  // "ACCEPTED" or a RefusalName, and how often.
  std::map<std::string, std::uint64_t> counts() const;
  std::uint64_t cache_hits() const { return cache_hits_; }
  std::uint64_t cache_misses() const { return cache_misses_; }

 private:
  // One call of Verify.
  struct Case {
    absl::string_view token;
    const CheckOptions& check;
    const Audience& audience;
    const StalenessPolicy policy;
  };

  Verdict Decide(const Case& asked);
  // The token with a good signature, or the reason why it has none.
  struct Authenticated {
    KnownTokenPtr token;
    Refusal refusal = Refusal::kTokenMalformed;
    bool keys_known = false;
  };
  Authenticated Authenticate(absl::string_view token);
  Verdict DecideUnknownKey(const Case& asked, bool keys_known);
  Verdict DecideKnown(const Case& asked, KnownTokenPtr token);
  Verdict DecideStale(const Case& asked, KnownTokenPtr token);
  std::optional<Refusal> TimeOrAudience(const Case& asked,
                                        const KnownToken& token,
                                        absl::Time now) const;
  bool IsFreshAt(absl::Time now) const;
  bool KnowsEnough(const Case& asked, absl::Time now) const;
  bool HasReached(const std::string& min_revision) const;
  // None: nobody answered.
  std::optional<v1::VerifyResponse> Ask(const Case& asked);

  const Rules rules_;
  const jwt::Expectations expectations_;
  const jwt::Verifier signatures_;
  const Knowledge& knowledge_;
  const TimeSource& time_;
  Asker* const asker_;
  TokenCache cache_;
  std::array<std::atomic<std::uint64_t>, kRefusals + 1> counts_ = {};
  std::atomic<std::uint64_t> cache_hits_ = 0;
  std::atomic<std::uint64_t> cache_misses_ = 0;
};

}  // namespace ostiary::client

#endif  // OSTIARY_CLIENT_CPP_JUDGE_H_

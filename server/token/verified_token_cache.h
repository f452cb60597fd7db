#ifndef OSTIARY_SERVER_TOKEN_VERIFIED_TOKEN_CACHE_H_
#define OSTIARY_SERVER_TOKEN_VERIFIED_TOKEN_CACHE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "client/jwt/key_set.h"
#include "client/jwt/token.h"

namespace ostiary::token {

// SHA-256 of a token's text. The cache holds digests, so that its memory gives
// away no token.
class TokenDigest {
 public:
  static TokenDigest Of(absl::string_view token);

  const std::array<std::uint8_t, 32>& bytes() const { return bytes_; }
  std::size_t text_size() const { return text_size_; }

 private:
  std::array<std::uint8_t, 32> bytes_{};
  std::size_t text_size_ = 0;
};

// A token that was found authentic, and what the house says about one that is
// good in every other respect too.
struct KnownToken {
  jwt::VerifiedToken verified;
  // The answer of Verify, as bytes: it is always the same.
  std::string answer;
};

// Tokens that were found authentic before, so that a signature is computed once
// per token and not once per question. It holds claims, never a verdict: the
// caller checks time, audience and revocation at every hit. Expired tokens may
// be found too; refusing one again costs no signature either.
//
// Its size is fixed: when it is full, an expired entry or one not used for a
// whole turn of the hand makes room (the clock algorithm), so that a flood of
// one-time tokens does not push out the ones in use.
//
// Thread-safe, in shards; nothing is allocated, freed or computed under a lock
// but an index entry. A hit takes some 0.1 us beside the digest.
class VerifiedTokenCache {
 public:
  static constexpr std::size_t kDefaultEntries = 65'536;
  // Longer tokens are not kept, so that entries bound bytes.
  static constexpr std::size_t kLargestText = 4096;

  struct Counts {
    std::int64_t hits = 0;
    std::int64_t misses = 0;
    std::int64_t evictions = 0;  // made room for another
    std::int64_t entries = 0;
  };

  // `entries` is rounded up to a whole number per shard; 0 remembers nothing.
  explicit VerifiedTokenCache(std::size_t entries = kDefaultEntries);
  ~VerifiedTokenCache();
  VerifiedTokenCache(const VerifiedTokenCache&) = delete;
  VerifiedTokenCache& operator=(const VerifiedTokenCache&) = delete;

  // The token behind `digest`, or null. `keys` are those in force now: an entry
  // whose key is no longer among them is dropped, also one that a slow
  // verification inserted after its key was revoked.
  std::shared_ptr<const KnownToken> Find(const TokenDigest& digest,
                                         const jwt::KeySet& keys);

  // Remembers `token` as what `digest`'s text says. The one kept first stays.
  void Insert(const TokenDigest& digest,
              std::shared_ptr<const KnownToken> token, absl::Time now);

  Counts counts() const;

 private:
  class Shard;
  Shard& ShardOf(const TokenDigest& digest);

  std::vector<std::unique_ptr<Shard>> shards_;
};

}  // namespace ostiary::token

#endif  // OSTIARY_SERVER_TOKEN_VERIFIED_TOKEN_CACHE_H_

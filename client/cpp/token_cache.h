#ifndef OSTIARY_CLIENT_CPP_TOKEN_CACHE_H_
#define OSTIARY_CLIENT_CPP_TOKEN_CACHE_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "client/cpp/known_token.h"

namespace ostiary::client {

// SHA-256 of a token's whole text, signature included: nobody can make another
// text of the same digest, so a hit is the very token that was checked.
using TokenDigest = std::array<unsigned char, 32>;
TokenDigest DigestOf(absl::string_view token);

// Tokens whose signature was checked. Claims, never verdicts: time, audience
// and revocation are not part of it. Only tokens with a good signature come
// in, so a stranger cannot flood it.
//
// Bounded; of the tokens of one shard one that was not used lately goes first
// (second chance). Thread-safe; finding takes a reader's lock on a shard.
class TokenCache {
 public:
  // About `capacity` tokens, at most 15 more; none if it is 0.
  explicit TokenCache(std::size_t capacity);

  // Null if it is not here, or was checked before the `losses`-th time that a
  // key was lost.
  KnownTokenPtr Find(const TokenDigest& digest, std::uint64_t losses) const;
  void Insert(const TokenDigest& digest, KnownTokenPtr token,
              std::uint64_t losses);
  std::size_t size() const;

 private:
  static constexpr std::size_t kShards = 16;
  // The digest is as good as random already.
  struct FirstBytes {
    std::size_t operator()(const TokenDigest& digest) const {
      std::size_t first;
      std::memcpy(&first, digest.data(), sizeof(first));
      return first;
    }
  };
  struct Place {
    TokenDigest digest;
    KnownTokenPtr token;
    std::uint64_t losses = 0;
    mutable std::atomic<bool> used = false;
  };
  struct Shard {
    std::uint32_t PlaceFor(const TokenDigest& digest, std::size_t capacity)
        ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);

    mutable absl::Mutex mutex;
    std::deque<Place> places ABSL_GUARDED_BY(mutex);
    absl::flat_hash_map<TokenDigest, std::uint32_t, FirstBytes> index
        ABSL_GUARDED_BY(mutex);
    std::size_t hand ABSL_GUARDED_BY(mutex) = 0;
    // Keeps neighbours out of one cache line. Not alignas: AddressSanitizer
    // then calls a misaligned stack what is one of its own making.
    char apart[64];
  };
  static std::size_t ShardOf(const TokenDigest& digest) {
    return digest.back() % kShards;
  }

  const std::size_t shard_capacity_;
  std::array<Shard, kShards> shards_;
};

}  // namespace ostiary::client

#endif  // OSTIARY_CLIENT_CPP_TOKEN_CACHE_H_

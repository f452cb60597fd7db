#ifndef OSTIARY_CLIENT_CPP_TOKEN_CACHE_H_
#define OSTIARY_CLIENT_CPP_TOKEN_CACHE_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "client/cpp/known_token.h"
#include "client/cpp/token_text.h"

namespace ostiary::client {

// Tokens whose signature was checked. Claims, never verdicts: time, audience
// and revocation are not part of it. Only tokens with a good signature come
// in, so a stranger cannot flood it.
//
// A text is looked for by a hash of its end, where the signature is, and then
// compared as a whole: a hit is the very text that was checked, and another
// text with the same signature is none. The hash has a key that this process
// drew at random: nobody can make texts that share one.
//
// Bounded; of the tokens of one shard one that was not used lately goes first
// (second chance). Thread-safe; finding takes a reader's lock on a shard.
class TokenCache {
 public:
  // About `capacity` tokens, at most 15 more; none if it is 0.
  explicit TokenCache(std::size_t capacity);

  // Null if it is not here, or was checked before the `losses`-th time that a
  // key was lost.
  KnownTokenPtr Find(absl::string_view text, std::uint64_t losses) const;
  void Insert(absl::string_view text, KnownTokenPtr token,
              std::uint64_t losses);
  std::size_t size() const;

 private:
  static constexpr std::size_t kShards = 16;
  using Hash = std::uint64_t;
  struct AsItIs {
    std::size_t operator()(Hash hash) const {
      return static_cast<std::size_t>(hash);
    }
  };
  struct Place {
    Place() = default;
    Place(Place&& other) noexcept
        : token(std::move(other.token)),
          text(std::move(other.text)),
          losses(other.losses),
          used(other.used.load(std::memory_order_relaxed)) {}

    KnownTokenPtr token;
    TokenText text;
    std::uint64_t losses = 0;
    mutable std::atomic<bool> used = false;
  };
  struct Shard {
    // A new place or that of `hash`; before it is made, one has to go if there
    // are `capacity`. What goes is put into `gone`.
    Place& PlaceFor(Hash hash, std::size_t capacity, Place& gone)
        ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);

    mutable absl::Mutex mutex;
    absl::flat_hash_map<Hash, Place, AsItIs> places ABSL_GUARDED_BY(mutex);
    // The keys of `places`, in the order in which they are looked at when one
    // has to go.
    std::vector<Hash> ring ABSL_GUARDED_BY(mutex);
    std::size_t hand ABSL_GUARDED_BY(mutex) = 0;
    // Keeps neighbours out of one cache line. Not alignas: AddressSanitizer
    // then calls a misaligned stack what is one of its own making.
    char apart[64];
  };
  Hash HashOf(absl::string_view text) const;
  static std::size_t ShardOf(Hash hash) { return hash >> 60; }
  static_assert(kShards == 16, "ShardOf takes four bits");

  const std::size_t shard_capacity_;
  const std::array<std::uint64_t, 2> key_;
  std::array<Shard, kShards> shards_;
};

}  // namespace ostiary::client

#endif  // OSTIARY_CLIENT_CPP_TOKEN_CACHE_H_

#include "client/cpp/token_cache.h"

#include <openssl/sha.h>

#include <utility>

namespace ostiary::client {

TokenDigest DigestOf(absl::string_view token) {
  TokenDigest digest;
  static_assert(sizeof(digest) == SHA256_DIGEST_LENGTH);
  SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(),
         digest.data());
  return digest;
}

TokenCache::TokenCache(std::size_t capacity)
    : shard_capacity_((capacity + kShards - 1) / kShards) {}

KnownTokenPtr TokenCache::Find(const TokenDigest& digest,
                               std::uint64_t losses) const {
  if (shard_capacity_ == 0) return nullptr;
  const Shard& shard = shards_[ShardOf(digest)];
  absl::ReaderMutexLock lock(&shard.mutex);
  const auto found = shard.index.find(digest);
  if (found == shard.index.end()) return nullptr;
  const Place& place = shard.places[found->second];
  if (place.losses != losses) return nullptr;
  // Not written again: a line that all readers write is slow.
  if (!place.used.load(std::memory_order_relaxed)) {
    place.used.store(true, std::memory_order_relaxed);
  }
  return place.token;
}

void TokenCache::Insert(const TokenDigest& digest, KnownTokenPtr token,
                        std::uint64_t losses) {
  if (shard_capacity_ == 0) return;
  Shard& shard = shards_[ShardOf(digest)];
  KnownTokenPtr gone;  // freed without the lock
  absl::MutexLock lock(&shard.mutex);
  Place& place = shard.places[shard.PlaceFor(digest, shard_capacity_)];
  gone = std::exchange(place.token, std::move(token));
  place.losses = losses;
  place.used = false;  // until it is asked for again
}

// The place of `digest`: its own, a new one, or one whose token has to go.
std::uint32_t TokenCache::Shard::PlaceFor(const TokenDigest& digest,
                                          std::size_t capacity) {
  const auto [entry, is_new] =
      index.try_emplace(digest, static_cast<std::uint32_t>(places.size()));
  if (!is_new) return entry->second;
  if (places.size() < capacity) {
    places.emplace_back().digest = digest;
    return entry->second;
  }
  while (places[hand].used.exchange(false)) hand = (hand + 1) % capacity;
  const std::uint32_t freed = static_cast<std::uint32_t>(hand);
  entry->second = freed;
  index.erase(places[freed].digest);
  places[freed].digest = digest;
  hand = (hand + 1) % capacity;
  return freed;
}

std::size_t TokenCache::size() const {
  std::size_t all = 0;
  for (const Shard& shard : shards_) {
    absl::ReaderMutexLock lock(&shard.mutex);
    all += shard.index.size();
  }
  return all;
}

}  // namespace ostiary::client

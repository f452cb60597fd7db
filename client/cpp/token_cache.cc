#include "client/cpp/token_cache.h"

#include <openssl/rand.h>

#include <algorithm>
#include <cstdlib>

#include "absl/hash/hash.h"

namespace ostiary::client {
namespace {

// The end of a token that the hash is taken of: 384 bits of an ES256 signature.
constexpr std::size_t kHashed = 64;
constexpr std::size_t kCacheLine = 64;

std::array<std::uint64_t, 2> RandomKey() {
  std::array<std::uint64_t, 2> key;
  if (RAND_bytes(reinterpret_cast<unsigned char*>(key.data()), sizeof(key)) !=
      1) {
    std::abort();
  }
  return key;
}

// Long before it is compared: with many tokens each line of it would else be
// waited for.
void Prefetch(absl::string_view text) {
  for (std::size_t at = 0; at < text.size(); at += kCacheLine) {
    __builtin_prefetch(text.data() + at);
  }
}

}  // namespace

TokenCache::TokenCache(std::size_t capacity)
    : shard_capacity_((capacity + kShards - 1) / kShards), key_(RandomKey()) {}

TokenCache::Hash TokenCache::HashOf(absl::string_view text) const {
  const absl::string_view end =
      text.substr(text.size() - std::min(text.size(), kHashed));
  return absl::HashOf(key_[0], key_[1], end);
}

KnownTokenPtr TokenCache::Find(absl::string_view text,
                               std::uint64_t losses) const {
  if (shard_capacity_ == 0) return nullptr;
  Prefetch(text);
  const Hash hash = HashOf(text);
  const Shard& shard = shards_[ShardOf(hash)];
  absl::ReaderMutexLock lock(&shard.mutex);
  const auto found = shard.places.find(hash);
  if (found == shard.places.end()) return nullptr;
  const Place& place = found->second;
  __builtin_prefetch(place.token.get());
  if (place.losses != losses || !place.text.Is(text)) return nullptr;
  // Not written again: a line that all readers write is slow.
  if (!place.used.load(std::memory_order_relaxed)) {
    place.used.store(true, std::memory_order_relaxed);
  }
  return place.token;
}

void TokenCache::Insert(absl::string_view text, KnownTokenPtr token,
                        std::uint64_t losses) {
  if (shard_capacity_ == 0) return;
  TokenText kept(text);
  const Hash hash = HashOf(text);
  Shard& shard = shards_[ShardOf(hash)];
  Place gone;  // freed without the lock
  absl::MutexLock lock(&shard.mutex);
  Place& place = shard.PlaceFor(hash, shard_capacity_, gone);
  std::swap(place.token, token);
  std::swap(place.text, kept);
  place.losses = losses;
  place.used = false;  // until it is asked for again
}

TokenCache::Place& TokenCache::Shard::PlaceFor(Hash hash, std::size_t capacity,
                                               Place& gone) {
  const auto known = places.find(hash);
  if (known != places.end()) return known->second;
  if (ring.size() < capacity) {
    ring.push_back(hash);
    return places[hash];
  }
  auto next = places.find(ring[hand]);
  while (next->second.used.exchange(false)) {
    hand = (hand + 1) % capacity;
    next = places.find(ring[hand]);
  }
  std::swap(gone.token, next->second.token);
  std::swap(gone.text, next->second.text);
  places.erase(next);
  ring[hand] = hash;
  hand = (hand + 1) % capacity;
  return places[hash];
}

std::size_t TokenCache::size() const {
  std::size_t all = 0;
  for (const Shard& shard : shards_) {
    absl::ReaderMutexLock lock(&shard.mutex);
    all += shard.places.size();
  }
  return all;
}

}  // namespace ostiary::client

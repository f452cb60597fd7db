#include "server/token/verified_token_cache.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"

namespace ostiary::token {
namespace {

constexpr std::size_t kShards = 16;  // more threads than that never ask at once

using DigestBytes = std::array<std::uint8_t, 32>;

// A digest is as good as random: any eight bytes are its hash. The last ones,
// because the first choose the shard.
struct DigestHash {
  std::size_t operator()(const DigestBytes& digest) const {
    std::size_t hash;
    std::memcpy(&hash, digest.data() + digest.size() - sizeof(hash),
                sizeof(hash));
    return hash;
  }
};

struct FreeDigestContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

}  // namespace

TokenDigest TokenDigest::Of(absl::string_view token) {
  // Fetching and allocating for each call would cost as much as the digest.
  static const EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  thread_local const std::unique_ptr<EVP_MD_CTX, FreeDigestContext> context(
      EVP_MD_CTX_new());
  TokenDigest digest;
  digest.text_size_ = token.size();
  const bool ok =
      EVP_DigestInit_ex2(context.get(), sha256, nullptr) == 1 &&
      EVP_DigestUpdate(context.get(), token.data(), token.size()) == 1 &&
      EVP_DigestFinal_ex(context.get(), digest.bytes_.data(), nullptr) == 1;
  if (!ok) std::abort();  // only without memory
  return digest;
}

// One lock and what it guards: slots in a ring, and an index of them.
class VerifiedTokenCache::Shard {
 public:
  explicit Shard(std::size_t capacity) : capacity_(capacity) {}

  std::shared_ptr<const KnownToken> Find(const DigestBytes& digest,
                                         const jwt::KeySet& keys)
      ABSL_LOCKS_EXCLUDED(mutex_) {
    std::shared_ptr<const KnownToken> dropped;  // freed unlocked
    absl::MutexLock lock(&mutex_);
    const auto found = index_.find(digest);
    if (found == index_.end()) {
      ++counts_.misses;
      return nullptr;
    }
    Slot& slot = slots_[found->second];
    if (keys.Find(slot.token->verified.kid()) == nullptr) {
      dropped = std::move(slot.token);
      index_.erase(found);
      ++counts_.misses;
      return nullptr;
    }
    slot.used = true;
    ++counts_.hits;
    return slot.token;
  }

  void Insert(const DigestBytes& digest,
              std::shared_ptr<const KnownToken> token, absl::Time now)
      ABSL_LOCKS_EXCLUDED(mutex_) {
    std::shared_ptr<const KnownToken> evicted;  // freed unlocked
    absl::MutexLock lock(&mutex_);
    if (index_.contains(digest)) return;
    Slot& slot = MakeRoom(now);
    evicted = std::exchange(slot.token, std::move(token));
    if (evicted != nullptr) {
      index_.erase(slot.digest);
      ++counts_.evictions;
    }
    slot.digest = digest;
    // Not used yet: a token seen once goes before one seen twice.
    slot.used = false;
    index_.emplace(digest, static_cast<std::uint32_t>(&slot - slots_.data()));
  }

  Counts counts() const ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    Counts counts = counts_;
    counts.entries = static_cast<std::int64_t>(index_.size());
    return counts;
  }

 private:
  struct Slot {
    DigestBytes digest{};
    std::shared_ptr<const KnownToken> token;  // null: empty
    bool used = false;
  };

  Slot& MakeRoom(absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (slots_.size() < capacity_) return slots_.emplace_back();
    while (true) {
      Slot& slot = slots_[hand_];
      hand_ = (hand_ + 1) % slots_.size();
      const bool keep = slot.token != nullptr && slot.used &&
                        slot.token->verified.claims().expire_time > now;
      if (!keep) return slot;
      slot.used = false;
    }
  }

  const std::size_t capacity_;
  mutable absl::Mutex mutex_;
  std::vector<Slot> slots_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<DigestBytes, std::uint32_t, DigestHash> index_
      ABSL_GUARDED_BY(mutex_);
  std::size_t hand_ ABSL_GUARDED_BY(mutex_) = 0;
  Counts counts_ ABSL_GUARDED_BY(mutex_);
};

VerifiedTokenCache::VerifiedTokenCache(std::size_t entries) {
  if (entries == 0) return;  // remembers nothing
  const std::size_t capacity = (entries + kShards - 1) / kShards;
  for (std::size_t i = 0; i < kShards; ++i) {
    shards_.push_back(std::make_unique<Shard>(capacity));
  }
}

VerifiedTokenCache::~VerifiedTokenCache() = default;

std::shared_ptr<const KnownToken> VerifiedTokenCache::Find(
    const TokenDigest& digest, const jwt::KeySet& keys) {
  if (shards_.empty()) return nullptr;
  return ShardOf(digest).Find(digest.bytes(), keys);
}

void VerifiedTokenCache::Insert(const TokenDigest& digest,
                                std::shared_ptr<const KnownToken> token,
                                absl::Time now) {
  if (shards_.empty() || digest.text_size() > kLargestText) return;
  ShardOf(digest).Insert(digest.bytes(), std::move(token), now);
}

VerifiedTokenCache::Counts VerifiedTokenCache::counts() const {
  Counts total;
  for (const auto& shard : shards_) {
    const Counts counts = shard->counts();
    total.hits += counts.hits;
    total.misses += counts.misses;
    total.evictions += counts.evictions;
    total.entries += counts.entries;
  }
  return total;
}

VerifiedTokenCache::Shard& VerifiedTokenCache::ShardOf(
    const TokenDigest& digest) {
  return *shards_[digest.bytes()[0] % kShards];
}

}  // namespace ostiary::token

#include "client/revocation/revoked_set.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace ostiary::revocation {
namespace {

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

// The first whole minute at or after `time`.
std::int64_t MinuteFrom(absl::Time time) {
  if (time == absl::InfiniteFuture()) return kNever;
  const std::int64_t seconds =
      absl::ToUnixSeconds(time + absl::Minutes(1) - absl::Nanoseconds(1));
  return seconds / 60 - (seconds % 60 < 0 ? 1 : 0);
}

// The last whole minute at or before `time`.
std::int64_t MinuteUntil(absl::Time time) {
  const std::int64_t seconds = absl::ToUnixSeconds(time);
  return seconds / 60 - (seconds % 60 < 0 ? 1 : 0);
}

absl::Time TimeOf(std::int64_t minute) {
  if (minute == kNever) return absl::InfiniteFuture();
  return absl::FromUnixSeconds(minute * 60);
}

}  // namespace

void RevokedSet::ByTime::Raise(const ByTime& other) {
  issued_before = std::max(issued_before, other.issued_before);
  forget_time = std::max(forget_time, other.forget_time);
}

void RevokedSet::AddFingerprints(absl::Span<const Fingerprint> fingerprints,
                                 absl::Time forget_time) {
  if (fingerprints.empty()) return;
  absl::MutexLock writing(&writers_);
  const MinuteGroups::Name group = groups_.Of(MinuteFrom(forget_time));
  std::size_t added = 0;
  for (auto next = fingerprints.begin(); next != fingerprints.end();) {
    const std::size_t index = ShardOf(*next);  // runs, if they are sorted
    Shard& shard = shards_[index];
    absl::MutexLock lock(&shard.mutex);
    for (; next != fingerprints.end() && ShardOf(*next) == index; ++next) {
      added += shard.table.Add(*next, group, groups_) ? 1 : 0;
    }
  }
  fingerprints_ += added;
  NoteAddition();
}

void RevokedSet::AddAccount(absl::string_view account_id,
                            std::uint64_t min_generation,
                            absl::Time forget_time) {
  absl::MutexLock lock(&exact_);
  ByGeneration& cutoff = accounts_[account_id];
  cutoff.min_generation = std::max(cutoff.min_generation, min_generation);
  cutoff.forget_time = std::max(cutoff.forget_time, forget_time);
  NoteAddition();
}

void RevokedSet::AddClient(absl::string_view client_id,
                           absl::Time issued_before, absl::Time forget_time) {
  absl::MutexLock lock(&exact_);
  clients_[client_id].Raise({issued_before, forget_time});
  NoteAddition();
}

void RevokedSet::AddAll(absl::Time issued_before, absl::Time forget_time) {
  absl::MutexLock lock(&exact_);
  all_.Raise({issued_before, forget_time});
  NoteAddition();
}

void RevokedSet::AddKey(absl::string_view key_id) {
  absl::MutexLock lock(&exact_);
  keys_.emplace(key_id);
  NoteAddition();
}

bool RevokedSet::Holds(Fingerprint fingerprint) const {
  const Shard& shard = shards_[ShardOf(fingerprint)];
  absl::ReaderMutexLock lock(&shard.mutex);
  return shard.table.Contains(fingerprint);
}

bool RevokedSet::HitsExactly(const TokenMarks& token) const {
  absl::ReaderMutexLock lock(&exact_);
  if (token.issue_time <= all_.issued_before) return true;
  if (keys_.contains(token.key_id)) return true;
  const auto account = accounts_.find(token.account_id);
  if (account != accounts_.end() &&
      token.generation < account->second.min_generation) {
    return true;
  }
  const auto client = clients_.find(token.client_id);
  return client != clients_.end() &&
         token.issue_time <= client->second.issued_before;
}

bool RevokedSet::Hits(const TokenMarks& token) const {
  return Holds(token.token) || (token.session && Holds(*token.session)) ||
         HitsExactly(token);
}

std::size_t RevokedSet::Forget(absl::Time now, absl::Time as_of) {
  const absl::Time until = std::min(now, as_of);
  absl::MutexLock writing(&writers_);
  return ForgetFingerprints(until) + ForgetExact(until);
}

std::size_t RevokedSet::ForgetFingerprints(absl::Time until) {
  // Entries that are never forgotten have no minute that passes.
  const std::int64_t minute = std::min(MinuteUntil(until), kNever - 1);
  const MinuteGroups::Names ended = groups_.EndUntil(minute);
  if (ended.none()) return 0;
  std::size_t dropped = 0;
  for (Shard& shard : shards_) {
    absl::MutexLock lock(&shard.mutex);
    dropped += shard.table.Drop(ended);
  }
  fingerprints_ -= dropped;
  return dropped;
}

std::size_t RevokedSet::ForgetExact(absl::Time until) {
  absl::MutexLock lock(&exact_);
  const auto is_over = [until](const auto& entry) {
    const absl::Time forget_time = entry.second.forget_time;
    return forget_time != absl::InfiniteFuture() && forget_time <= until;
  };
  std::size_t dropped = absl::erase_if(accounts_, is_over);
  dropped += absl::erase_if(clients_, is_over);
  if (all_.issued_before != absl::InfinitePast() &&
      is_over(std::pair(0, all_))) {
    all_ = {};
    ++dropped;
  }
  return dropped;
}

std::size_t RevokedSet::size() const {
  absl::ReaderMutexLock lock(&exact_);
  const std::size_t all = all_.issued_before == absl::InfinitePast() ? 0 : 1;
  return fingerprints_ + accounts_.size() + clients_.size() + keys_.size() +
         all;
}

void RevokedSet::Visit(Visitor& visitor) const {
  absl::ReaderMutexLock writing(&writers_);
  for (const Shard& shard : shards_) {
    absl::ReaderMutexLock lock(&shard.mutex);
    shard.table.Visit(
        [this, &visitor](Fingerprint fingerprint, MinuteGroups::Name group)
            ABSL_NO_THREAD_SAFETY_ANALYSIS {
              visitor.OnFingerprint(fingerprint,
                                    TimeOf(groups_.MinuteOf(group)));
            });
  }
  absl::ReaderMutexLock lock(&exact_);
  for (const auto& [id, cutoff] : accounts_) {
    visitor.OnAccount(id, cutoff.min_generation, cutoff.forget_time);
  }
  for (const auto& [id, cutoff] : clients_) {
    visitor.OnClient(id, cutoff.issued_before, cutoff.forget_time);
  }
  for (const std::string& key : keys_) visitor.OnKey(key);
  if (all_.issued_before != absl::InfinitePast()) {
    visitor.OnAll(all_.issued_before, all_.forget_time);
  }
}

}  // namespace ostiary::revocation

#include "server/revocation/revocation_set.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace ostiary::revocation {
namespace {

using storage::LedgerKind;

// The first whole minute after the row may be forgotten.
std::int64_t MinuteOf(absl::Time expire_time) {
  return absl::ToUnixSeconds(expire_time) / 60 + 1;
}

// Of the newest row about `key`; 0: none.
std::int64_t SequenceOf(
    const absl::flat_hash_map<std::string, std::int64_t>& sequences,
    const std::string& key) {
  const auto found = sequences.find(key);
  return found == sequences.end() ? 0 : found->second;
}

template <typename Map>
bool EraseIfNewest(Map& map, const std::string& key, std::int64_t sequence) {
  const auto found = map.find(key);
  if (found == map.end()) return false;
  if constexpr (std::is_same_v<typename Map::mapped_type, std::int64_t>) {
    if (found->second != sequence) return false;
  } else {
    if (found->second.sequence != sequence) return false;
  }
  map.erase(found);
  return true;
}

}  // namespace

void RevocationSet::Apply(const storage::LedgerHead& head,
                          const std::vector<storage::LedgerRow>& rows) {
  MutexLock lock(&mutex_);
  for (const storage::LedgerRow& row : rows) ApplyRow(row);
  applied_ = {head.epoch, head.sequence};
}

void RevocationSet::ApplyRow(const storage::LedgerRow& row) {
  switch (row.kind) {
    case LedgerKind::kToken:
      tokens_[row.key] = row.sequence;
      break;
    case LedgerKind::kSession:
      sessions_[row.key] = row.sequence;
      break;
    case LedgerKind::kAccount: {
      ByGeneration& entry = accounts_[row.key];
      entry = {std::max(entry.min_generation, row.min_generation),
               row.sequence};
      break;
    }
    case LedgerKind::kClient: {
      ByTime& entry =
          clients_.try_emplace(row.key, ByTime{absl::InfinitePast(), 0})
              .first->second;
      entry = {std::max(entry.issued_before, row.issued_before), row.sequence};
      break;
    }
    case LedgerKind::kKey:
      keys_.insert(row.key);
      return;  // never forgotten
    case LedgerKind::kAll:
      all_ = {std::max(all_.issued_before, row.issued_before), row.sequence};
      break;
  }
  if (row.expire_time != absl::InfiniteFuture()) {
    by_minute_[MinuteOf(row.expire_time)].push_back(
        {row.kind, row.key, row.sequence});
  }
}

bool RevocationSet::Hits(const jwt::Claims& claims,
                         absl::string_view key_id) const {
  ReaderMutexLock lock(&mutex_);
  if (!keys_.empty() && keys_.contains(key_id)) return true;
  if (tokens_.contains(claims.token_id)) return true;
  if (!claims.session_id.empty() && sessions_.contains(claims.session_id))
    return true;
  if (const auto account = accounts_.find(claims.subject);
      account != accounts_.end()) {
    // A token of an account without `gen` would be older than generations.
    if (claims.generation.value_or(0) < account->second.min_generation)
      return true;
  }
  if (const auto client = clients_.find(claims.client_id);
      client != clients_.end()) {
    if (claims.issue_time <= client->second.issued_before) return true;
  }
  return claims.issue_time <= all_.issued_before;
}

absl::Time RevocationSet::IssuingPausedUntil(
    absl::string_view client_id) const {
  ReaderMutexLock lock(&mutex_);
  absl::Time until = all_.issued_before;
  if (const auto client = clients_.find(client_id); client != clients_.end()) {
    until = std::max(until, client->second.issued_before);
  }
  return until;
}

Revision RevocationSet::applied() const {
  ReaderMutexLock lock(&mutex_);
  return applied_;
}

std::size_t RevocationSet::size() const {
  ReaderMutexLock lock(&mutex_);
  return tokens_.size() + sessions_.size() + accounts_.size() +
         clients_.size() + keys_.size() + (all_.sequence != 0 ? 1 : 0);
}

void RevocationSet::VisitLive(
    absl::FunctionRef<void(const LiveRow& row)> visit) const {
  std::int64_t minute = std::numeric_limits<std::int64_t>::min();
  for (;;) {
    ReaderMutexLock lock(&mutex_);
    const auto bucket = by_minute_.upper_bound(minute);
    if (bucket == by_minute_.end()) break;
    minute = bucket->first;
    for (const Forgettable& row : bucket->second) {
      LiveRow shown;
      shown.forget_time = absl::FromUnixSeconds(minute * 60);
      if (Describe(row, shown)) visit(shown);
    }
  }
  ReaderMutexLock lock(&mutex_);
  for (const std::string& key : keys_) {
    LiveRow shown;
    shown.kind = LedgerKind::kKey;
    shown.key = key;
    visit(shown);
  }
}

bool RevocationSet::Describe(const Forgettable& row, LiveRow& out) const {
  out.kind = row.kind;
  out.key = row.key;
  switch (row.kind) {
    case LedgerKind::kToken:
      return SequenceOf(tokens_, row.key) == row.sequence;
    case LedgerKind::kSession:
      return SequenceOf(sessions_, row.key) == row.sequence;
    case LedgerKind::kAccount: {
      const auto found = accounts_.find(row.key);
      if (found == accounts_.end() || found->second.sequence != row.sequence)
        return false;
      out.min_generation = found->second.min_generation;
      return true;
    }
    case LedgerKind::kClient: {
      const auto found = clients_.find(row.key);
      if (found == clients_.end() || found->second.sequence != row.sequence)
        return false;
      out.issued_before = found->second.issued_before;
      return true;
    }
    case LedgerKind::kAll:
      out.issued_before = all_.issued_before;
      return all_.sequence == row.sequence;
    case LedgerKind::kKey:
      return false;  // shown on its own
  }
  return false;
}

std::size_t RevocationSet::Forget(absl::Time now) {
  MutexLock lock(&mutex_);
  const std::int64_t minute = absl::ToUnixSeconds(now) / 60;
  std::size_t forgotten = 0;
  while (!by_minute_.empty() && by_minute_.begin()->first <= minute) {
    for (const Forgettable& row : by_minute_.begin()->second)
      forgotten += Erase(row) ? 1 : 0;
    by_minute_.erase(by_minute_.begin());
  }
  return forgotten;
}

bool RevocationSet::Erase(const Forgettable& row) {
  switch (row.kind) {
    case LedgerKind::kToken:
      return EraseIfNewest(tokens_, row.key, row.sequence);
    case LedgerKind::kSession:
      return EraseIfNewest(sessions_, row.key, row.sequence);
    case LedgerKind::kAccount:
      return EraseIfNewest(accounts_, row.key, row.sequence);
    case LedgerKind::kClient:
      return EraseIfNewest(clients_, row.key, row.sequence);
    case LedgerKind::kAll:
      if (all_.sequence != row.sequence) return false;
      all_ = {absl::InfinitePast(), 0};
      return true;
    case LedgerKind::kKey:
      return false;
  }
  return false;
}

}  // namespace ostiary::revocation

#include "server/revocation/revocation_set.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace ostiary::revocation {
namespace {

using storage::LedgerKind;

constexpr std::size_t kParts = kKeyTableParts;
constexpr Minute kNoMinute = std::numeric_limits<Minute>::max();

Minute AsMinute(std::int64_t minute) {
  return static_cast<Minute>(
      std::clamp<std::int64_t>(minute, 1, kNoMinute - 1));
}

// The first whole minute after the row may be forgotten.
Minute MinuteOf(absl::Time expire_time) {
  if (expire_time == absl::InfiniteFuture()) return kNoMinute;
  return AsMinute(absl::ToUnixSeconds(expire_time) / 60 + 1);
}

absl::Time TimeOf(Minute minute) {
  if (minute == kNoMinute) return absl::InfiniteFuture();
  return absl::FromUnixSeconds(std::int64_t{minute} * 60);
}

}  // namespace

// Live rows by value, 32 bytes for one about a token or session of ours: a
// snapshot of a large ledger must not take many times the ledger's memory.
class RevocationSet::Collection {
 public:
  void Add(LedgerKind kind, Minute forget_at, const IdBytes& key,
           std::uint64_t min_generation) {
    if ((min_generation & kNamed) != 0) {
      Add(kind, forget_at, UnpackKey(*KeyFormOf(kind), key), min_generation,
          absl::InfinitePast());
      return;
    }
    rows_.push_back({kind, forget_at, key, min_generation});
  }
  // About a key that cannot be packed.
  void Add(LedgerKind kind, Minute forget_at, const std::string& key,
           std::uint64_t min_generation, absl::Time issued_before) {
    rows_.push_back({kind, forget_at, {}, kNamed | named_.size()});
    named_.push_back({key, min_generation, issued_before});
  }

  void Visit(absl::FunctionRef<void(const LiveRow& row)> visit) {
    std::sort(rows_.begin(), rows_.end(), [](const Row& one, const Row& other) {
      return one.forget_at < other.forget_at;
    });
    for (const Row& row : rows_) {
      const absl::Time forget_time = TimeOf(row.forget_at);
      if ((row.number & kNamed) != 0) {
        const Named& named = named_[row.number & ~kNamed];
        visit({row.kind, named.key, named.min_generation, named.issued_before,
               forget_time});
        continue;
      }
      const std::string key = UnpackKey(*KeyFormOf(row.kind), row.key);
      visit({row.kind, key, row.number, absl::InfinitePast(), forget_time});
    }
  }

 private:
  // No generation gets there but one that an epoch beyond 2^31 made.
  static constexpr std::uint64_t kNamed = std::uint64_t{1} << 63;

  struct Row {
    LedgerKind kind;
    Minute forget_at;
    IdBytes key;
    // The generation, or where in `named_` the rest is.
    std::uint64_t number;
  };
  struct Named {
    std::string key;
    std::uint64_t min_generation;
    absl::Time issued_before;
  };

  std::vector<Row> rows_;
  std::vector<Named> named_;
};

void RevocationSet::Apply(const storage::LedgerHead& head,
                          const std::vector<storage::LedgerRow>& rows) {
  MutexLock lock(&mutex_);
  for (const storage::LedgerRow& row : rows) ApplyRow(row);
  applied_ = {head.epoch, head.sequence};
}

void RevocationSet::ApplyRow(const storage::LedgerRow& row) {
  const Minute minute = MinuteOf(row.expire_time);
  switch (row.kind) {
    case LedgerKind::kToken:
    case LedgerKind::kSession: {
      auto& table = row.kind == LedgerKind::kToken ? tokens_ : sessions_;
      Ended& entry = table.FindOrAdd(row.key, {0});
      entry.forget_at = std::max(entry.forget_at, minute);
      return;
    }
    case LedgerKind::kAccount: {
      ByGeneration& entry = accounts_.FindOrAdd(row.key, {0, 0});
      entry = {std::max(entry.min_generation, row.min_generation),
               std::max(entry.forget_at, minute)};
      return;
    }
    case LedgerKind::kClient: {
      ByTime& entry = clients_.try_emplace(row.key, kNever).first->second;
      entry = {std::max(entry.issued_before, row.issued_before),
               std::max(entry.forget_at, minute)};
      return;
    }
    case LedgerKind::kKey:
      keys_.insert(row.key);
      return;  // never forgotten
    case LedgerKind::kAll:
      all_ = {std::max(all_.issued_before, row.issued_before),
              std::max(all_.forget_at, minute)};
      return;
  }
}

bool RevocationSet::Hits(const jwt::Claims& claims,
                         absl::string_view key_id) const {
  ReaderMutexLock lock(&mutex_);
  if (!keys_.empty() && keys_.contains(key_id)) return true;
  if (tokens_.Find(claims.token_id) != nullptr) return true;
  if (!claims.session_id.empty() &&
      sessions_.Find(claims.session_id) != nullptr)
    return true;
  if (const ByGeneration* account = accounts_.Find(claims.subject);
      account != nullptr) {
    // A token of an account without `gen` would be older than generations.
    if (claims.generation.value_or(0) < account->min_generation) return true;
  }
  if (!clients_.empty()) {
    const auto client = clients_.find(claims.client_id);
    if (client != clients_.end() &&
        claims.issue_time <= client->second.issued_before)
      return true;
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
         clients_.size() + keys_.size() + (all_.forget_at != 0 ? 1 : 0);
}

void RevocationSet::Collect(Collection& rows) const {
  const auto visit = [&rows](const auto& table, std::size_t part,
                             LedgerKind kind, auto generation_of) {
    table.VisitPart(
        part,
        [&](const IdBytes& key, const auto& entry) {
          rows.Add(kind, entry.forget_at, key, generation_of(entry));
        },
        [&](const std::string& key, const auto& entry) {
          rows.Add(kind, entry.forget_at, key, generation_of(entry),
                   absl::InfinitePast());
        });
  };
  const auto none = [](const Ended&) { return std::uint64_t{0}; };
  const auto generation = [](const ByGeneration& entry) {
    return entry.min_generation;
  };
  for (std::size_t part = 0; part < kParts; ++part) {
    ReaderMutexLock lock(&mutex_);
    visit(tokens_, part, LedgerKind::kToken, none);
    visit(sessions_, part, LedgerKind::kSession, none);
    visit(accounts_, part, LedgerKind::kAccount, generation);
  }
  ReaderMutexLock lock(&mutex_);
  for (const auto& [key, entry] : clients_) {
    rows.Add(LedgerKind::kClient, entry.forget_at, key, 0, entry.issued_before);
  }
  if (all_.forget_at != 0)
    rows.Add(LedgerKind::kAll, all_.forget_at, "", 0, all_.issued_before);
  for (const std::string& key : keys_)
    rows.Add(LedgerKind::kKey, kNoMinute, key, 0, absl::InfinitePast());
}

void RevocationSet::VisitLive(
    absl::FunctionRef<void(const LiveRow& row)> visit) const {
  Collection rows;
  Collect(rows);
  rows.Visit(visit);
}

std::size_t RevocationSet::Forget(absl::Time now) {
  const Minute minute = AsMinute(absl::ToUnixSeconds(now) / 60);
  std::size_t forgotten = 0;
  for (std::size_t part = 0; part < kParts; ++part) {
    MutexLock lock(&mutex_);
    forgotten += tokens_.ForgetPart(part, minute);
    forgotten += sessions_.ForgetPart(part, minute);
    forgotten += accounts_.ForgetPart(part, minute);
  }
  MutexLock lock(&mutex_);
  return forgotten + ForgetNamed(minute);
}

std::size_t RevocationSet::ForgetNamed(Minute now) {
  std::size_t forgotten = absl::erase_if(clients_, [now](const auto& entry) {
    return entry.second.forget_at <= now;
  });
  if (all_.forget_at != 0 && all_.forget_at <= now) {
    all_ = kNever;
    ++forgotten;
  }
  return forgotten;
}

}  // namespace ostiary::revocation

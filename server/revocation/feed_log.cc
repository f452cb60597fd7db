#include "server/revocation/feed_log.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "server/revocation/packed_key.h"
#include "storage/stored_time.h"

namespace ostiary::revocation {
void FeedLog::BeginAfter(std::int64_t sequence) {
  std::lock_guard lock(mutex_);
  base_ = sequence;
}

void FeedLog::Append(const storage::LedgerHead& head,
                     const std::vector<storage::LedgerRow>& rows) {
  {
    std::lock_guard lock(mutex_);
    for (const storage::LedgerRow& row : rows) {
      Keep(row);
      if (rows_.size() > most_rows_) DropOldest();
    }
    head_ = head;
  }
  grown_.notify_all();
}

// Without the reason: that is for people, not for those who watch.
void FeedLog::Keep(const storage::LedgerRow& row) {
  Kept kept{row.sequence,
            row.check,
            row.min_generation,
            storage::ToStoredTime(row.issued_before),
            storage::ToStoredTime(row.commit_time),
            storage::ToStoredTime(row.expire_time),
            {},
            row.kind,
            false};
  if (const auto form = KeyFormOf(row.kind); form.has_value()) {
    if (const auto key = PackKey(*form, row.key); key.has_value()) {
      kept.key = *key;
      kept.packed = true;
    }
  }
  if (!kept.packed) texts_[row.sequence] = row.key;
  rows_.push_back(kept);
}

void FeedLog::DropOldest() {
  const Kept& oldest = rows_.front();
  base_ = oldest.sequence;
  if (!oldest.packed) texts_.erase(oldest.sequence);
  rows_.pop_front();
}

storage::LedgerRow FeedLog::RowOf(const Kept& kept) const {
  storage::LedgerRow row;
  row.sequence = kept.sequence;
  row.kind = kept.kind;
  if (kept.packed) {
    row.key = UnpackKey(*KeyFormOf(kept.kind), kept.key);
  } else {
    row.key = texts_.at(kept.sequence);
  }
  row.min_generation = kept.min_generation;
  row.issued_before = storage::FromStoredTime(kept.issued_before);
  row.commit_time = storage::FromStoredTime(kept.commit_time);
  row.expire_time = storage::FromStoredTime(kept.expire_time);
  row.check = kept.check;
  return row;
}

FeedLog::Rows::const_iterator FeedLog::FirstAfter(std::int64_t sequence) const {
  return std::upper_bound(rows_.begin(), rows_.end(), sequence,
                          [](std::int64_t wanted, const Kept& row) {
                            return wanted < row.sequence;
                          });
}

void FeedLog::AwaitBeyond(std::int64_t sequence, absl::Duration at_most,
                          std::stop_token stop) const {
  std::unique_lock lock(mutex_);
  grown_.wait_for(lock, std::move(stop), absl::ToChronoNanoseconds(at_most),
                  [&] { return head_.sequence > sequence; });
}

storage::LedgerHead FeedLog::head() const {
  std::lock_guard lock(mutex_);
  return head_;
}

std::optional<std::vector<storage::LedgerRow>> FeedLog::After(
    std::int64_t sequence, std::size_t most) const {
  std::lock_guard lock(mutex_);
  if (sequence < base_ || sequence > head_.sequence) return std::nullopt;
  const auto first = FirstAfter(sequence);
  const auto count =
      std::min(static_cast<std::size_t>(rows_.end() - first), most);
  std::vector<storage::LedgerRow> rows;
  rows.reserve(count);
  for (auto row = first; rows.size() < count; ++row)
    rows.push_back(RowOf(*row));
  return rows;
}

FeedLog::Fit FeedLog::FitOf(const storage::LedgerHead& position) const {
  std::lock_guard lock(mutex_);
  if (position.epoch < head_.epoch) return Fit::kTooOld;
  if (position.epoch > head_.epoch || position.sequence > head_.sequence)
    return Fit::kRegressed;
  const std::optional<std::uint64_t> check = CheckAt(position.sequence);
  if (!check.has_value()) return Fit::kTooOld;
  return *check == position.check ? Fit::kContinues : Fit::kRegressed;
}

// nullopt if the row is forgotten: nothing to compare with.
std::optional<std::uint64_t> FeedLog::CheckAt(std::int64_t sequence) const {
  if (sequence == head_.sequence) return head_.check;
  if (sequence < base_) return std::nullopt;
  if (sequence == 0) return 0;  // the beginning, before any row
  const auto next = FirstAfter(sequence);
  if (next == rows_.begin()) return std::nullopt;
  const Kept& row = *std::prev(next);
  if (row.sequence != sequence) return std::nullopt;
  return row.check;
}

}  // namespace ostiary::revocation

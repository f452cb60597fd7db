#include "server/revocation/feed_log.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace ostiary::revocation {
namespace {

// The first row after `sequence`.
auto FirstAfter(const std::deque<storage::LedgerRow>& rows,
                std::int64_t sequence) {
  return std::upper_bound(
      rows.begin(), rows.end(), sequence,
      [](std::int64_t wanted, const storage::LedgerRow& row) {
        return wanted < row.sequence;
      });
}

}  // namespace

void FeedLog::Append(const storage::LedgerHead& head,
                     const std::vector<storage::LedgerRow>& rows) {
  {
    std::lock_guard lock(mutex_);
    for (const storage::LedgerRow& row : rows) {
      rows_.push_back(row);
      rows_.back().reason.clear();  // for people, not for those who watch
      if (rows_.size() <= most_rows_) continue;
      base_ = rows_.front().sequence;
      rows_.pop_front();
    }
    head_ = head;
  }
  grown_.notify_all();
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
  const auto first = FirstAfter(rows_, sequence);
  const auto count =
      std::min(static_cast<std::size_t>(rows_.end() - first), most);
  return std::vector<storage::LedgerRow>(
      first, first + static_cast<std::ptrdiff_t>(count));
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
  const auto next = FirstAfter(rows_, sequence);
  if (next == rows_.begin()) return std::nullopt;
  const storage::LedgerRow& row = *std::prev(next);
  if (row.sequence != sequence) return std::nullopt;
  return row.check;
}

}  // namespace ostiary::revocation

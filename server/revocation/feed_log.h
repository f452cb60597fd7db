#ifndef OSTIARY_SERVER_REVOCATION_FEED_LOG_H_
#define OSTIARY_SERVER_REVOCATION_FEED_LOG_H_

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "server/base/ids.h"
#include "storage/rows.h"

namespace ostiary::revocation {

// The newest rows of the ledger, in the order of their commits: what those who
// watch are sent, and where a watcher that comes again can go on.
//
// Thread-safe; no I/O. A row is here before its revocation is acknowledged.
class FeedLog {
 public:
  // Remembers the newest `most_rows` rows.
  explicit FeedLog(std::size_t most_rows) : most_rows_(most_rows) {}

  // Before the first row, at start: the log begins after `sequence`, older rows
  // are not remembered.
  void BeginAfter(std::int64_t sequence);

  // Called in the order of commits. `rows` lead up to `head`; older ones may be
  // missing if they are forgotten.
  void Append(const storage::LedgerHead& head,
              const std::vector<storage::LedgerRow>& rows);

  storage::LedgerHead head() const;

  // Up to `most` rows after `sequence`, in order. nullopt if rows after it may
  // have been dropped, or if it is ahead of the head.
  std::optional<std::vector<storage::LedgerRow>> After(std::int64_t sequence,
                                                       std::size_t most) const;

  enum class Fit {
    kContinues,  // the log goes on from there
    kTooOld,     // of a past epoch, or rows after it may be dropped
    kRegressed,  // ahead of the head or of another history: the store went back
  };
  // Where a position that somebody has been told lies.
  Fit FitOf(const storage::LedgerHead& position) const;

  // Waits until the head is beyond `sequence`, for `at_most`, or until `stop`.
  void AwaitBeyond(std::int64_t sequence, absl::Duration at_most,
                   std::stop_token stop) const;

 private:
  // A row without its text and reason: 80 bytes, where a LedgerRow takes 200.
  struct Kept {
    std::int64_t sequence;
    std::uint64_t check;
    std::uint64_t min_generation;
    std::int64_t issued_before;  // times as the store keeps them
    std::int64_t commit_time;
    std::int64_t expire_time;
    IdBytes key;
    storage::LedgerKind kind;
    bool packed;  // `key` says it all; else its text is in `texts_`
  };
  using Rows = std::deque<Kept>;

  // Each of them requires the lock.
  std::optional<std::uint64_t> CheckAt(std::int64_t sequence) const;
  Rows::const_iterator FirstAfter(std::int64_t sequence) const;
  void Keep(const storage::LedgerRow& row);
  void DropOldest();
  storage::LedgerRow RowOf(const Kept& kept) const;

  const std::size_t most_rows_;
  mutable std::mutex mutex_;
  mutable std::condition_variable_any grown_;
  // Guarded by mutex_, down to the end.
  storage::LedgerHead head_ = {0, 0, 0};
  // All live rows after this one are in `rows_`.
  std::int64_t base_ = 0;
  Rows rows_;
  absl::flat_hash_map<std::int64_t, std::string> texts_;  // by sequence
};

}  // namespace ostiary::revocation

#endif  // OSTIARY_SERVER_REVOCATION_FEED_LOG_H_

#ifndef OSTIARY_TESTS_SERVER_REVOCATION_SMALL_LEDGER_H_
#define OSTIARY_TESTS_SERVER_REVOCATION_SMALL_LEDGER_H_

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "server/revocation/feed_log.h"
#include "server/revocation/revocation_set.h"

namespace ostiary::testing {

inline storage::LedgerRow TokenRow(const std::string& token_id,
                                   absl::Time expire_time) {
  storage::LedgerRow row;
  row.kind = storage::LedgerKind::kToken;
  row.key = token_id;
  row.expire_time = expire_time;
  return row;
}

// A ledger without a store: what the writer would tell the room `revocation`.
//
// Thread-safe.
class SmallLedger {
 public:
  // `history` tells two ledgers apart whose rows are the same.
  explicit SmallLedger(std::size_t remembered = 1000, std::uint32_t epoch = 1,
                       std::uint64_t history = 17)
      : log(remembered), history_(history), head_{epoch, 0, 0} {
    set.Apply(head_, {});
    log.Append(head_, {});
  }

  // Commits all of them at once; where the ledger stands then.
  storage::LedgerHead Commit(std::vector<storage::LedgerRow> rows) {
    std::lock_guard lock(mutex_);
    for (storage::LedgerRow& row : rows) {
      row.sequence = ++head_.sequence;
      row.check = head_.check = head_.check * 31 + history_ +
                                static_cast<std::uint64_t>(row.sequence);
    }
    set.Apply(head_, rows);
    log.Append(head_, rows);
    return head_;
  }
  storage::LedgerHead CommitToken(const std::string& token_id,
                                  absl::Time expire_time) {
    return Commit({TokenRow(token_id, expire_time)});
  }

  revocation::RevocationSet set;
  revocation::FeedLog log;

 private:
  const std::uint64_t history_;
  std::mutex mutex_;
  storage::LedgerHead head_;
};

}  // namespace ostiary::testing

#endif  // OSTIARY_TESTS_SERVER_REVOCATION_SMALL_LEDGER_H_

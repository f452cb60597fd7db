#include "storage/sqlite/file_check.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "storage/ledger_check.h"
#include "storage/sqlite/ledger.h"
#include "storage/sqlite/query.h"

namespace ostiary::storage::sqlite {
namespace {

// SQLite's virtual machine asks once in so many steps: every few milliseconds.
constexpr int kStepsBetweenLooks = 100'000;
constexpr std::size_t kRowsAtATime = 1000;

int ShouldStop(void* stop) {
  return (*static_cast<const std::function<bool()>*>(stop))() ? 1 : 0;
}

absl::Status CheckPages(Connection& connection) {
  Query query(connection, "PRAGMA integrity_check(1)");
  const absl::StatusOr<bool> found = query.Next();
  if (!found.ok()) return found.status();
  const std::string said = query.Text();
  if (said == "ok") return absl::OkStatus();
  return absl::DataLossError(absl::StrCat("the database is damaged: ", said));
}

// Rows are forgotten one by one, so not every row has its predecessor beside
// it; the last one always ends at the head.
absl::Status CheckLedger(Connection& connection) {
  const SqliteLedger ledger(connection);
  const absl::StatusOr<LedgerHead> head = ledger.Head();
  if (!head.ok()) return head.status();
  std::vector<LedgerRow> rows;
  LedgerRow before;
  for (;;) {
    auto read = ledger.ReadAfter(before.sequence, kRowsAtATime, rows);
    if (!read.ok()) return read;
    for (const LedgerRow& row : rows) {
      const bool next = before.sequence > 0 || row.sequence == 1;
      if (next && row.sequence == before.sequence + 1 &&
          row.check != NextLedgerCheck(before.check, row)) {
        return absl::DataLossError(
            absl::StrCat("the ledger is damaged at ", row.sequence));
      }
      before = row;
    }
    if (rows.size() < kRowsAtATime) break;
  }
  const bool beyond = before.sequence > head->sequence;
  const bool differs =
      before.sequence == head->sequence && before.check != head->check;
  if (before.sequence > 0 && (beyond || differs)) {
    return absl::DataLossError(absl::StrCat(
        "the ledger does not end where its head says, at ", head->sequence));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckWhole(Connection& connection,
                        const std::function<bool()>& stop) {
  if (stop) {
    sqlite3_progress_handler(
        connection.handle(), kStepsBetweenLooks, &ShouldStop,
        const_cast<void*>(static_cast<const void*>(&stop)));
  }
  absl::Status status = CheckPages(connection);
  if (status.ok()) status = CheckLedger(connection);
  sqlite3_progress_handler(connection.handle(), 0, nullptr, nullptr);
  connection.ClearFailure();
  if (stop && stop()) return absl::CancelledError("stopped");
  return status;
}

}  // namespace ostiary::storage::sqlite

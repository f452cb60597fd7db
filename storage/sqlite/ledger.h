#ifndef OSTIARY_STORAGE_SQLITE_LEDGER_H_
#define OSTIARY_STORAGE_SQLITE_LEDGER_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "storage/sqlite/connection.h"
#include "storage/tables.h"

namespace ostiary::storage::sqlite {

// The tables `ledger` and `ledger_head`. Must not outlive `connection`.
class SqliteLedger : public LedgerTable {
 public:
  explicit SqliteLedger(Connection& connection) : connection_(connection) {}

  absl::StatusOr<LedgerHead> Head() const override;
  absl::StatusOr<std::vector<LedgerRow>> After(
      std::int64_t after, std::size_t limit) const override;
  absl::Status ReadAfter(std::int64_t after, std::size_t limit,
                         std::vector<LedgerRow>& rows) const override;
  absl::StatusOr<std::optional<LedgerRow>> FindNewest(
      LedgerKind kind, absl::string_view key) const override;

  absl::StatusOr<LedgerRow> Append(LedgerRow row) override;
  absl::StatusOr<std::int64_t> DeleteExpired(absl::Time now,
                                             std::size_t limit) override;
  absl::Status BeginEpoch(std::uint32_t epoch,
                          std::int64_t sequence_at_least) override;

  // The rows appended in the open transaction, in order, for the listener.
  const std::vector<LedgerRow>& appended() const { return appended_; }
  // Forgets all but the first `count` of them: a rollback went back there.
  void KeepAppended(std::size_t count) { appended_.resize(count); }

 private:
  absl::Status SetHead(const LedgerHead& head);

  Connection& connection_;
  std::vector<LedgerRow> appended_;
};

}  // namespace ostiary::storage::sqlite

#endif  // OSTIARY_STORAGE_SQLITE_LEDGER_H_

#ifndef OSTIARY_STORAGE_SQLITE_STATUS_LISTS_H_
#define OSTIARY_STORAGE_SQLITE_STATUS_LISTS_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "storage/sqlite/connection.h"
#include "storage/sqlite/query.h"
#include "storage/tables.h"

namespace ostiary::storage::sqlite {

// The tables `status_lists` and `status_slots`. Must not outlive `connection`.
class SqliteStatusLists : public StatusListTable {
 public:
  explicit SqliteStatusLists(Connection& connection)
      : connection_(connection) {}

  absl::StatusOr<std::vector<StatusListRow>> Lists() const override;
  absl::StatusOr<std::optional<StatusSlotRow>> NewestOf(
      const Key16& session_id) const override;
  absl::StatusOr<std::vector<StatusSlotRow>> SlotsOf(
      const Key16& list_id, std::int64_t after,
      std::size_t limit) const override;
  absl::StatusOr<std::vector<StatusSlot>> FlippedOf(
      const Key16& list_id, std::int64_t after,
      std::size_t limit) const override;

  absl::Status Open(const StatusListRow& row) override;
  absl::Status Take(const StatusSlotRow& row) override;
  absl::StatusOr<std::int64_t> Flip(const StatusSlot& place) override;
  absl::StatusOr<std::int64_t> FlipSession(const Key16& session_id) override;
  absl::StatusOr<std::int64_t> FlipAccount(const Key16& account_id) override;
  absl::Status InvalidateAll() override;
  absl::StatusOr<std::int64_t> DeleteExpired(absl::Time now,
                                             std::size_t limit) override;

  // The slots flipped in the open transaction, for the listener.
  const std::vector<StatusSlot>& flipped() const { return flipped_; }
  // Forgets all but the first `count` of them: a rollback went back there.
  void KeepFlipped(std::size_t count) { flipped_.resize(count); }

 private:
  // Runs a statement that flips slots and returns each of them.
  absl::StatusOr<std::int64_t> RunFlip(Query& query);

  Connection& connection_;
  std::vector<StatusSlot> flipped_;
};

}  // namespace ostiary::storage::sqlite

#endif  // OSTIARY_STORAGE_SQLITE_STATUS_LISTS_H_

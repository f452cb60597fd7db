#ifndef OSTIARY_STORAGE_SQLITE_SESSIONS_H_
#define OSTIARY_STORAGE_SQLITE_SESSIONS_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "storage/sqlite/connection.h"
#include "storage/tables.h"

namespace ostiary::storage::sqlite {

// The table `sessions`. Must not outlive `connection`.
class SqliteSessions : public SessionTable {
 public:
  explicit SqliteSessions(Connection& connection) : connection_(connection) {}

  absl::StatusOr<std::optional<SessionRow>> Find(
      const Key16& session_id) const override;
  absl::StatusOr<std::vector<SessionRow>> ListByAccount(
      const Key16& account_id, std::size_t limit) const override;
  absl::StatusOr<std::vector<SessionRow>> ListLive(
      const Key16& account_id, std::uint32_t session_floor, absl::Time now,
      std::size_t limit) const override;

  absl::Status Insert(const SessionRow& row) override;
  absl::StatusOr<bool> UpdateIf(const SessionRow& row,
                                std::uint32_t expected_generation) override;
  absl::StatusOr<bool> Revoke(const Key16& session_id, absl::Time now) override;
  absl::StatusOr<std::int64_t> DeleteByAccount(
      const Key16& account_id) override;
  absl::StatusOr<std::int64_t> DeleteEnded(absl::Time before,
                                           std::size_t limit) override;

  // How often a session was opened here, rolled back or not.
  std::int64_t opened() const { return opened_; }

 private:
  Connection& connection_;
  std::int64_t opened_ = 0;
};

}  // namespace ostiary::storage::sqlite

#endif  // OSTIARY_STORAGE_SQLITE_SESSIONS_H_

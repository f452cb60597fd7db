#ifndef OSTIARY_STORAGE_SQLITE_AUDIT_H_
#define OSTIARY_STORAGE_SQLITE_AUDIT_H_

#include <cstdint>
#include <vector>

#include "storage/sqlite/connection.h"
#include "storage/tables.h"

namespace ostiary::storage::sqlite {

// The table `audit`. Must not outlive `connection`.
class SqliteAudit : public AuditTable {
 public:
  explicit SqliteAudit(Connection& connection) : connection_(connection) {}

  absl::StatusOr<std::vector<AuditRow>> After(std::int64_t after,
                                              std::size_t limit) const override;

  absl::Status Append(const AuditRow& row) override;
  absl::StatusOr<std::int64_t> DeleteBefore(absl::Time before,
                                            std::size_t limit) override;

 private:
  Connection& connection_;
};

}  // namespace ostiary::storage::sqlite

#endif  // OSTIARY_STORAGE_SQLITE_AUDIT_H_

#ifndef OSTIARY_STORAGE_SQLITE_FACTS_H_
#define OSTIARY_STORAGE_SQLITE_FACTS_H_

#include <optional>
#include <string>

#include "storage/sqlite/connection.h"
#include "storage/tables.h"

namespace ostiary::storage::sqlite {

// The table `facts`. Must not outlive `connection`.
class SqliteFacts : public FactTable {
 public:
  explicit SqliteFacts(Connection& connection) : connection_(connection) {}

  absl::StatusOr<std::optional<std::string>> Find(
      absl::string_view name) const override;
  absl::Status Put(absl::string_view name, absl::string_view value) override;

 private:
  Connection& connection_;
};

}  // namespace ostiary::storage::sqlite

#endif  // OSTIARY_STORAGE_SQLITE_FACTS_H_

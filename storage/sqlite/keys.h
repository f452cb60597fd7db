#ifndef OSTIARY_STORAGE_SQLITE_KEYS_H_
#define OSTIARY_STORAGE_SQLITE_KEYS_H_

#include <optional>
#include <vector>

#include "storage/sqlite/connection.h"
#include "storage/tables.h"

namespace ostiary::storage::sqlite {

// The table `keys`. Must not outlive `connection`.
class SqliteKeys : public KeyTable {
 public:
  explicit SqliteKeys(Connection& connection) : connection_(connection) {}

  absl::StatusOr<std::vector<KeyRow>> ListAll() const override;
  absl::StatusOr<std::vector<KeyRow>> List(
      absl::string_view purpose) const override;
  absl::StatusOr<std::optional<KeyRow>> Find(
      absl::string_view key_id) const override;

  absl::Status Insert(const KeyRow& row) override;
  absl::Status Update(const KeyRow& row) override;
  absl::StatusOr<bool> Delete(absl::string_view key_id) override;

 private:
  Connection& connection_;
};

}  // namespace ostiary::storage::sqlite

#endif  // OSTIARY_STORAGE_SQLITE_KEYS_H_

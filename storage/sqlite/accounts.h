#ifndef OSTIARY_STORAGE_SQLITE_ACCOUNTS_H_
#define OSTIARY_STORAGE_SQLITE_ACCOUNTS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "storage/sqlite/connection.h"
#include "storage/tables.h"

namespace ostiary::storage::sqlite {

// The table `accounts`, and `hash_shapes`, which follows it. Must not outlive
// `connection`.
class SqliteAccounts : public AccountTable {
 public:
  explicit SqliteAccounts(Connection& connection) : connection_(connection) {}

  absl::StatusOr<std::optional<AccountRow>> Find(
      const Key16& account_id) const override;
  absl::StatusOr<std::optional<AccountRow>> FindByUsername(
      absl::string_view username_key) const override;
  absl::StatusOr<std::optional<AccountRow>> FindByEmail(
      absl::string_view email_key) const override;
  absl::StatusOr<std::vector<AccountRow>> List(
      const Key16& after, std::size_t limit) const override;
  absl::StatusOr<std::map<std::string, std::int64_t>> HashShapes()
      const override;

  absl::Status Insert(const AccountRow& row) override;
  absl::Status Update(const AccountRow& row) override;
  absl::StatusOr<bool> Delete(const Key16& account_id) override;

 private:
  // The shape of the account's hash; empty: there is no such account.
  absl::StatusOr<std::optional<std::string>> FindShape(
      const Key16& account_id) const;
  absl::Status MoveShape(const std::string& from, const std::string& to);

  Connection& connection_;
};

}  // namespace ostiary::storage::sqlite

#endif  // OSTIARY_STORAGE_SQLITE_ACCOUNTS_H_

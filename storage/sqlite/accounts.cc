#include "storage/sqlite/accounts.h"

#include <utility>

#include "storage/hash_shape.h"
#include "storage/sqlite/query.h"
#include "storage/sqlite/roles.h"

namespace ostiary::storage::sqlite {
namespace {

// Everything but the key, in the order of Bind and Read.
#define ACCOUNT_COLUMNS                                             \
  "username, username_key, email, email_key, email_verified, "      \
  "display_name, roles, disabled, metadata_json, generation, "      \
  "session_floor, credential_version, password_hash, create_time, " \
  "update_time"

constexpr char kFind[] =
    "SELECT account_id, " ACCOUNT_COLUMNS " FROM accounts WHERE account_id = ?";
constexpr char kFindByUsername[] = "SELECT account_id, " ACCOUNT_COLUMNS
                                   " FROM accounts WHERE username_key = ?";
constexpr char kFindByEmail[] =
    "SELECT account_id, " ACCOUNT_COLUMNS " FROM accounts WHERE email_key = ?";
constexpr char kList[] = "SELECT account_id, " ACCOUNT_COLUMNS
                         " FROM accounts WHERE account_id > ?"
                         " ORDER BY account_id LIMIT ?";
constexpr char kFindHash[] =
    "SELECT password_hash FROM accounts WHERE account_id = ?";
constexpr char kInsert[] =
    "INSERT INTO accounts (account_id, " ACCOUNT_COLUMNS
    ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
constexpr char kUpdate[] =
    "UPDATE accounts SET (" ACCOUNT_COLUMNS
    ") = (?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)"
    " WHERE account_id = ?1";
constexpr char kDelete[] = "DELETE FROM accounts WHERE account_id = ?";
#undef ACCOUNT_COLUMNS

constexpr char kShapes[] = "SELECT shape, accounts FROM hash_shapes";
constexpr char kShapeGained[] =
    "INSERT INTO hash_shapes (shape, accounts) VALUES (?, 1)"
    " ON CONFLICT (shape) DO UPDATE SET accounts = accounts + 1";
constexpr char kLastOfShapeLost[] =
    "DELETE FROM hash_shapes WHERE shape = ? AND accounts = 1";
constexpr char kShapeLost[] =
    "UPDATE hash_shapes SET accounts = accounts - 1"
    " WHERE shape = ? AND accounts > 1";

void Bind(Query& query, const AccountRow& row, absl::string_view roles) {
  query.BindKey(row.account_id)
      .BindText(row.username)
      .BindTextOrNull(row.username_key)
      .BindText(row.email)
      .BindTextOrNull(row.email_key)
      .Bind(row.email_verified)
      .BindText(row.display_name)
      .BindText(roles)
      .Bind(row.disabled)
      .BindText(row.metadata_json)
      .Bind(row.generation)
      .Bind(row.session_floor)
      .Bind(row.credential_version)
      .BindText(row.password_hash)
      .BindTime(row.create_time)
      .BindTime(row.update_time);
}

absl::Status Read(Query& query, AccountRow& row) {
  row.account_id = query.Key();
  row.username = query.Text();
  row.username_key = query.Text();
  row.email = query.Text();
  row.email_key = query.Text();
  row.email_verified = query.Flag();
  row.display_name = query.Text();
  absl::StatusOr<std::vector<std::string>> roles = RolesFromJson(query.Text());
  if (!roles.ok()) return roles.status();
  row.roles = *std::move(roles);
  row.disabled = query.Flag();
  row.metadata_json = query.Text();
  row.generation = query.Uint32();
  row.session_floor = query.Uint32();
  row.credential_version = query.Uint32();
  row.password_hash = query.Text();
  row.create_time = query.Time();
  row.update_time = query.Time();
  return absl::OkStatus();
}

absl::StatusOr<std::optional<AccountRow>> ReadOne(Query& query) {
  absl::StatusOr<std::optional<AccountRow>> row(std::nullopt);
  const absl::StatusOr<bool> found = query.Next();
  if (!found.ok()) return found.status();
  if (!*found) return row;
  const absl::Status read = Read(query, row->emplace());
  if (!read.ok()) return read;
  return row;
}

}  // namespace

absl::StatusOr<std::optional<AccountRow>> SqliteAccounts::Find(
    const Key16& account_id) const {
  Query query(connection_, kFind);
  query.BindKey(account_id);
  return ReadOne(query);
}

absl::StatusOr<std::optional<AccountRow>> SqliteAccounts::FindByUsername(
    absl::string_view username_key) const {
  Query query(connection_, kFindByUsername);
  query.BindTextOrNull(username_key);  // "" is nobody's: NULL equals nothing
  return ReadOne(query);
}

absl::StatusOr<std::optional<AccountRow>> SqliteAccounts::FindByEmail(
    absl::string_view email_key) const {
  Query query(connection_, kFindByEmail);
  query.BindTextOrNull(email_key);
  return ReadOne(query);
}

absl::StatusOr<std::vector<AccountRow>> SqliteAccounts::List(
    const Key16& after, std::size_t limit) const {
  Query query(connection_, kList);
  query.BindKey(after).BindLimit(limit);
  std::vector<AccountRow> rows;
  for (;;) {
    absl::StatusOr<std::optional<AccountRow>> row = ReadOne(query);
    if (!row.ok()) return row.status();
    if (!row->has_value()) return rows;
    rows.push_back(**std::move(row));
  }
}

absl::StatusOr<std::map<std::string, std::int64_t>> SqliteAccounts::HashShapes()
    const {
  Query query(connection_, kShapes);
  std::map<std::string, std::int64_t> shapes;
  for (;;) {
    const absl::StatusOr<bool> found = query.Next();
    if (!found.ok()) return found.status();
    if (!*found) return shapes;
    std::string shape = query.Text();
    shapes.emplace(std::move(shape), query.Int());
  }
}

absl::Status SqliteAccounts::Insert(const AccountRow& row) {
  const std::string roles = RolesToJson(row.roles);
  Query query(connection_, kInsert);
  Bind(query, row, roles);
  const absl::Status inserted = query.Run();
  if (!inserted.ok()) return inserted;
  return MoveShape("", HashShape(row.password_hash));
}

absl::Status SqliteAccounts::Update(const AccountRow& row) {
  const absl::StatusOr<std::optional<std::string>> shape =
      FindShape(row.account_id);
  if (!shape.ok()) return shape.status();
  if (!shape->has_value()) {
    return connection_.Fail(absl::NotFoundError("accounts: no such row"));
  }
  const std::string roles = RolesToJson(row.roles);
  Query query(connection_, kUpdate);
  Bind(query, row, roles);
  const absl::Status updated = query.Run();
  if (!updated.ok()) return updated;
  return MoveShape(**shape, HashShape(row.password_hash));
}

absl::StatusOr<bool> SqliteAccounts::Delete(const Key16& account_id) {
  const absl::StatusOr<std::optional<std::string>> shape =
      FindShape(account_id);
  if (!shape.ok()) return shape.status();
  if (!shape->has_value()) return false;
  Query query(connection_, kDelete);
  query.BindKey(account_id);
  const absl::Status deleted = query.Run();
  if (!deleted.ok()) return deleted;
  const absl::Status moved = MoveShape(**shape, "");
  if (!moved.ok()) return moved;
  return true;
}

absl::StatusOr<std::optional<std::string>> SqliteAccounts::FindShape(
    const Key16& account_id) const {
  Query query(connection_, kFindHash);
  query.BindKey(account_id);
  return FindOne(query, [](Query& row) { return HashShape(row.Text()); });
}

absl::Status SqliteAccounts::MoveShape(const std::string& from,
                                       const std::string& to) {
  if (from == to) return absl::OkStatus();
  if (!to.empty()) {
    Query gained(connection_, kShapeGained);
    const absl::Status run = gained.BindText(to).Run();
    if (!run.ok()) return run;
  }
  if (from.empty()) return absl::OkStatus();
  Query last(connection_, kLastOfShapeLost);
  const absl::StatusOr<std::int64_t> gone = last.BindText(from).RunCounting();
  if (!gone.ok()) return gone.status();
  if (*gone == 1) return absl::OkStatus();
  Query lost(connection_, kShapeLost);
  return lost.BindText(from).Run();
}

}  // namespace ostiary::storage::sqlite

#include "storage/sqlite/keys.h"

#include "storage/sqlite/query.h"

namespace ostiary::storage::sqlite {
namespace {

// Everything but the key, in the order of Bind and Read.
#define KEY_COLUMNS                                              \
  "purpose, algorithm, state, sealed, public_jwk, create_time, " \
  "activate_time, retire_time, revoke_time"

constexpr char kFind[] =
    "SELECT key_id, " KEY_COLUMNS " FROM keys WHERE key_id = ?";
constexpr char kList[] = "SELECT key_id, " KEY_COLUMNS
                         " FROM keys WHERE purpose = ?"
                         " ORDER BY create_time, key_id";
constexpr char kListAll[] =
    "SELECT key_id, " KEY_COLUMNS " FROM keys ORDER BY key_id";
constexpr char kInsert[] = "INSERT INTO keys (key_id, " KEY_COLUMNS
                           ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
constexpr char kUpdate[] = "UPDATE keys SET (" KEY_COLUMNS
                           ") = (?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"
                           " WHERE key_id = ?1";
constexpr char kDelete[] = "DELETE FROM keys WHERE key_id = ?";
#undef KEY_COLUMNS

void Bind(Query& query, const KeyRow& row) {
  query.BindText(row.key_id)
      .BindText(row.purpose)
      .BindText(row.algorithm)
      .BindText(row.state)
      .BindBytes(row.sealed)
      .BindText(row.public_jwk)
      .BindTime(row.create_time)
      .BindTime(row.activate_time)
      .BindTime(row.retire_time)
      .BindTime(row.revoke_time);
}

KeyRow Read(Query& query) {
  KeyRow row;
  row.key_id = query.Text();
  row.purpose = query.Text();
  row.algorithm = query.Text();
  row.state = query.Text();
  row.sealed = query.Bytes();
  row.public_jwk = query.Text();
  row.create_time = query.Time();
  row.activate_time = query.Time();
  row.retire_time = query.Time();
  row.revoke_time = query.Time();
  return row;
}

}  // namespace

absl::StatusOr<std::vector<KeyRow>> SqliteKeys::ListAll() const {
  Query query(connection_, kListAll);
  return FindAll(query, Read);
}

absl::StatusOr<std::vector<KeyRow>> SqliteKeys::List(
    absl::string_view purpose) const {
  Query query(connection_, kList);
  query.BindText(purpose);
  return FindAll(query, Read);
}

absl::StatusOr<std::optional<KeyRow>> SqliteKeys::Find(
    absl::string_view key_id) const {
  Query query(connection_, kFind);
  query.BindText(key_id);
  return FindOne(query, Read);
}

absl::Status SqliteKeys::Insert(const KeyRow& row) {
  Query query(connection_, kInsert);
  Bind(query, row);
  return query.Run();
}

absl::Status SqliteKeys::Update(const KeyRow& row) {
  Query query(connection_, kUpdate);
  Bind(query, row);
  const absl::StatusOr<std::int64_t> changed = query.RunCounting();
  if (!changed.ok()) return changed.status();
  if (*changed == 1) return absl::OkStatus();
  return connection_.Fail(absl::NotFoundError("keys: no such row"));
}

absl::StatusOr<bool> SqliteKeys::Delete(absl::string_view key_id) {
  Query query(connection_, kDelete);
  const absl::StatusOr<std::int64_t> changed =
      query.BindText(key_id).RunCounting();
  if (!changed.ok()) return changed.status();
  return *changed == 1;
}

}  // namespace ostiary::storage::sqlite

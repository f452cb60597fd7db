#include "storage/sqlite/sessions.h"

#include "storage/sqlite/query.h"
#include "storage/stored_time.h"

namespace ostiary::storage::sqlite {
namespace {

// Everything but the two keys, in the order of Bind and Read. The owner is left
// out so that a rotation, the commonest write, does not touch its index.
#define SESSION_COLUMNS                                                   \
  "client_id, audience, scope, minted_scope, user_agent, address, amr, "  \
  "opened_generation, generation, retried_in_row, networks, salt, "       \
  "refresh_key_id, request_id_hash, create_time, rotated_at, minted_at, " \
  "access_expire_time, idle_expire_time, expire_time, revoke_time"

constexpr char kFind[] = "SELECT session_id, account_id, " SESSION_COLUMNS
                         " FROM sessions WHERE session_id = ?";
// Session keys rise with time: their order is the order of age.
constexpr char kListByAccount[] =
    "SELECT session_id, account_id, " SESSION_COLUMNS
    " FROM sessions WHERE account_id = ? ORDER BY session_id LIMIT ?";
constexpr char kListLive[] =
    "SELECT session_id, account_id, " SESSION_COLUMNS
    " FROM sessions WHERE account_id = ? AND revoke_time IS NULL"
    " AND opened_generation >= ? AND end_time > ?"
    " ORDER BY session_id LIMIT ?";
constexpr char kInsert[] =
    "INSERT INTO sessions (session_id, account_id, " SESSION_COLUMNS
    ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
    " ?, ?)";
constexpr char kUpdateIf[] =
    "UPDATE sessions SET (" SESSION_COLUMNS
    ") = (?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17,"
    " ?18, ?19, ?20, ?21, ?22, ?23)"
    " WHERE session_id = ?1 AND account_id = ?2 AND generation = ?24"
    " AND revoke_time IS NULL";
constexpr char kRevoke[] =
    "UPDATE sessions SET revoke_time = ?"
    " WHERE session_id = ? AND revoke_time IS NULL";
constexpr char kDeleteByAccount[] = "DELETE FROM sessions WHERE account_id = ?";
constexpr char kDeleteEnded[] =
    "DELETE FROM sessions WHERE session_id IN ("
    "SELECT session_id FROM sessions WHERE end_time < ?"
    " ORDER BY end_time LIMIT ?)";
#undef SESSION_COLUMNS

void Bind(Query& query, const SessionRow& row) {
  query.BindKey(row.session_id)
      .BindKey(row.account_id)
      .BindText(row.client_id)
      .BindText(row.audience)
      .BindText(row.scope)
      .BindText(row.minted_scope)
      .BindText(row.user_agent)
      .BindText(row.address)
      .BindText(row.amr)
      .Bind(row.opened_generation)
      .Bind(row.generation)
      .Bind(row.retried_in_row)
      .Bind(row.networks)
      .BindBytes(row.salt)
      .BindText(row.refresh_key_id)
      .BindBytes(row.request_id_hash)
      .BindTime(row.create_time)
      .BindTime(row.rotated_at)
      .BindTime(row.minted_at)
      .BindTime(row.access_expire_time)
      .BindTime(row.idle_expire_time)
      .BindTime(row.expire_time)
      .BindTime(row.revoke_time);
}

void ReadInto(SessionRow& row, Query& query) {
  row.session_id = query.Key();
  row.account_id = query.Key();
  row.client_id = query.Text();
  row.audience = query.Text();
  row.scope = query.Text();
  row.minted_scope = query.Text();
  row.user_agent = query.Text();
  row.address = query.Text();
  row.amr = query.Text();
  row.opened_generation = query.Uint32();
  row.generation = query.Uint32();
  row.retried_in_row = query.Uint32();
  row.networks = query.Int();
  row.salt = query.Bytes();
  row.refresh_key_id = query.Text();
  row.request_id_hash = query.Bytes();
  row.create_time = query.Time();
  row.rotated_at = query.Time();
  row.minted_at = query.Time();
  row.access_expire_time = query.Time();
  row.idle_expire_time = query.Time();
  row.expire_time = query.Time();
  row.revoke_time = query.Time();
}

SessionRow Read(Query& query) {
  SessionRow row;
  ReadInto(row, query);
  return row;
}

}  // namespace

absl::StatusOr<std::optional<SessionRow>> SqliteSessions::Find(
    const Key16& session_id) const {
  Query query(connection_, kFind);
  query.BindKey(session_id);
  // Read in place: this is on the way of every refresh, and the row is large.
  absl::StatusOr<std::optional<SessionRow>> row(std::nullopt);
  const absl::StatusOr<bool> found = query.Next();
  if (!found.ok()) return found.status();
  if (*found) ReadInto(row->emplace(), query);
  return row;
}

absl::StatusOr<std::vector<SessionRow>> SqliteSessions::ListByAccount(
    const Key16& account_id, std::size_t limit) const {
  Query query(connection_, kListByAccount);
  query.BindKey(account_id).BindLimit(limit);
  return FindAll(query, Read);
}

absl::StatusOr<std::vector<SessionRow>> SqliteSessions::ListLive(
    const Key16& account_id, std::uint32_t session_floor, absl::Time now,
    std::size_t limit) const {
  Query query(connection_, kListLive);
  query.BindKey(account_id).Bind(session_floor).BindTime(now).BindLimit(limit);
  return FindAll(query, Read);
}

absl::Status SqliteSessions::Insert(const SessionRow& row) {
  ++opened_;
  Query query(connection_, kInsert);
  Bind(query, row);
  return query.Run();
}

absl::StatusOr<bool> SqliteSessions::UpdateIf(
    const SessionRow& row, std::uint32_t expected_generation) {
  Query query(connection_, kUpdateIf);
  Bind(query, row);
  const absl::StatusOr<std::int64_t> changed =
      query.Bind(expected_generation).RunCounting();
  if (!changed.ok()) return changed.status();
  return *changed == 1;
}

absl::StatusOr<bool> SqliteSessions::Revoke(const Key16& session_id,
                                            absl::Time now) {
  Query query(connection_, kRevoke);
  const absl::StatusOr<std::int64_t> changed =
      query.BindTime(now).BindKey(session_id).RunCounting();
  if (!changed.ok()) return changed.status();
  return *changed == 1;
}

absl::StatusOr<std::int64_t> SqliteSessions::DeleteByAccount(
    const Key16& account_id) {
  Query query(connection_, kDeleteByAccount);
  return query.BindKey(account_id).RunCounting();
}

absl::StatusOr<std::int64_t> SqliteSessions::DeleteEnded(absl::Time before,
                                                         std::size_t limit) {
  Query query(connection_, kDeleteEnded);
  return query.Bind(ToStoredTime(before)).BindLimit(limit).RunCounting();
}

}  // namespace ostiary::storage::sqlite

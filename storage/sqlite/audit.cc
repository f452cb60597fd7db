#include "storage/sqlite/audit.h"

#include "storage/sqlite/query.h"
#include "storage/stored_time.h"

namespace ostiary::storage::sqlite {
namespace {

#define AUDIT_COLUMNS                                                 \
  "time, action, outcome, actor, account_id, session_id, client_id, " \
  "address, detail"

constexpr char kAfter[] = "SELECT audit_id, " AUDIT_COLUMNS
                          " FROM audit WHERE audit_id > ?"
                          " ORDER BY audit_id LIMIT ?";
constexpr char kAppend[] =
    "INSERT INTO audit (" AUDIT_COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
constexpr char kDeleteBefore[] =
    "DELETE FROM audit WHERE audit_id IN ("
    "SELECT audit_id FROM audit WHERE time < ? ORDER BY time LIMIT ?)";
#undef AUDIT_COLUMNS

AuditRow Read(Query& query) {
  AuditRow row;
  row.audit_id = query.Int();
  row.time = query.Time();
  row.action = query.Text();
  row.outcome = query.Text();
  row.actor = query.Text();
  row.account_id = query.Text();
  row.session_id = query.Text();
  row.client_id = query.Text();
  row.address = query.Text();
  row.detail = query.Text();
  return row;
}

}  // namespace

absl::StatusOr<std::vector<AuditRow>> SqliteAudit::After(
    std::int64_t after, std::size_t limit) const {
  Query query(connection_, kAfter);
  query.Bind(after).BindLimit(limit);
  return FindAll(query, Read);
}

absl::Status SqliteAudit::Append(const AuditRow& row) {
  Query query(connection_, kAppend);
  return query.BindTime(row.time)
      .BindText(row.action)
      .BindText(row.outcome)
      .BindText(row.actor)
      .BindText(row.account_id)
      .BindText(row.session_id)
      .BindText(row.client_id)
      .BindText(row.address)
      .BindText(row.detail)
      .Run();
}

absl::StatusOr<std::int64_t> SqliteAudit::DeleteBefore(absl::Time before,
                                                       std::size_t limit) {
  Query query(connection_, kDeleteBefore);
  return query.Bind(ToStoredTime(before)).BindLimit(limit).RunCounting();
}

}  // namespace ostiary::storage::sqlite

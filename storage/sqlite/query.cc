#include "storage/sqlite/query.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "storage/stored_time.h"

namespace ostiary::storage::sqlite {

Query::Query(Connection& connection, const char* sql)
    : connection_(connection), status_(connection.failure()) {
  if (!status_.ok()) return;
  absl::StatusOr<sqlite3_stmt*> statement = connection.Prepared(sql);
  if (!statement.ok()) {
    status_ = connection.Fail(statement.status());
    return;
  }
  statement_ = *statement;
}

Query::~Query() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);  // they point at the caller's values
}

Query& Query::Bind(std::int64_t value) {
  if (status_.ok()) Check(sqlite3_bind_int64(statement_, ++parameter_, value));
  return *this;
}

Query& Query::BindText(absl::string_view text) {
  if (!status_.ok()) return *this;
  // A null pointer would bind NULL.
  const char* data = text.empty() ? "" : text.data();
  Check(sqlite3_bind_text64(statement_, ++parameter_, data, text.size(),
                            SQLITE_STATIC, SQLITE_UTF8));
  return *this;
}

Query& Query::BindTextOrNull(absl::string_view text) {
  if (!text.empty()) return BindText(text);
  if (status_.ok()) Check(sqlite3_bind_null(statement_, ++parameter_));
  return *this;
}

Query& Query::BindBytes(absl::string_view bytes) {
  if (!status_.ok()) return *this;
  const char* data = bytes.empty() ? "" : bytes.data();
  Check(sqlite3_bind_blob64(statement_, ++parameter_, data, bytes.size(),
                            SQLITE_STATIC));
  return *this;
}

Query& Query::BindKey(const Key16& key) {
  return BindBytes(
      absl::string_view(reinterpret_cast<const char*>(key.data()), key.size()));
}

Query& Query::BindTime(absl::Time time) {
  if (time != absl::InfinitePast()) return Bind(ToStoredTime(time));
  if (status_.ok()) Check(sqlite3_bind_null(statement_, ++parameter_));
  return *this;
}

Query& Query::BindLimit(std::size_t limit) {
  constexpr std::size_t kMost = std::numeric_limits<std::int64_t>::max();
  return Bind(static_cast<std::int64_t>(std::min(limit, kMost)));
}

absl::StatusOr<bool> Query::Next() {
  if (!status_.ok()) return status_;
  column_ = 0;
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return Failed(connection_.ErrorFor(code));
}

absl::Status Query::Run() {
  for (;;) {
    const absl::StatusOr<bool> row = Next();
    if (!row.ok()) return row.status();
    if (!*row) return absl::OkStatus();
  }
}

absl::StatusOr<std::int64_t> Query::RunCounting() {
  const absl::Status run = Run();
  if (!run.ok()) return run;
  return connection_.changes();
}

std::int64_t Query::Int() {
  return sqlite3_column_int64(statement_, column_++);
}

std::string Query::Text() { return Bytes(); }

// Also for text: sqlite3_column_text would first copy it to put a zero behind.
std::string Query::Bytes() {
  sqlite3_value* const value = sqlite3_column_value(statement_, column_++);
  const void* bytes = sqlite3_value_blob(value);
  if (bytes == nullptr) return std::string();  // empty
  return std::string(static_cast<const char*>(bytes),
                     static_cast<std::size_t>(sqlite3_value_bytes(value)));
}

Key16 Query::Key() {
  Key16 key{};
  sqlite3_value* const value = sqlite3_column_value(statement_, column_++);
  const void* bytes = sqlite3_value_blob(value);
  const auto size = static_cast<std::size_t>(sqlite3_value_bytes(value));
  if (size == key.size()) std::memcpy(key.data(), bytes, size);
  return key;
}

absl::Time Query::Time() {
  sqlite3_value* const value = sqlite3_column_value(statement_, column_++);
  if (sqlite3_value_type(value) == SQLITE_NULL) return absl::InfinitePast();
  return FromStoredTime(sqlite3_value_int64(value));
}

void Query::Check(int code) {
  if (code != SQLITE_OK) Failed(connection_.ErrorFor(code)).IgnoreError();
}

absl::Status Query::Failed(absl::Status status) {
  status_ = connection_.Fail(std::move(status));
  return status_;
}

}  // namespace ostiary::storage::sqlite

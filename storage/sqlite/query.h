#ifndef OSTIARY_STORAGE_SQLITE_QUERY_H_
#define OSTIARY_STORAGE_SQLITE_QUERY_H_

#include <sqlite3.h>

#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "storage/rows.h"
#include "storage/sqlite/connection.h"

namespace ostiary::storage::sqlite {

// One use of a prepared statement: bind the parameters in their order, run,
// read the columns in theirs.
//
//   Query query(connection, "SELECT a, b FROM t WHERE k = ?");
//   query.BindText(key);
//   while (...query.Next()...) { row.a = query.Text(); row.b = query.Int(); }
//
// What is bound must outlive the Query. An error while binding or preparing
// comes out of Next or Run.
class Query {
 public:
  // `sql` is a string literal.
  Query(Connection& connection, const char* sql);
  ~Query();
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  Query& Bind(std::int64_t value);
  Query& BindText(absl::string_view text);
  // NULL if empty.
  Query& BindTextOrNull(absl::string_view text);
  Query& BindBytes(absl::string_view bytes);
  Query& BindKey(const Key16& key);
  // NULL for InfinitePast.
  Query& BindTime(absl::Time time);
  // As the greatest integer if it does not fit: a LIMIT below zero is none.
  Query& BindLimit(std::size_t limit);

  // Steps to the next row; false after the last.
  absl::StatusOr<bool> Next();
  // Runs to the end.
  absl::Status Run();
  // Runs to the end and returns how many rows were changed.
  absl::StatusOr<std::int64_t> RunCounting();

  // The next column of the row. Times that are NULL are InfinitePast; a key of
  // another length than 16 is all zeroes (the schema forbids it).
  std::int64_t Int();
  bool Flag() { return Int() != 0; }
  std::uint32_t Uint32() { return static_cast<std::uint32_t>(Int()); }
  std::string Text();
  std::string Bytes();
  Key16 Key();
  // A text into `out`, whose memory is used again.
  void ReadText(std::string& out);
  absl::Time Time();

 private:
  void Check(int code);
  absl::Status Failed(absl::Status status);

  Connection& connection_;
  sqlite3_stmt* statement_ = nullptr;
  absl::Status status_;
  int parameter_ = 0;
  int column_ = 0;
};

inline void Query::ReadText(std::string& out) {
  // Asked for as bytes: as text SQLite would copy it to end it with a zero.
  sqlite3_value* const value = sqlite3_column_value(statement_, column_++);
  const void* text = sqlite3_value_blob(value);
  out.clear();
  if (text == nullptr) return;
  out.append(static_cast<const char*>(text),
             static_cast<std::size_t>(sqlite3_value_bytes(value)));
}

// The one row `query` yields, read by `read`; empty if it yields none.
template <typename Read, typename Row = std::invoke_result_t<Read, Query&>>
absl::StatusOr<std::optional<Row>> FindOne(Query& query, Read read) {
  const absl::StatusOr<bool> found = query.Next();
  if (!found.ok()) return found.status();
  if (!*found) return std::optional<Row>();
  return std::optional<Row>(read(query));
}

// All rows `query` yields, in its order.
template <typename Read, typename Row = std::invoke_result_t<Read, Query&>>
absl::StatusOr<std::vector<Row>> FindAll(Query& query, Read read) {
  std::vector<Row> rows;
  for (;;) {
    const absl::StatusOr<bool> found = query.Next();
    if (!found.ok()) return found.status();
    if (!*found) return rows;
    rows.push_back(read(query));
  }
}

}  // namespace ostiary::storage::sqlite

#endif  // OSTIARY_STORAGE_SQLITE_QUERY_H_

#ifndef OSTIARY_TESTS_BENCH_RAW_SQLITE_H_
#define OSTIARY_TESTS_BENCH_RAW_SQLITE_H_

#include <sqlite3.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "storage/rows.h"

namespace ostiary::bench {

// SQLite's C interface with nothing around it but this: the limit that the
// store is measured against. Anything unexpected ends the program.
class RawSqlite {
 public:
  RawSqlite(const std::string& path, const char* pragmas) {
    Check(sqlite3_open_v2(path.c_str(), &handle_,
                          SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr),
          "open");
    Check(sqlite3_exec(handle_, pragmas, nullptr, nullptr, nullptr), pragmas);
  }
  ~RawSqlite() { sqlite3_close_v2(handle_); }
  RawSqlite(const RawSqlite&) = delete;
  RawSqlite& operator=(const RawSqlite&) = delete;

  sqlite3* handle() const { return handle_; }

  static void Check(int code, const char* what) {
    if (code == SQLITE_OK) return;
    std::fprintf(stderr, "sqlite: %s: %s\n", what, sqlite3_errstr(code));
    std::exit(1);
  }

 private:
  sqlite3* handle_ = nullptr;
};

// A prepared statement. What is bound must live until it is reset.
class RawStatement {
 public:
  RawStatement(RawSqlite& sqlite, const char* sql) : sql_(sql) {
    RawSqlite::Check(
        sqlite3_prepare_v3(sqlite.handle(), sql, -1, SQLITE_PREPARE_PERSISTENT,
                           &statement_, nullptr),
        sql);
  }
  ~RawStatement() { sqlite3_finalize(statement_); }
  RawStatement(const RawStatement&) = delete;
  RawStatement& operator=(const RawStatement&) = delete;

  RawStatement& BindInt(int parameter, std::int64_t value) {
    RawSqlite::Check(sqlite3_bind_int64(statement_, parameter, value), sql_);
    return *this;
  }
  RawStatement& BindKey(int parameter, const storage::Key16& key) {
    RawSqlite::Check(
        sqlite3_bind_blob(statement_, parameter, key.data(),
                          static_cast<int>(key.size()), SQLITE_STATIC),
        sql_);
    return *this;
  }
  RawStatement& BindText(int parameter, const std::string& text) {
    RawSqlite::Check(
        sqlite3_bind_text(statement_, parameter, text.data(),
                          static_cast<int>(text.size()), SQLITE_STATIC),
        sql_);
    return *this;
  }

  // Runs what yields no row.
  void Run() {
    Expect(SQLITE_DONE);
    Reset();
  }
  // Steps to the one row and asks for every column. The sum is a number that
  // no compiler can leave out.
  std::int64_t Find() {
    Expect(SQLITE_ROW);
    std::int64_t sum = 0;
    const int columns = sqlite3_column_count(statement_);
    for (int i = 0; i < columns; ++i) {
      if (sqlite3_column_type(statement_, i) == SQLITE_INTEGER) {
        sum += sqlite3_column_int64(statement_, i);
      } else {
        sum += sqlite3_column_blob(statement_, i) != nullptr;
        sum += sqlite3_column_bytes(statement_, i);
      }
    }
    return sum;
  }
  std::int64_t FindInt(int column) {
    Find();
    return sqlite3_column_int64(statement_, column);
  }
  storage::Key16 KeyAt(int column) {
    storage::Key16 key{};
    std::memcpy(key.data(), sqlite3_column_blob(statement_, column),
                key.size());
    return key;
  }
  void Reset() { sqlite3_reset(statement_); }

 private:
  void Expect(int code) {
    const int got = sqlite3_step(statement_);
    if (got != code) RawSqlite::Check(got == SQLITE_DONE ? 1 : got, sql_);
  }

  const char* const sql_;
  sqlite3_stmt* statement_ = nullptr;
};

}  // namespace ostiary::bench

#endif  // OSTIARY_TESTS_BENCH_RAW_SQLITE_H_

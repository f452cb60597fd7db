#include "tests/storage/faults/dump.h"

#include <sqlite3.h>

#include <cstdlib>
#include <iostream>

namespace ostiary::testing {
namespace {

[[noreturn]] void Die(const std::string& what, sqlite3* file) {
  std::cerr << "cannot dump: " << what << ": " << sqlite3_errmsg(file) << "\n";
  std::abort();
}

std::vector<std::string> Rows(sqlite3* file, const std::string& sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(file, sql.c_str(), -1, &statement, nullptr) !=
      SQLITE_OK) {
    Die(sql, file);
  }
  std::vector<std::string> rows;
  int code = SQLITE_OK;
  while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
    std::string row;
    for (int i = 0; i < sqlite3_column_count(statement); ++i) {
      const void* bytes = sqlite3_column_blob(statement, i);
      const int size = sqlite3_column_bytes(statement, i);
      row.append(static_cast<const char*>(bytes),
                 static_cast<std::size_t>(size));
      row.push_back('|');
    }
    rows.push_back(row);
  }
  if (code != SQLITE_DONE) Die(sql, file);
  sqlite3_finalize(statement);
  return rows;
}

sqlite3* Open(const std::string& path, const char* file_system) {
  sqlite3* file = nullptr;
  if (sqlite3_open_v2(path.c_str(), &file, SQLITE_OPEN_READWRITE,
                      file_system) != SQLITE_OK) {
    Die(path, file);
  }
  // The log is copied by the store alone: its own next step is the test, and
  // what others write into the file it takes for damage.
  sqlite3_db_config(file, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  sqlite3_wal_autocheckpoint(file, 0);
  return file;
}

}  // namespace

Dump DumpOf(const std::string& path) {
  // The faulty one is only the default.
  sqlite3* const file = Open(path, "unix");
  Dump dump;
  for (const std::string& named :
       Rows(file, "SELECT name FROM sqlite_schema WHERE type = 'table'")) {
    const std::string table = named.substr(0, named.size() - 1);
    dump[table] = Rows(file, table == "facts"
                                 ? "SELECT * FROM facts WHERE name <> "
                                   "'store.probe' ORDER BY 1"
                                 : "SELECT * FROM " + table + " ORDER BY 1, 2");
  }
  sqlite3_close(file);
  return dump;
}

void ExpectUndamaged(const std::string& path) {
  sqlite3* const file = Open(path, "unix");
  if (Rows(file, "PRAGMA integrity_check") != std::vector<std::string>{"ok|"})
    Die("it is damaged", file);
  sqlite3_close(file);
}

void MakeCachesCold(const std::string& path) {
  sqlite3* const file = Open(path, nullptr);
  Rows(file, "UPDATE ledger_head SET one = 1");
  sqlite3_close(file);
}

std::map<std::string, std::size_t> Shape(const Dump& dump) {
  std::map<std::string, std::size_t> shape;
  for (const auto& [table, rows] : dump) shape[table] = rows.size();
  return shape;
}

std::string Difference(const Dump& a, const Dump& b) {
  std::string difference;
  for (const auto& [table, rows] : a) {
    const auto other = b.find(table);
    if (other == b.end() || other->second == rows) continue;
    difference += table + " (" + std::to_string(rows.size()) + " rows and " +
                  std::to_string(other->second.size()) + ") ";
  }
  if (a.size() != b.size()) difference += "the tables themselves";
  return difference;
}

}  // namespace ostiary::testing

#include "tests/storage/golden/old_store.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace ostiary::testing {
namespace {

[[noreturn]] void GiveUp(const std::string& why) {
  std::cerr << why << "\n";
  std::abort();
}

// As text that tells NULL, numbers and blobs apart.
std::vector<std::string> QuotedRows(RawFile& file, const std::string& table,
                                    const std::vector<std::string>& columns) {
  std::vector<std::string> quoted;
  for (const std::string& column : columns)
    quoted.push_back(absl::StrCat("quote(", column, ")"));
  auto rows = file.Texts(absl::StrCat(
      "SELECT ", absl::StrJoin(quoted, "||', '||"), " FROM ", table));
  std::sort(rows.begin(), rows.end());
  return rows;
}

}  // namespace

RawFile::RawFile(const std::string& path) {
  sqlite3* handle = nullptr;
  if (sqlite3_open(path.c_str(), &handle) != SQLITE_OK)
    GiveUp(sqlite3_errmsg(handle));
  handle_.reset(handle);
}

void RawFile::Run(const std::string& script) {
  if (sqlite3_exec(handle_.get(), script.c_str(), nullptr, nullptr, nullptr) !=
      SQLITE_OK) {
    GiveUp(sqlite3_errmsg(handle_.get()));
  }
}

std::vector<std::string> RawFile::Texts(const std::string& query) {
  std::vector<std::string> texts;
  const auto take = [](void* out, int, char** values, char**) {
    static_cast<std::vector<std::string>*>(out)->push_back(
        values[0] == nullptr ? "NULL" : values[0]);
    return 0;
  };
  if (sqlite3_exec(handle_.get(), query.c_str(), take, &texts, nullptr) !=
      SQLITE_OK) {
    GiveUp(absl::StrCat(sqlite3_errmsg(handle_.get()), ": ", query));
  }
  return texts;
}

std::vector<std::string> RawFile::Schema() {
  return Texts(
      "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY 1");
}

std::map<std::string, std::vector<std::string>> RawFile::Columns() {
  std::map<std::string, std::vector<std::string>> columns;
  for (const std::string& table :
       Texts("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT "
             "LIKE 'sqlite_stat%'")) {
    columns[table] = Texts(absl::StrCat("SELECT name FROM pragma_table_xinfo('",
                                        table, "') WHERE hidden = 0"));
  }
  return columns;
}

Contents Contents::Of(RawFile& file) {
  Contents contents;
  contents.columns = file.Columns();
  for (const auto& [table, columns] : contents.columns)
    contents.rows[table] = QuotedRows(file, table, columns);
  return contents;
}

std::vector<std::string> Contents::MissingFrom(RawFile& later) const {
  std::vector<std::string> missing;
  auto columns_now = later.Columns();
  for (const auto& [table, before] : rows) {
    const auto& names = columns.at(table);
    const auto& now = columns_now[table];
    const std::set<std::string> there(now.begin(), now.end());
    if (!std::all_of(names.begin(), names.end(),
                     [&](const auto& name) { return there.contains(name); })) {
      missing.push_back(absl::StrCat(table, ": a column or all of it"));
      continue;
    }
    const auto after = QuotedRows(later, table, names);
    std::vector<std::string> differ;
    std::set_symmetric_difference(before.begin(), before.end(), after.begin(),
                                  after.end(), std::back_inserter(differ));
    for (const std::string& row : differ)
      missing.push_back(absl::StrCat(table, ": ", row));
  }
  return missing;
}

void OldStore::WriteTo(const std::string& path) const {
  RawFile(path).Run(sql);
}

std::map<std::string, std::string> OldStore::NotesBelow(
    const std::string& prefix) const {
  std::map<std::string, std::string> found;
  for (const auto& [name, value] : notes)
    if (absl::StartsWith(name, prefix))
      found[name.substr(prefix.size())] = value;
  return found;
}

std::vector<OldStore> ReadOldStores() {
  const char* source = std::getenv("OSTIARY_SOURCE_DIR");
  if (source == nullptr) GiveUp("OSTIARY_SOURCE_DIR is not set");
  const std::filesystem::path folder =
      std::filesystem::path(source) / "tests/storage/golden";
  std::vector<OldStore> stores;
  for (int version = 1;; ++version) {
    std::string name = absl::StrCat(version, ".sql");
    name.insert(0, 8 - name.size(), '0');
    std::ifstream file(folder / name);
    if (!file) return stores;
    OldStore store;
    store.version = version;
    for (std::string line; std::getline(file, line);) {
      absl::StrAppend(&store.sql, line, "\n");
      constexpr char kNote[] = "-- note: ";
      const std::size_t equals = line.find(" = ");
      if (!absl::StartsWith(line, kNote) || equals == std::string::npos)
        continue;
      const std::size_t begin = sizeof kNote - 1;
      store.notes[line.substr(begin, equals - begin)] = line.substr(equals + 3);
    }
    stores.push_back(std::move(store));
  }
}

}  // namespace ostiary::testing

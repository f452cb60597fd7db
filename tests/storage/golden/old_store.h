#ifndef OSTIARY_TESTS_STORAGE_GOLDEN_OLD_STORE_H_
#define OSTIARY_TESTS_STORAGE_GOLDEN_OLD_STORE_H_

#include <sqlite3.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace ostiary::testing {

// A SQLite file looked at from outside, without a line of storage/. Whatever
// fails ends the test program: nothing here is under test.
class RawFile {
 public:
  explicit RawFile(const std::string& path);

  void Run(const std::string& script);
  std::vector<std::string> Texts(const std::string& query);

  // Every object, as SQLite keeps its text; sorted.
  std::vector<std::string> Schema();
  // Table -> its stored columns, in their order.
  std::map<std::string, std::vector<std::string>> Columns();

 private:
  struct Close {
    void operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
  };
  std::unique_ptr<sqlite3, Close> handle_;
};

// All that a file holds: each row as quoted text, of the columns it has.
struct Contents {
  std::map<std::string, std::vector<std::string>> columns;
  std::map<std::string, std::vector<std::string>> rows;  // by table, sorted

  static Contents Of(RawFile& file);
  // Rows of this that `later` does not have in the same columns, or has with
  // others; one line each, empty if everything was kept.
  std::vector<std::string> MissingFrom(RawFile& later) const;
};

// One dump of tests/storage/golden.
struct OldStore {
  int version = 0;
  std::string sql;
  // "live.access.ada" -> a token
  std::map<std::string, std::string> notes;

  void WriteTo(const std::string& path) const;
  // Name without the prefix -> value, of the notes that begin with it.
  std::map<std::string, std::string> NotesBelow(
      const std::string& prefix) const;
};

std::vector<OldStore> ReadOldStores();

}  // namespace ostiary::testing

#endif  // OSTIARY_TESTS_STORAGE_GOLDEN_OLD_STORE_H_

// What finding an account or a session by its key costs through the store,
// beside one prepared statement of SQLite's own that is asked for every column.
// "cold": a read transaction of its own for each look-up, as after every
// commit; "kept": the snapshot of the look-up before serves, as while nothing
// is written.
//
//   store_lookup --folder EMPTY --rows 100000 --rounds 7
//
// Prints one line of JSON: nanoseconds of CPU a look-up, round by round.

#include <time.h>

#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "storage/sqlite/connection.h"
#include "storage/sqlite/readers.h"
#include "storage/sqlite/summing_vfs.h"
#include "storage/store.h"
#include "tests/bench/raw_sqlite.h"
#include "tests/bench/store_rows.h"

namespace ostiary::bench {
namespace {

using storage::Key16;
using storage::sqlite::Connection;
using storage::sqlite::Readers;

constexpr int kLookups = 20000;
// As those of the store's readers.
constexpr char kPragmas[] =
    "PRAGMA query_only = ON; PRAGMA temp_store = MEMORY;"
    "PRAGMA cell_size_check = ON; PRAGMA mmap_size = 268435456;";

double CpuNanos() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 +
         static_cast<double>(now.tv_nsec);
}

// CPU time of one of many look-ups, in an order that no prefetcher knows.
template <typename Lookup>
double Cost(int rows, Lookup lookup) {
  const double began = CpuNanos();
  for (int i = 0; i < kLookups; ++i)
    lookup(static_cast<int>(static_cast<std::uint32_t>(i) * 2654435761U %
                            static_cast<std::uint32_t>(rows)));
  return (CpuNanos() - began) / kLookups;
}

// The reading half of the store. The commit number is ours: raised, it makes
// the readers let go of what they keep, as a commit would.
class Ours {
 public:
  explicit Ours(const std::string& path) {
    auto vfs = storage::sqlite::SummingVfs::Create(
        path, storage::sqlite::FileTrust::kAsWritten);
    Require(vfs.status());
    vfs_ = *std::move(vfs);
    auto connection =
        Connection::Open(path, Connection::Access::kReadWrite, vfs_->name());
    Require(connection.status());
    Require((*connection)->Execute(kPragmas));
    std::vector<std::unique_ptr<Connection>> connections;
    connections.push_back(*std::move(connection));
    readers_ = std::make_unique<Readers>(std::move(connections), commits_);
  }

  void LetGo() { commits_.fetch_add(1); }
  // Within a process a lock that somebody holds is had without a system call:
  // a snapshot of ours would make the raw statements cheaper.
  void LetGoAtOnce() { const Readers::NoSnapshotsKept pause(*readers_); }
  void FindAccount(int number) {
    const Key16 key = AccountKey(number);
    Require(readers_->Read(
        [&](storage::ReadTx& tx) { return Found(tx.accounts().Find(key)); }));
  }
  void FindByUsername(int number) {
    const std::string name = UsernameOf(number);
    Require(readers_->Read([&](storage::ReadTx& tx) {
      return Found(tx.accounts().FindByUsername(name));
    }));
  }
  void FindSession(int number) {
    const Key16 key = SessionKey(number);
    Require(readers_->Read(
        [&](storage::ReadTx& tx) { return Found(tx.sessions().Find(key)); }));
  }

 private:
  template <typename Row>
  static absl::Status Found(const absl::StatusOr<std::optional<Row>>& row) {
    if (!row.ok()) return row.status();
    return row->has_value() ? absl::OkStatus()
                            : absl::NotFoundError("no such row");
  }

  std::unique_ptr<storage::sqlite::SummingVfs> vfs_;  // has the files
  storage::sqlite::CommitNumber commits_{0};
  std::unique_ptr<Readers> readers_;
};

using Series = std::map<std::string, std::vector<double>>;

void MeasureOurs(Ours& ours, int rows, Series& series) {
  const auto both = [&](const std::string& name, auto lookup) {
    series[name + "_cold"].push_back(Cost(rows, [&](int number) {
      ours.LetGo();
      lookup(number);
    }));
    series[name + "_kept"].push_back(Cost(rows, lookup));
  };
  both("account", [&](int number) { ours.FindAccount(number); });
  both("username", [&](int number) { ours.FindByUsername(number); });
  both("session", [&](int number) { ours.FindSession(number); });
}

// In a transaction of the statement's own, which ends with it.
void MeasureRaw(RawSqlite& raw, int rows, Series& series) {
  RawStatement account(raw, "SELECT * FROM accounts WHERE account_id = ?");
  RawStatement username(raw, "SELECT * FROM accounts WHERE username_key = ?");
  RawStatement session(raw, "SELECT * FROM sessions WHERE session_id = ?");
  series["account_raw"].push_back(Cost(rows, [&](int number) {
    const Key16 key = AccountKey(number);
    account.BindKey(1, key).Find();
    account.Reset();
  }));
  series["username_raw"].push_back(Cost(rows, [&](int number) {
    const std::string name = UsernameOf(number);
    username.BindText(1, name).Find();
    username.Reset();
  }));
  series["session_raw"].push_back(Cost(rows, [&](int number) {
    const Key16 key = SessionKey(number);
    session.BindKey(1, key).Find();
    session.Reset();
  }));
}

int Main(int argc, char** argv) {
  std::string folder;
  int rows = 100000;
  int rounds = 7;
  CLI::App app("Measures look-ups by key.");
  app.add_option("--folder", folder)->required();
  app.add_option("--rows", rows)->check(CLI::Range(100, 10000000));
  app.add_option("--rounds", rounds)->check(CLI::Range(1, 100));
  CLI11_PARSE(app, argc, argv);

  const std::string path = folder + "/lookup.db";
  FillStore(path, rows, rows);
  Ours ours(path);
  RawSqlite raw(path, kPragmas);
  Series series;
  // The first round warms the caches of both.
  for (int round = 0; round <= rounds; ++round) {
    if (round == 1) series.clear();
    ours.LetGoAtOnce();
    MeasureRaw(raw, rows, series);
    MeasureOurs(ours, rows, series);
  }
  std::vector<std::string> members;
  for (const auto& [name, values] : series)
    members.push_back(
        absl::StrCat("\"", name, "\": [", absl::StrJoin(values, ", "), "]"));
  std::printf("{%s}\n", absl::StrJoin(members, ", ").c_str());
  return 0;
}

}  // namespace
}  // namespace ostiary::bench

int main(int argc, char** argv) { return ostiary::bench::Main(argc, argv); }

#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "absl/strings/str_cat.h"
#include "storage/open_store.h"
#include "storage/sqlite/migrations.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace ostiary::storage::sqlite {
namespace {

using ::ostiary::testing::HasCode;
using ::ostiary::testing::TempDir;
using ::testing::AllOf;
using ::testing::HasSubstr;

class FileTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<Store>> Open() {
    return OpenStore({.url = "sqlite:" + path()});
  }
  std::string path() const { return dir_.File("store.db"); }

  // Runs SQL on the file from outside.
  void Execute(const std::string& sql) {
    sqlite3* raw = nullptr;
    ASSERT_EQ(sqlite3_open(path().c_str(), &raw), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(raw, sql.c_str(), nullptr, nullptr, nullptr),
              SQLITE_OK)
        << sqlite3_errmsg(raw);
    sqlite3_close(raw);
  }
  std::string Contents() {
    std::ifstream in(path(), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  int ModeOf(const std::string& suffix) {
    struct stat status = {};
    EXPECT_EQ(stat((path() + suffix).c_str(), &status), 0) << suffix;
    return status.st_mode & 07777;
  }
  std::unique_ptr<Connection> Connect() {
    return ostiary::testing::ValueOf(Connection::Open(path()));
  }

  TempDir dir_;
};

TEST_F(FileTest, OnlyTheOwnerMayReadTheFiles) {
  const mode_t before = umask(0);
  auto store = Open();
  umask(before);
  ASSERT_OK(store);
  ASSERT_OK((*store)->Ping());
  EXPECT_EQ(ModeOf(""), 0600);
  EXPECT_EQ(ModeOf("-wal"), 0600);
  EXPECT_EQ(ModeOf("-shm"), 0600);
}

TEST_F(FileTest, ClosingLeavesOneFile) {
  ASSERT_OK(Open());
  EXPECT_NE(access(path().c_str(), F_OK), -1);
  EXPECT_EQ(access((path() + "-wal").c_str(), F_OK), -1);
  EXPECT_EQ(access((path() + "-shm").c_str(), F_OK), -1);
}

TEST_F(FileTest, ANewerSchemaIsRefusedAndLeftAlone) {
  ASSERT_OK(Open());
  Execute("PRAGMA user_version = 4711");
  const std::string before = Contents();
  const auto store = Open();
  EXPECT_THAT(store, HasCode(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(
      std::string(store.status().message()),
      AllOf(HasSubstr(path()), HasSubstr("4711"),
            HasSubstr(absl::StrCat("up to ", EmbeddedMigrations().size()))));
  EXPECT_TRUE(Contents() == before);
}

TEST_F(FileTest, AnotherProgramsDatabaseIsRefusedAndLeftAlone) {
  Execute("CREATE TABLE photos (name TEXT); PRAGMA user_version = 1");
  const std::string before = Contents();
  const auto store = Open();
  EXPECT_THAT(store, HasCode(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(store.status().message()),
              AllOf(HasSubstr(path()), HasSubstr("not a store")));
  EXPECT_TRUE(Contents() == before);
}

TEST_F(FileTest, AFileThatIsNoDatabaseIsRefusedAndLeftAlone) {
  for (const std::size_t size : {2u, 100u, 70000u}) {
    std::ofstream(path(), std::ios::binary) << std::string(size, 'x');
    EXPECT_THAT(Open(), HasCode(absl::StatusCode::kFailedPrecondition));
    EXPECT_TRUE(Contents() == std::string(size, 'x'));
  }
}

TEST_F(FileTest, AnEmptyFileBecomesAStore) {
  std::ofstream(path()).flush();
  auto store = Open();
  ASSERT_OK(store);
  EXPECT_OK((*store)->Ping());
}

TEST_F(FileTest, EmbeddedMigrationsAreNumberedWithoutAGap) {
  ASSERT_FALSE(EmbeddedMigrations().empty());
  for (std::size_t i = 0; i < EmbeddedMigrations().size(); ++i) {
    EXPECT_EQ(EmbeddedMigrations()[i].version, static_cast<int>(i) + 1);
  }
}

TEST_F(FileTest, AnOlderSchemaIsBroughtForwardStepByStep) {
  std::ofstream(path()).flush();
  auto connection = Connect();
  std::vector<Migration> steps = {{1, "CREATE TABLE a (x); "}};
  ASSERT_OK(Migrate(*connection, path(), steps));
  steps.push_back({2, "CREATE TABLE b (x); INSERT INTO b VALUES (1);"});
  steps.push_back({3, "ALTER TABLE b RENAME TO c;"});
  ASSERT_OK(Migrate(*connection, path(), steps));
  EXPECT_OK(connection->Execute("SELECT * FROM a; SELECT * FROM c"));
  ASSERT_OK(Migrate(*connection, path(), steps)) << "nothing left to do";
  steps.resize(2);
  EXPECT_THAT(Migrate(*connection, path(), steps),
              HasCode(absl::StatusCode::kFailedPrecondition));
}

TEST_F(FileTest, AStepThatFailsLeavesTheVersionBeforeIt) {
  std::ofstream(path()).flush();
  auto connection = Connect();
  std::vector<Migration> steps = {
      {1, "CREATE TABLE a (x);"},
      {2, "CREATE TABLE b (x); INSERT INTO nowhere VALUES (1);"}};
  EXPECT_FALSE(Migrate(*connection, path(), steps).ok());
  steps[1].sql = "CREATE TABLE b (x);";
  EXPECT_OK(Migrate(*connection, path(), steps));
}

}  // namespace
}  // namespace ostiary::storage::sqlite

#include "storage/open_store.h"

#include <filesystem>

#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace ostiary::storage {
namespace {

using ::ostiary::testing::HasCode;
using ::ostiary::testing::TempDir;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(OpenStoreTest, AnAddressOfAnotherKindIsRefusedWithoutRepeatingIt) {
  for (const char* url :
       {"", "sqlite:", "store.db", "postgres://ada:hunter2@db/ostiary"}) {
    const auto store = OpenStore({.url = url});
    EXPECT_THAT(store, HasCode(absl::StatusCode::kInvalidArgument)) << url;
    EXPECT_THAT(std::string(store.status().message()),
                AllOf(HasSubstr("sqlite:PATH"), Not(HasSubstr("hunter2"))));
  }
}

TEST(OpenStoreTest, AStoreNeedsAReader) {
  TempDir dir;
  EXPECT_THAT(OpenStore({.url = "sqlite:" + dir.File("s.db"), .readers = 0}),
              HasCode(absl::StatusCode::kInvalidArgument));
}

TEST(OpenStoreTest, AMissingFolderIsNamed) {
  TempDir dir;
  const std::string path = dir.File("missing/s.db");
  const auto store = OpenStore({.url = "sqlite:" + path});
  EXPECT_THAT(store, HasCode(absl::StatusCode::kNotFound));
  EXPECT_THAT(std::string(store.status().message()), HasSubstr(path));
}

TEST(OpenStoreTest, NamesThatMeanSomethingToSqliteAreJustNames) {
  TempDir dir;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(dir.path());
  for (const char* name : {":memory:", "file:x?mode=memory"}) {
    EXPECT_OK(OpenStore({.url = std::string("sqlite:") + name}));
    EXPECT_TRUE(std::filesystem::exists(dir.File(name)));
  }
  std::filesystem::current_path(before);
}

TEST(OpenStoreTest, WorksWithoutAListener) {
  TempDir dir;
  auto store = OpenStore({.url = "sqlite:" + dir.File("s.db"), .readers = 1});
  ASSERT_OK(store);
  EXPECT_OK((*store)->Write(
      [](WriteTx& tx) { return tx.ledger().Append(LedgerRow{}).status(); }));
}

}  // namespace
}  // namespace ostiary::storage

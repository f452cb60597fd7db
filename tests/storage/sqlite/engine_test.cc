#include <sqlite3.h>

#include "gtest/gtest.h"
#include "storage/open_store.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace ostiary::storage {
namespace {

using ::ostiary::testing::TempDir;
using ::ostiary::testing::ValueOf;

// The only test of its process. The lock that all threads would share around
// every allocation was back once, and nothing else told.
TEST(SqliteEngineTest, AStoreLeavesNoCountOfMemory) {
  const TempDir dir;
  const auto store =
      ValueOf(OpenStore({.url = "sqlite:" + dir.File("store.db")}));
  EXPECT_EQ(sqlite3_memory_used(), 0);
}

}  // namespace
}  // namespace ostiary::storage

// What a failed sync leaves behind, and a start that itself meets faults.
#include <sqlite3.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "storage/ledger_check.h"
#include "storage/open_store.h"
#include "tests/storage/faults/dump.h"
#include "tests/storage/faults/faulty_vfs.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace ostiary::testing {
namespace {

using storage::LedgerRow;
using storage::OpenStore;
using storage::ReadTx;
using storage::Store;
using storage::WriteTx;
using ::testing::Contains;
using ::testing::Not;

constexpr int kMostCalls = 100'000;

absl::Status Revoke(Store& store, const std::string& key) {
  return store.Write([&](WriteTx& tx) {
    LedgerRow row;
    row.key = key;
    return tx.ledger().Append(row).status();
  });
}

std::vector<std::string> Revoked(Store& store) {
  const auto rows = ValueOf(storage::ReadValue<std::vector<LedgerRow>>(
      store, [](ReadTx& tx) { return tx.ledger().After(0, 1000); }));
  std::vector<std::string> keys;
  std::uint64_t check = 0;
  for (const LedgerRow& row : rows) {
    check = storage::NextLedgerCheck(check, row);
    EXPECT_EQ(row.check, check);
    keys.push_back(row.key);
  }
  return keys;
}

class Opening : public ::testing::Test {
 protected:
  std::string File(const std::string& name) {
    std::filesystem::create_directory(dir_.File(name));
    return dir_.File(name) + "/store.db";
  }
  static absl::StatusOr<std::unique_ptr<Store>> TryOpen(
      const std::string& file) {
    return OpenStore({.url = "sqlite:" + file, .readers = 2});
  }
  static std::unique_ptr<Store> Open(const std::string& file) {
    return ValueOf(TryOpen(file));
  }
  // A store whose process was killed after a sync had failed: the system shows
  // a commit that it will not write any more.
  std::string KilledAfterAFailedSync() {
    const std::string file = File("first");
    const std::unique_ptr<Store> store = Open(file);
    EXPECT_OK(Revoke(*store, "before"));
    FaultyDisk::Arm(Fault::kSyncError, Times::kOnce, 1);
    EXPECT_THAT(Revoke(*store, "unknown"), HasCode(absl::StatusCode::kUnknown));
    EXPECT_EQ(FaultyDisk::Disarm(), 1);
    FaultyDisk::CopyAsAfterKill(file, File("killed"));
    return File("killed");
  }
  std::string AfterPowerLoss(const std::string& file) {
    FaultyDisk::CopyAsAfterPowerLoss(file, File("dark"));
    return File("dark");
  }

  TempDir dir_;
};

TEST_F(Opening, WhatIsAcknowledgedAfterAFailedSyncSurvivesPowerFailure) {
  const std::string file = File("first");
  const std::unique_ptr<Store> store = Open(file);
  FaultyDisk::Arm(Fault::kSyncError, Times::kOnce, 1);
  EXPECT_THAT(Revoke(*store, "unknown"), HasCode(absl::StatusCode::kUnknown));
  FaultyDisk::Disarm();
  ASSERT_OK(Revoke(*store, "after"));
  EXPECT_THAT(Revoked(*Open(AfterPowerLoss(file))), Contains("after"));
}

TEST_F(Opening,
       WhatIsAcknowledgedAfterAFailedSyncAndAKillSurvivesPowerFailure) {
  const std::string file = KilledAfterAFailedSync();
  const std::unique_ptr<Store> store = Open(file);
  // The log says that it was committed; from now on it is.
  EXPECT_THAT(Revoked(*store), Contains("unknown"));
  ASSERT_OK(Revoke(*store, "after"));
  const auto left = Revoked(*Open(AfterPowerLoss(file)));
  EXPECT_THAT(left, Contains("before"));
  EXPECT_THAT(left, Contains("unknown"));
  EXPECT_THAT(left, Contains("after"));
}

TEST_F(Opening, WhatAStartHasSeenSurvivesPowerFailure) {
  const std::string file = KilledAfterAFailedSync();
  const std::unique_ptr<Store> store = Open(file);
  EXPECT_THAT(Revoked(*store), Contains("unknown"));
  EXPECT_THAT(Revoked(*Open(AfterPowerLoss(file))), Contains("unknown"));
}

// Shown able to fail: SQLite alone, which does not write the log anew, loses
// what it had said was on the disk.
TEST_F(Opening, SqliteByItselfLosesWhatWasAcknowledged) {
  const std::string file = KilledAfterAFailedSync();
  sqlite3* raw = nullptr;
  ASSERT_EQ(sqlite3_open(file.c_str(), &raw), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(raw,
                         "PRAGMA synchronous = FULL;"
                         "INSERT INTO facts VALUES ('after', x'61')",
                         nullptr, nullptr, nullptr),
            SQLITE_OK);
  EXPECT_THAT(DumpOf(file).at("facts"), Contains("after|a|"));
  const Dump left = DumpOf(AfterPowerLoss(file));
  EXPECT_THAT(left.at("facts"), Not(Contains("after|a|")));
  sqlite3_close(raw);
}

// A start on what a kill left, and on nothing at all.
TEST_F(Opening, AStartMayMeetEveryFaultAtEveryCall) {
  const std::string killed = File("killed-store");
  {
    const std::string file = File("running");
    const std::unique_ptr<Store> store = Open(file);
    for (int i = 0; i < 20; ++i) ASSERT_OK(Revoke(*store, absl::StrCat(i)));
    FaultyDisk::CopyAsAfterKill(file, killed);
  }
  std::string tried;
  for (const bool fresh : {false, true}) {
    for (const Fault fault : kEveryFault) {
      for (const Times times : {Times::kOnce, Times::kFromThenOn}) {
        int k = 1;
        // A start allocates thousands of times, mostly for the schema: of those
        // every one at first, then ever fewer.
        const int stride = fault == Fault::kNoMemory ? 8 : kMostCalls;
        for (bool struck = true; struck; k += 1 + k / stride) {
          ASSERT_LT(k, kMostCalls);
          SCOPED_TRACE(absl::StrCat(FaultName(fault), " at call ", k));
          const TempDir dir;
          const std::string file = dir.File("store.db");
          if (!fresh) FaultyDisk::CopyAsAfterKill(killed, file);
          FaultyDisk::Arm(fault, times, k);
          {
            const auto opened = TryOpen(file);
            if (!opened.ok()) {
              EXPECT_THAT(
                  opened.status().code(),
                  ::testing::AnyOf(absl::StatusCode::kUnavailable,
                                   absl::StatusCode::kResourceExhausted))
                  << opened.status();
            }
            // Its end meets the fault, too.
          }
          struck = FaultyDisk::Disarm() >= k;
          EXPECT_EQ(Revoked(*Open(file)).size(), fresh ? 0u : 20u);
          FaultyDisk::Forget(file);
          ASSERT_FALSE(HasFailure());
        }
        absl::StrAppend(&tried, tried.empty() ? "" : ", ", FaultName(fault),
                        " to ", k);
      }
    }
  }
  std::cout << "tried: " << tried << "\n";
}

}  // namespace
}  // namespace ostiary::testing

int main(int argc, char** argv) {
  ostiary::testing::FaultyDisk::Install();
  ::testing::InitGoogleMock(&argc, argv);
  return RUN_ALL_TESTS();
}

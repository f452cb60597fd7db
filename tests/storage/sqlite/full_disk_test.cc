// The disk fills up: files may not grow any further (RLIMIT_FSIZE). Writes are
// refused, reads go on, nothing half-written is ever seen, and when there is
// room again everything works as before.
#include <signal.h>
#include <sys/resource.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "storage/ledger_check.h"
#include "storage/open_store.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace ostiary::storage {
namespace {

using ::ostiary::testing::HasCode;
using ::ostiary::testing::TempDir;
using ::ostiary::testing::ValueOf;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// While it lives, this process cannot make a file larger than `bytes`.
class NoRoomBeyond {
 public:
  explicit NoRoomBeyond(rlim_t bytes) {
    before_handler_ = signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    rlimit lower = before_;
    lower.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &lower);
  }
  ~NoRoomBeyond() {
    setrlimit(RLIMIT_FSIZE, &before_);
    signal(SIGXFSZ, before_handler_);
  }

 private:
  rlimit before_ = {};
  void (*before_handler_)(int) = nullptr;
};

class FullDiskTest : public ::testing::Test {
 protected:
  FullDiskTest() { Reopen(); }

  void Reopen() {
    store_.reset();
    StoreListener listener;
    listener.on_ledger = [this](const LedgerHead&,
                                const std::vector<LedgerRow>& rows) {
      announced_.insert(announced_.end(), rows.begin(), rows.end());
    };
    store_ =
        ValueOf(OpenStore({.url = "sqlite:" + file(), .listener = listener}));
  }
  // A row of `size` bytes about `key`.
  absl::Status Append(const std::string& key, std::size_t size) {
    return store_->Write([&](WriteTx& tx) {
      LedgerRow row;
      row.key = key;
      row.reason = std::string(size, 'r');
      return tx.ledger().Append(row).status();
    });
  }
  std::vector<std::string> Keys() {
    const auto rows = ValueOf(ReadValue<std::vector<LedgerRow>>(
        *store_, [](ReadTx& tx) { return tx.ledger().After(0, 1000); }));
    std::vector<std::string> keys;
    std::uint64_t check = 0;
    for (const LedgerRow& row : rows) {
      check = NextLedgerCheck(check, row);
      EXPECT_EQ(row.check, check);
      keys.push_back(row.key);
    }
    EXPECT_EQ(announced_, rows);
    return keys;
  }
  std::string file() const { return dir_.File("store.db"); }
  rlim_t LogSize() const {
    return static_cast<rlim_t>(std::filesystem::file_size(file() + "-wal"));
  }

  TempDir dir_;
  std::vector<LedgerRow> announced_;
  std::unique_ptr<Store> store_;
};

TEST_F(FullDiskTest, WritesAreRefusedAndReadsGoOn) {
  ASSERT_OK(Append("before", 10));
  ASSERT_OK(store_->Ping());
  {
    const NoRoomBeyond limit(LogSize() + 1000);
    for (int i = 0; i < 5; ++i) {
      EXPECT_THAT(Append("during", 50'000),
                  HasCode(absl::StatusCode::kResourceExhausted));
      EXPECT_THAT(store_->Ping(),
                  HasCode(absl::StatusCode::kResourceExhausted));
      EXPECT_TRUE(store_->disk_room().full);
      EXPECT_THAT(Keys(), ElementsAre("before"));
    }
  }
  EXPECT_OK(store_->Ping());
  EXPECT_FALSE(store_->disk_room().full);
  EXPECT_OK(Append("after", 50'000));
  EXPECT_THAT(Keys(), ElementsAre("before", "after"));
  Reopen();
  EXPECT_THAT(Keys(), ElementsAre("before", "after"));
}

TEST_F(FullDiskTest, PingNoticesAlthoughNothingElseIsWritten) {
  for (int i = 0; i < 3; ++i) ASSERT_OK(store_->Ping());
  const NoRoomBeyond limit(LogSize());
  EXPECT_THAT(store_->Ping(), HasCode(absl::StatusCode::kResourceExhausted));
}

TEST_F(FullDiskTest, TheDiskMayFillUpAtAnyByteOfACommit) {
  ASSERT_OK(Append("before", 10));
  std::vector<std::string> expected = {"before"};
  for (rlim_t room = 0; room < 40'000; room += 1999) {
    const std::string key = absl::StrCat("room-", room);
    absl::Status appended;
    {
      const NoRoomBeyond limit(LogSize() + room);
      appended = Append(key, 8'000);
    }
    if (appended.ok()) expected.push_back(key);
    if (!appended.ok()) {
      EXPECT_THAT(appended, HasCode(absl::StatusCode::kResourceExhausted));
    }
    ASSERT_EQ(Keys(), expected);
  }
  EXPECT_GT(expected.size(), 1u) << "there never was room enough";
  EXPECT_LT(expected.size(), 20u) << "there always was room enough";
  Reopen();
  EXPECT_EQ(Keys(), expected);
}

TEST_F(FullDiskTest, AStoreThatFindsNoRoomDoesNotOpenHalfway) {
  store_.reset();
  std::filesystem::remove(file());
  {
    const NoRoomBeyond limit(8192);
    EXPECT_FALSE(OpenStore({.url = "sqlite:" + file()}).ok());
  }
  Reopen();
  EXPECT_THAT(Keys(), IsEmpty());
}

}  // namespace
}  // namespace ostiary::storage

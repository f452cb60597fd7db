// The disk fills up: files may not grow any further (RLIMIT_FSIZE). Writes are
// refused but for those that end access, reads go on, nothing half-written is
// ever seen, and when there is room again everything works as before.
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "storage/ledger_check.h"
#include "storage/open_store.h"
#include "storage/sqlite/reserve.h"
#include "tests/support/no_room.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace ostiary::storage {
namespace {

using ::ostiary::testing::HasCode;
using ::ostiary::testing::NoRoomBeyond;
using ::ostiary::testing::TempDir;
using ::ostiary::testing::ValueOf;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

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
  // A revocation of `key`, of `size` bytes.
  absl::Status Revoke(const std::string& key, std::size_t size) {
    return store_->Write([&](WriteTx& tx) {
      LedgerRow row;
      row.key = key;
      row.reason = std::string(size, 'r');
      return tx.ledger().Append(row).status();
    });
  }
  // Something that ends no access.
  absl::Status Remember(const std::string& name, std::size_t size) {
    return store_->Write([&](WriteTx& tx) {
      return tx.facts().Put(name, std::string(size, 'f'));
    });
  }
  bool Remembers(const std::string& name) {
    using Found = std::optional<std::string>;
    return ValueOf(
               ReadValue<Found>(
                   *store_, [&](ReadTx& tx) { return tx.facts().Find(name); }))
        .has_value();
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

TEST_F(FullDiskTest, OrdinaryWritesAreRefusedAndReadsGoOn) {
  ASSERT_OK(Revoke("before", 10));
  ASSERT_OK(store_->Ping());
  EXPECT_FALSE(store_->disk_room().full);
  {
    const NoRoomBeyond limit(LogSize() + 1000);
    for (int i = 0; i < 5; ++i) {
      EXPECT_THAT(Remember("during", 50'000),
                  HasCode(absl::StatusCode::kResourceExhausted));
      EXPECT_THAT(store_->Ping(),
                  HasCode(absl::StatusCode::kResourceExhausted));
      EXPECT_TRUE(store_->disk_room().full);
      EXPECT_FALSE(Remembers("during"));
      EXPECT_THAT(Keys(), ElementsAre("before"));
    }
  }
  EXPECT_OK(store_->Ping());
  EXPECT_FALSE(store_->disk_room().full);
  EXPECT_OK(Remember("after", 50'000));
  EXPECT_OK(Revoke("after", 50'000));
  Reopen();
  EXPECT_THAT(Keys(), ElementsAre("before", "after"));
  EXPECT_TRUE(Remembers("after"));
}

TEST_F(FullDiskTest, PingNoticesAlthoughNothingElseIsWritten) {
  for (int i = 0; i < 3; ++i) ASSERT_OK(store_->Ping());
  const NoRoomBeyond limit(LogSize());
  EXPECT_THAT(store_->Ping(), HasCode(absl::StatusCode::kResourceExhausted));
}

TEST_F(FullDiskTest, TheDiskMayFillUpAtAnyByteOfACommit) {
  std::vector<std::string> kept;
  std::vector<std::string> refused;
  for (rlim_t room = 0; room < 40'000; room += 1999) {
    const std::string name = absl::StrCat("room-", room);
    absl::Status written;
    {
      const NoRoomBeyond limit(LogSize() + room);
      written = Remember(name, 8'000);
    }
    if (!written.ok()) {
      EXPECT_THAT(written, HasCode(absl::StatusCode::kResourceExhausted));
    }
    (written.ok() ? kept : refused).push_back(name);
  }
  EXPECT_THAT(kept, Not(IsEmpty())) << "there never was room enough";
  EXPECT_THAT(refused, Not(IsEmpty())) << "there always was room enough";
  for (const int reopened : {0, 1}) {
    if (reopened == 1) Reopen();
    for (const std::string& name : kept) EXPECT_TRUE(Remembers(name)) << name;
    for (const std::string& name : refused)
      EXPECT_FALSE(Remembers(name)) << name;
  }
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

// A file system of its own, which only root can make, and a file that fills it.
class SmallDiskTest : public FullDiskTest {
 protected:
  static constexpr int kRevocations = 2000;

  void SetUp() override {
    store_.reset();
    if (mount("ostiary", dir_.path().c_str(), "tmpfs", 0, "size=48m") != 0) {
      GTEST_SKIP() << "A SMALL DISK CANNOT BE MOUNTED here: the reserve is not "
                      "proved on this machine";
    }
    mounted_ = true;
    // What somebody can throw out once the disk is full.
    std::ofstream(dir_.File("ballast")) << std::string(12 << 20, 'b');
    Reopen();
  }
  void TearDown() override {
    store_.reset();
    if (mounted_) umount2(dir_.path().c_str(), MNT_DETACH);
  }
  std::string filler() const { return dir_.File("filler"); }
  // Takes what is free, and again what is freed.
  void Fill() {
    const int file =
        open(filler().c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    ASSERT_GE(file, 0);
    const std::string block(4096, 'x');
    while (write(file, block.data(), block.size()) > 0) {
    }
    close(file);
  }
  void FillByLoad() {
    for (int i = 0; i < 100'000; ++i) {
      const absl::Status written = Remember(absl::StrCat("load-", i), 3000);
      if (written.ok()) continue;
      EXPECT_THAT(written, HasCode(absl::StatusCode::kResourceExhausted));
      return;
    }
    FAIL() << "the disk never was full";
  }

  bool mounted_ = false;
};

TEST_F(SmallDiskTest, TheReserveIsRealAndWhole) {
  EXPECT_EQ(store_->disk_room().reserve_bytes, sqlite::Reserve::kBytes);
  struct stat reserve = {};
  ASSERT_EQ(stat((file() + "-reserve").c_str(), &reserve), 0);
  EXPECT_GE(reserve.st_blocks * 512, sqlite::Reserve::kBytes);
  EXPECT_EQ(reserve.st_mode & 0777, 0600u);
}

TEST_F(SmallDiskTest, WhatEndsAccessIsWrittenWhileTheDiskStaysFull) {
  FillByLoad();
  std::vector<std::string> revoked;
  for (int i = 0; i < kRevocations; ++i) {
    const std::string key = absl::StrCat("revoked-", i);
    ASSERT_OK(Revoke(key, 100)) << i;
    revoked.push_back(key);
    if (i % 100 != 0) continue;
    // Who else fills the disk does not find more than a piece.
    Fill();
    EXPECT_THAT(Remember("more", 3000),
                HasCode(absl::StatusCode::kResourceExhausted));
  }
  RecordProperty("reserve_left",
                 std::to_string(store_->disk_room().reserve_bytes));
  Fill();
  Reopen();
  EXPECT_TRUE(store_->disk_room().full);
  const auto rows = ValueOf(ReadValue<std::vector<LedgerRow>>(
      *store_, [](ReadTx& tx) { return tx.ledger().After(0, 1'000'000); }));
  ASSERT_EQ(rows.size(), revoked.size());
  for (std::size_t i = 0; i < rows.size(); ++i)
    ASSERT_EQ(rows[i].key, revoked[i]);
  EXPECT_OK(Revoke("after the restart", 100));
  std::filesystem::remove(filler());
  std::filesystem::remove(dir_.File("ballast"));
  EXPECT_OK(Remember("more", 3000));
  EXPECT_FALSE(store_->disk_room().full);
  EXPECT_EQ(store_->disk_room().reserve_bytes, sqlite::Reserve::kBytes);
}

// Shown able to fail: without a reserve the same revocations are not written.
TEST_F(SmallDiskTest, WithoutAReserveNothingIsWritten) {
  FillByLoad();
  ASSERT_EQ(truncate((file() + "-reserve").c_str(), 0), 0);
  Fill();
  int refused = 0;
  for (int i = 0; i < kRevocations && refused == 0; ++i) {
    if (!Revoke(absl::StrCat("revoked-", i), 3000).ok()) ++refused;
    Fill();
  }
  EXPECT_GT(refused, 0);
}

}  // namespace
}  // namespace ostiary::storage

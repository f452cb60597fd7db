// Copies made while the store goes on, and what can come between.
#include <signal.h>
#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "absl/strings/str_cat.h"
#include "storage/ledger_check.h"
#include "storage/open_store.h"
#include "storage/sqlite/file_header.h"
#include "tests/support/no_room.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace ostiary::storage {
namespace {

using ::ostiary::testing::HasCode;
using ::ostiary::testing::NoRoomBeyond;
using ::ostiary::testing::TempDir;
using ::ostiary::testing::ValueOf;
using ::testing::HasSubstr;
using ::testing::SizeIs;

namespace fs = std::filesystem;

class BackupTest : public ::testing::Test {
 protected:
  BackupTest() : store_(ValueOf(OpenStore({.url = url()}))) {}

  absl::Status Append(int count) {
    return store_->Write([&](WriteTx& tx) {
      for (int i = 0; i < count; ++i) {
        LedgerRow row;
        row.key = absl::StrCat("token-", i);
        row.reason = std::string(200, 'r');
        if (auto s = tx.ledger().Append(row).status(); !s.ok()) return s;
      }
      return absl::OkStatus();
    });
  }
  static LedgerHead HeadOf(Store& store) {
    return ValueOf(ReadValue<LedgerHead>(
        store, [](ReadTx& tx) { return tx.ledger().Head(); }));
  }
  BackupOrder To(const std::string& name) {
    BackupOrder order;
    order.path = dir_.File(name);
    return order;
  }
  std::unique_ptr<Store> PutBack(const std::string& name) {
    const std::string fresh = absl::StrCat("sqlite:", dir_.File("fresh.db"));
    EXPECT_OK(RemoveStore(fresh));
    ValueOf(ImportStore(dir_.File(name), fresh));
    return ValueOf(OpenStore({.url = fresh}));
  }
  std::set<std::string> Files() {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(dir_.path()))
      names.insert(entry.path().filename().string());
    return names;
  }
  std::string file() const { return dir_.File("store.db"); }
  std::string url() const { return "sqlite:" + file(); }

  TempDir dir_;
  std::unique_ptr<Store> store_;
};

TEST_F(BackupTest, HoldsWhatWasCommittedAndSaysWhereItStands) {
  ASSERT_OK(Append(1000));
  const auto before = Files();
  const Backup backup = ValueOf(store_->BackUp(To("copy")));
  EXPECT_EQ(backup.head, HeadOf(*store_));
  EXPECT_EQ(backup.path, dir_.File("copy"));
  EXPECT_EQ(backup.size_bytes,
            static_cast<std::int64_t>(fs::file_size(backup.path)));
  EXPECT_THAT(backup.sha256, SizeIs(64));
  EXPECT_GE(backup.schema_version, 3);
  auto expected = before;
  expected.insert("copy");
  EXPECT_EQ(Files(), expected) << "nothing beside the copy";
  struct stat entry {};
  ASSERT_EQ(stat(backup.path.c_str(), &entry), 0);
  EXPECT_EQ(entry.st_mode & 07777, 0600u);

  const ImportedFile imported = ValueOf(
      ImportStore(backup.path, absl::StrCat("sqlite:", dir_.File("x.db"))));
  EXPECT_EQ(imported.sha256, backup.sha256);
  EXPECT_EQ(imported.size_bytes, backup.size_bytes);
  EXPECT_EQ(HeadOf(*PutBack("copy")), backup.head);
}

TEST_F(BackupTest, IsOneMomentOfAStoreThatGoesOn) {
  ASSERT_OK(Append(20'000));
  std::atomic<bool> done{false};
  std::atomic<int> written{0};
  std::thread writer([&] {
    while (!done) {
      ASSERT_OK(Append(50));
      ++written;
    }
  });
  while (written < 3) std::this_thread::yield();
  std::int64_t at_first_step = 0;
  BackupOrder order = To("copy");
  // Each step waits for commits: the copy cannot but be made amid them.
  order.on_progress = [&](std::int64_t copied, std::int64_t total) {
    if (at_first_step == 0) at_first_step = HeadOf(*store_).sequence;
    EXPECT_LE(copied, total);
    const int seen = written;
    while (written < seen + 2) std::this_thread::yield();
  };
  const auto backup = store_->BackUp(order);
  done = true;
  writer.join();
  ASSERT_OK(backup.status());
  EXPECT_LE(backup->head.sequence, at_first_step);
  EXPECT_GT(HeadOf(*store_).sequence, backup->head.sequence);
  auto copy = PutBack("copy");
  EXPECT_EQ(HeadOf(*copy), backup->head);
  const auto rows = ValueOf(ReadValue<std::vector<LedgerRow>>(
      *copy, [](ReadTx& tx) { return tx.ledger().After(0, 1'000'000); }));
  EXPECT_EQ(rows.back().sequence, backup->head.sequence);
}

TEST_F(BackupTest, TheLogIsCutAgainOnceTheCopyIsMade) {
  ASSERT_OK(Append(5000));
  BackupOrder order = To("copy");
  int steps = 0;
  order.on_progress = [&](std::int64_t, std::int64_t) {
    if (++steps > 1) return;
    for (int i = 0; i < 40; ++i) ASSERT_OK(Append(500));
  };
  ASSERT_OK(store_->BackUp(order).status());
  const auto grown = fs::file_size(file() + "-wal");
  for (int i = 0; i < 10; ++i) ASSERT_OK(Append(500));
  EXPECT_LE(fs::file_size(file() + "-wal"),
            std::max<std::uintmax_t>(grown, 20u << 20));
}

TEST_F(BackupTest, NothingIsWrittenOver) {
  std::ofstream(dir_.File("copy")) << "precious";
  EXPECT_THAT(store_->BackUp(To("copy")).status(),
              HasCode(absl::StatusCode::kAlreadyExists));
  EXPECT_EQ(fs::file_size(dir_.File("copy")), 8u);
  fs::create_symlink(dir_.File("nowhere"), dir_.File("link"));
  EXPECT_THAT(store_->BackUp(To("link")).status(),
              HasCode(absl::StatusCode::kAlreadyExists));
  EXPECT_FALSE(fs::exists(dir_.File("nowhere")));
  fs::create_symlink(dir_.File("nowhere"), dir_.File("other.part"));
  EXPECT_THAT(store_->BackUp(To("other")).status(),
              HasCode(absl::StatusCode::kAlreadyExists));
  EXPECT_FALSE(fs::exists(dir_.File("nowhere")));
}

TEST_F(BackupTest, ANameThatIsTakenMeanwhileIsNotWrittenOver) {
  BackupOrder order = To("copy");
  order.on_progress = [&](std::int64_t, std::int64_t) {
    std::ofstream(dir_.File("copy")) << "precious";
  };
  EXPECT_THAT(store_->BackUp(order).status(),
              HasCode(absl::StatusCode::kAlreadyExists));
  EXPECT_EQ(fs::file_size(dir_.File("copy")), 8u);
  EXPECT_FALSE(fs::exists(dir_.File("copy.part")));
}

TEST_F(BackupTest, AFolderThatOthersMayWriteIsRefused) {
  const std::string shared = dir_.File("shared");
  fs::create_directory(shared);
  ASSERT_EQ(chmod(shared.c_str(), 0777), 0);
  EXPECT_THAT(store_->BackUp(To("shared/copy")).status(),
              HasCode(absl::StatusCode::kPermissionDenied));
  ASSERT_EQ(chmod(shared.c_str(), 01777), 0);  // as /tmp
  EXPECT_OK(store_->BackUp(To("shared/copy")).status());
  EXPECT_THAT(store_->BackUp(To("none/copy")).status(),
              HasCode(absl::StatusCode::kNotFound));
}

TEST_F(BackupTest, StoppedItLeavesNothingAndTheNextOneWorks) {
  ASSERT_OK(Append(20'000));
  const auto before = Files();
  for (int stop_at = 0; stop_at < 40; stop_at += 3) {
    int asked = 0;
    BackupOrder order = To("copy");
    order.stop = [&] { return asked++ >= stop_at; };
    const auto backup = store_->BackUp(order);
    if (backup.ok()) {
      EXPECT_GT(stop_at, 3);
      break;
    }
    EXPECT_THAT(backup.status(), HasCode(absl::StatusCode::kCancelled));
    EXPECT_EQ(Files(), before);
  }
  EXPECT_OK(store_->BackUp(To("another")).status());
}

TEST_F(BackupTest, ADiskThatFillsUpLeavesNothing) {
  ASSERT_OK(Append(20'000));
  const auto before = Files();
  const auto size = ValueOf(store_->BackUp(To("copy"))).size_bytes;
  fs::remove(dir_.File("copy"));
  for (rlim_t room = 0; room < static_cast<rlim_t>(size); room += 700'001) {
    const NoRoomBeyond limit(room);
    EXPECT_THAT(store_->BackUp(To("copy")).status(),
                HasCode(absl::StatusCode::kResourceExhausted))
        << room;
    EXPECT_EQ(Files(), before);
  }
  EXPECT_OK(Append(1));
  EXPECT_OK(store_->BackUp(To("copy")).status());
}

TEST_F(BackupTest, ADamagedStoreMakesNoBackup) {
  ASSERT_OK(Append(20'000));
  store_.reset();
  {
    std::fstream raw(file(), std::ios::in | std::ios::out | std::ios::binary);
    for (int page = 40; page < 60; ++page) {
      raw.seekp(page * 4096 + 8);
      raw << std::string(400, '\xff');
    }
  }
  store_ = ValueOf(OpenStore({.url = url()}));
  const auto before = Files();
  EXPECT_THAT(store_->BackUp(To("copy")).status(),
              HasCode(absl::StatusCode::kDataLoss));
  EXPECT_EQ(Files(), before);
}

TEST_F(BackupTest, NoStoreOpensOnACopyThatWasOnlyPutIntoPlace) {
  ASSERT_OK(Append(10));
  ASSERT_OK(store_->BackUp(To("copy")).status());
  EXPECT_EQ(ValueOf(KindOfStoreFile("sqlite:" + dir_.File("copy"))),
            StoreFileKind::kBackup);
  EXPECT_EQ(ValueOf(KindOfStoreFile(url())), StoreFileKind::kStore);
  const absl::Status refused =
      OpenStore({.url = "sqlite:" + dir_.File("copy")}).status();
  EXPECT_THAT(refused, HasCode(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(refused.message()), HasSubstr("ostiaryd restore"));
}

TEST_F(BackupTest, ALeftoverLogIsNotLaidOverTheCopy) {
  ASSERT_OK(Append(10));
  ASSERT_OK(store_->BackUp(To("copy")).status());
  const LedgerHead then = HeadOf(*store_);
  ASSERT_OK(Append(3000));
  // As after kill -9: the log is there, then the database is overwritten.
  fs::copy_file(file() + "-wal", dir_.File("log"));
  store_.reset();
  fs::copy_file(dir_.File("copy"), file(),
                fs::copy_options::overwrite_existing);
  fs::rename(dir_.File("log"), file() + "-wal");
  EXPECT_EQ(ValueOf(KindOfStoreFile(url())), StoreFileKind::kBackup);
  ASSERT_OK(AdoptBackup(url(), dir_.File("aside")));
  EXPECT_TRUE(fs::exists(dir_.File("aside-wal")));
  EXPECT_OK(CheckStoreFile(url()));
  store_ = ValueOf(OpenStore({.url = url()}));
  EXPECT_EQ(HeadOf(*store_), then);
}

TEST_F(BackupTest, AnExchangeKeepsTheOneThatWasThereWithItsLog) {
  ASSERT_OK(Append(10));
  ASSERT_OK(store_->BackUp(To("copy")).status());
  ASSERT_OK(Append(5));
  const LedgerHead newer = HeadOf(*store_);
  fs::copy_file(file(), dir_.File("main"));
  fs::copy_file(file() + "-wal", dir_.File("log"));
  store_.reset();
  fs::rename(dir_.File("main"), file());
  fs::rename(dir_.File("log"), file() + "-wal");
  const std::string fresh = "sqlite:" + dir_.File("fresh.db");
  ASSERT_OK(ImportStore(dir_.File("copy"), fresh).status());
  ASSERT_OK(ExchangeStore(fresh, url(), dir_.File("aside")));
  store_ = ValueOf(OpenStore({.url = url()}));
  EXPECT_EQ(HeadOf(*store_).sequence, 10);
  auto aside = ValueOf(OpenStoreForReading("sqlite:" + dir_.File("aside")));
  EXPECT_EQ(HeadOf(*aside), newer);
  EXPECT_THAT(aside->Ping(), HasCode(absl::StatusCode::kUnavailable));
}

TEST_F(BackupTest, WhatIsNoneOfOursOrDamagedIsNotPutBack) {
  ASSERT_OK(Append(5000));
  const std::string fresh = "sqlite:" + dir_.File("fresh.db");
  const auto import = [&](const std::string& name) {
    return ImportStore(dir_.File(name), fresh).status();
  };
  EXPECT_THAT(import("missing"), HasCode(absl::StatusCode::kNotFound));
  std::ofstream(dir_.File("text")) << std::string(5000, 'x');
  EXPECT_THAT(import("text"), HasCode(absl::StatusCode::kFailedPrecondition));
  ASSERT_OK(store_->BackUp(To("copy")).status());
  const auto whole = fs::file_size(dir_.File("copy"));
  fs::copy_file(dir_.File("copy"), dir_.File("short"));
  fs::resize_file(dir_.File("short"), whole / 2);
  EXPECT_THAT(import("short"), HasCode(absl::StatusCode::kDataLoss));
  fs::copy_file(dir_.File("copy"), dir_.File("newer"));
  std::fstream(dir_.File("newer"),
               std::ios::in | std::ios::out | std::ios::binary)
      .seekp(63)
      .put(99);
  const absl::Status newer = import("newer");
  EXPECT_THAT(newer, HasCode(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(newer.message()), HasSubstr("version 99"));
  EXPECT_FALSE(fs::exists(dir_.File("fresh.db")));
  EXPECT_FALSE(fs::exists(dir_.File("fresh.db.part")));
  EXPECT_OK(import("copy"));
}

// One byte of a row is changed, as no page and no index shows.
TEST_F(BackupTest, AChangedRowOfTheLedgerIsNoticed) {
  ASSERT_OK(Append(100));
  ASSERT_OK(store_->BackUp(To("copy")).status());
  std::string bytes(fs::file_size(dir_.File("copy")), '\0');
  std::ifstream(dir_.File("copy"), std::ios::binary)
      .read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  const std::size_t at = bytes.find(std::string(200, 'r'));
  ASSERT_NE(at, std::string::npos);
  bytes[at + 100] = 's';
  std::ofstream(dir_.File("copy"), std::ios::binary) << bytes;
  EXPECT_THAT(ImportStore(dir_.File("copy"), "sqlite:" + dir_.File("fresh.db"))
                  .status(),
              HasCode(absl::StatusCode::kDataLoss));
}

}  // namespace
}  // namespace ostiary::storage

// The write-ahead log must stay short whatever readers do, and a snapshot must
// not be kept for nobody.
#include <sqlite3.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <thread>

#include "absl/strings/str_cat.h"
#include "storage/open_store.h"
#include "storage/sqlite/checkpointer.h"
#include "storage/sqlite/readers.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace ostiary::storage::sqlite {
namespace {

using ::ostiary::testing::TempDir;
using ::ostiary::testing::ValueOf;

constexpr std::uintmax_t kPageSize = 4096;
constexpr int kPagesPerCommit = 100;

class LogTest : public ::testing::Test {
 protected:
  // Writes at least `pages` pages, kPagesPerCommit at a time. Every byte
  // changes: SQLite leaves a page alone that would stay as it is.
  void WritePages(int pages) {
    for (int i = 0; i < pages; i += kPagesPerCommit) {
      ++round_;
      ASSERT_OK(
          store_->Write([&](WriteTx& tx) { return PutFacts(tx, round_); }));
      const std::uintmax_t size =
          std::filesystem::file_size(dir_.File("store.db-wal"));
      longest_ = std::max(longest_, size);
    }
  }
  static absl::Status PutFacts(WriteTx& tx, int round) {
    const std::string value(3000, static_cast<char>('a' + round % 26));
    for (int i = 0; i < kPagesPerCommit; ++i) {
      const absl::Status put = tx.facts().Put(absl::StrCat("fact-", i), value);
      if (!put.ok()) return put;
    }
    return absl::OkStatus();
  }
  absl::Status ReadHead() {
    return store_->Read([](ReadTx& tx) { return tx.ledger().Head().status(); });
  }
  // True if no reader is in the log.
  bool LogCanStartAnew() {
    sqlite3* raw = nullptr;
    EXPECT_EQ(sqlite3_open(dir_.File("store.db").c_str(), &raw), SQLITE_OK);
    // A connection that has read nothing yet does not know there is a log.
    EXPECT_EQ(sqlite3_exec(raw, "SELECT count(*) FROM sqlite_schema", nullptr,
                           nullptr, nullptr),
              SQLITE_OK);
    const int code = sqlite3_wal_checkpoint_v2(
        raw, nullptr, SQLITE_CHECKPOINT_RESTART, nullptr, nullptr);
    sqlite3_close(raw);
    return code == SQLITE_OK;
  }

  TempDir dir_;
  std::unique_ptr<Store> store_ =
      ValueOf(OpenStore({.url = "sqlite:" + dir_.File("store.db")}));
  std::uintmax_t longest_ = 0;
  int round_ = 0;
};

TEST_F(LogTest, AnIdleReaderDoesNotLetTheLogGrow) {
  ASSERT_OK(ReadHead());
  WritePages(6 * Checkpointer::kPages);
  EXPECT_LT(longest_, 2 * Checkpointer::kPages * kPageSize);
}

TEST_F(LogTest, SnapshotsKeptJustNowDoNotLetTheLogGrow) {
  for (int i = 0; i < 6 * Checkpointer::kPages; i += kPagesPerCommit) {
    ASSERT_OK(ReadHead());
    WritePages(kPagesPerCommit);
  }
  EXPECT_LT(longest_, 2 * Checkpointer::kPages * kPageSize);
}

TEST_F(LogTest, RecentSnapshotsDoNotLetTheLogGrow) {
  for (int i = 0; i < 6 * Checkpointer::kPages; i += kPagesPerCommit) {
    ASSERT_OK(store_->ReadRecent(
        [](ReadTx& tx) { return tx.ledger().Head().status(); }));
    WritePages(kPagesPerCommit);
  }
  EXPECT_LT(longest_, 2 * Checkpointer::kPages * kPageSize);
}

// On a loaded machine a Read may be put aside for longer than the writer is
// patient, so the bound has room for a few missed turns.
TEST_F(LogTest, BusyReadersDoNotLetTheLogGrow) {
  std::atomic<bool> done{false};
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      while (!done) EXPECT_OK(ReadHead());
    });
  }
  WritePages(16 * Checkpointer::kPages);
  done = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_LT(longest_, 10 * Checkpointer::kPages * kPageSize);
}

TEST_F(LogTest, ASnapshotIsKeptAndThenForgotten) {
  WritePages(1);
  ASSERT_OK(ReadHead());
  EXPECT_FALSE(LogCanStartAnew()) << "no snapshot was kept";
  const auto deadline =
      std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!LogCanStartAnew()) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline);
    std::this_thread::sleep_for(Readers::kKeepSnapshot / 10);
  }
}

TEST_F(LogTest, ASnapshotKeptBeforeAnAcknowledgedWriteIsNotReadAgain) {
  for (int i = 1; i <= 50; ++i) {
    ASSERT_OK(ReadHead());
    ASSERT_OK(store_->Write(
        [](WriteTx& tx) { return tx.ledger().Append(LedgerRow{}).status(); }));
    const LedgerHead head = ValueOf(ReadValue<LedgerHead>(
        *store_, [](ReadTx& tx) { return tx.ledger().Head(); }));
    ASSERT_EQ(head.sequence, i);
  }
}

TEST_F(LogTest, WritingFromWithinAWriteIsRefusedInsteadOfHanging) {
  ASSERT_OK(store_->Write([&](WriteTx&) {
    EXPECT_THAT(store_->Ping(), ostiary::testing::HasCode(
                                    absl::StatusCode::kFailedPrecondition));
    return absl::OkStatus();
  }));
}

}  // namespace
}  // namespace ostiary::storage::sqlite

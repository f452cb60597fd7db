// The process is killed in the middle of writing. Whatever was acknowledged
// must be there afterwards, and the ledger must be whole.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <thread>

#include "absl/strings/str_cat.h"
#include "storage/ledger_check.h"
#include "storage/open_store.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace ostiary::storage {
namespace {

using ::ostiary::testing::TempDir;
using ::ostiary::testing::ValueOf;

constexpr int kWriters = 4;

LedgerRow RowOf(int writer, int number) {
  LedgerRow row;
  row.key = absl::StrCat(writer, "/", number);
  return row;
}

// Writes for ever: a fact with its number and a ledger row in one transaction,
// and tells the parent each acknowledged (writer, number).
[[noreturn]] void WriteUntilKilled(const std::string& url, int acknowledge) {
  auto store = OpenStore({.url = url});
  if (!store.ok()) _exit(1);
  std::vector<std::thread> threads;
  for (int writer = 0; writer < kWriters; ++writer) {
    threads.emplace_back([&store, writer, acknowledge] {
      for (int number = 1;; ++number) {
        const absl::Status written = (*store)->Write([&](WriteTx& tx) {
          const auto row = tx.ledger().Append(RowOf(writer, number));
          if (!row.ok()) return row.status();
          return tx.facts().Put(absl::StrCat(writer), absl::StrCat(number));
        });
        if (!written.ok()) _exit(2);
        const int message[2] = {writer, number};
        if (write(acknowledge, message, sizeof(message)) < 0) _exit(3);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  _exit(0);
}

// Runs a child until it has acknowledged `count` writes, kills it and returns
// the last acknowledged number of each writer.
std::vector<int> KillAfter(const std::string& url, int count) {
  int ends[2];
  if (pipe(ends) != 0) std::abort();
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    WriteUntilKilled(url, ends[1]);
  }
  close(ends[1]);
  std::vector<int> acknowledged(kWriters, 0);
  int message[2];
  for (int i = 0; read(ends[0], message, sizeof(message)) > 0; ++i) {
    acknowledged[message[0]] = message[1];
    if (i == count) kill(child, SIGKILL);
  }
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
  return acknowledged;
}

class CrashTest : public ::testing::Test {
 protected:
  // Opens the store and checks what must be true of it after any crash.
  void ExpectWhole(const std::vector<int>& acknowledged) {
    const auto store = ValueOf(OpenStore({.url = url_}));
    ASSERT_OK(store->Read([&](ReadTx& tx) {
      ExpectLedgerWhole(*tx.ledger().Head(), *tx.ledger().After(0, 10'000'000));
      for (int writer = 0; writer < kWriters; ++writer) {
        const auto fact = tx.facts().Find(absl::StrCat(writer));
        const int number = *fact ? std::stoi(**fact) : 0;
        EXPECT_GE(number, acknowledged[writer]);
        // The row and the fact are of one transaction: both or none.
        EXPECT_TRUE(number == 0 || HasRow(tx, writer, number));
        EXPECT_FALSE(HasRow(tx, writer, number + 1));
      }
      return absl::OkStatus();
    }));
  }
  static bool HasRow(ReadTx& tx, int writer, int number) {
    return tx.ledger()
        .FindNewest(LedgerKind::kToken, RowOf(writer, number).key)
        ->has_value();
  }
  static void ExpectLedgerWhole(const LedgerHead& head,
                                const std::vector<LedgerRow>& rows) {
    std::uint64_t check = 0;
    std::int64_t sequence = 0;
    for (const LedgerRow& row : rows) {
      ASSERT_EQ(row.sequence, ++sequence);
      check = NextLedgerCheck(check, row);
      ASSERT_EQ(row.check, check);
    }
    EXPECT_EQ(head, (LedgerHead{1, sequence, check}));
  }

  TempDir dir_;
  std::string url_ = "sqlite:" + dir_.File("store.db");
};

TEST_F(CrashTest, AcknowledgedWritesSurviveTheKill) {
  for (int round = 0; round < 12; ++round) {
    TempDir fresh;
    url_ = "sqlite:" + fresh.File("store.db");
    const std::vector<int> acknowledged = KillAfter(url_, 5 + 37 * round);
    ExpectWhole(acknowledged);
  }
}

TEST_F(CrashTest, AKilledFirstStartCanBeRepeated) {
  for (int round = 0; round < 10; ++round) {
    TempDir fresh;
    const std::string url = "sqlite:" + fresh.File("store.db");
    const pid_t child = fork();
    if (child == 0) {
      const auto store = OpenStore({.url = url});
      _exit(store.ok() ? 0 : 1);
    }
    usleep(round * 700);
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    const auto store = OpenStore({.url = url});
    ASSERT_OK(store);
    EXPECT_OK((*store)->Ping());
  }
}

}  // namespace
}  // namespace ostiary::storage

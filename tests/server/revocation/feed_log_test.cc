#include "server/revocation/feed_log.h"

#include <atomic>
#include <thread>

#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/revocation/small_ledger.h"

namespace ostiary::revocation {
namespace {

using ::ostiary::testing::SmallLedger;
using ::ostiary::testing::TokenRow;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Optional;
using Fit = FeedLog::Fit;
using storage::LedgerHead;

const absl::Time kLater = absl::FromUnixSeconds(1'700'000'000);

std::optional<std::vector<std::int64_t>> SequencesAfter(
    const FeedLog& log, std::int64_t sequence, std::size_t most = 1000) {
  const auto rows = log.After(sequence, most);
  if (!rows.has_value()) return std::nullopt;
  std::vector<std::int64_t> sequences;
  for (const storage::LedgerRow& row : *rows) sequences.push_back(row.sequence);
  return sequences;
}

class FeedLogTest : public ::testing::Test {
 protected:
  // The log that remembers three rows.
  LedgerHead Commit() { return ledger_.CommitToken("t", kLater); }

  SmallLedger ledger_{3};
  FeedLog& log_ = ledger_.log;
};

TEST_F(FeedLogTest, EmptyLogStandsAtTheBeginning) {
  EXPECT_EQ(log_.head(), (LedgerHead{1, 0, 0}));
  EXPECT_THAT(SequencesAfter(log_, 0), Optional(IsEmpty()));
  EXPECT_EQ(log_.FitOf({1, 0, 0}), Fit::kContinues);
}

TEST_F(FeedLogTest, RowsComeInOrderAndWithoutAGap) {
  for (int i = 0; i < 3; ++i) Commit();
  EXPECT_THAT(SequencesAfter(log_, 0), Optional(ElementsAre(1, 2, 3)));
  EXPECT_THAT(SequencesAfter(log_, 1), Optional(ElementsAre(2, 3)));
  EXPECT_THAT(SequencesAfter(log_, 3), Optional(IsEmpty()));
}

TEST_F(FeedLogTest, NoMoreThanWasAskedFor) {
  for (int i = 0; i < 3; ++i) Commit();
  EXPECT_THAT(SequencesAfter(log_, 0, 2), Optional(ElementsAre(1, 2)));
  EXPECT_THAT(SequencesAfter(log_, 0, 0), Optional(IsEmpty()));
}

TEST_F(FeedLogTest, OldestRowsGoFirst) {
  for (int i = 0; i < 5; ++i) Commit();
  EXPECT_EQ(SequencesAfter(log_, 0), std::nullopt);
  EXPECT_EQ(SequencesAfter(log_, 1), std::nullopt);  // 2 is gone
  EXPECT_THAT(SequencesAfter(log_, 2), Optional(ElementsAre(3, 4, 5)));
}

TEST_F(FeedLogTest, NothingIsAheadOfTheHead) {
  Commit();
  EXPECT_EQ(SequencesAfter(log_, 2), std::nullopt);
}

TEST_F(FeedLogTest, ReasonsForPeopleStayInTheLedger) {
  storage::LedgerRow row = TokenRow("t", kLater);
  row.reason = "lost laptop";
  ledger_.Commit({row});
  EXPECT_EQ(log_.After(0, 1)->front().reason, "");
}

// Rows that were passed over at start must not be taken for rows that never
// were: who stands before them gets a snapshot.
TEST_F(FeedLogTest, NothingBeforeItsBeginningIsContinued) {
  FeedLog log(10);
  log.BeginAfter(7);
  storage::LedgerRow row = TokenRow("t", kLater);
  row.sequence = 8, row.check = 88;
  log.Append({1, 8, 88}, {row});
  EXPECT_EQ(SequencesAfter(log, 0), std::nullopt);
  EXPECT_EQ(SequencesAfter(log, 6), std::nullopt);
  EXPECT_THAT(SequencesAfter(log, 7), Optional(ElementsAre(8)));
  EXPECT_EQ(log.FitOf({1, 0, 0}), Fit::kTooOld);
  EXPECT_EQ(log.FitOf({1, 6, 66}), Fit::kTooOld);
  EXPECT_EQ(log.FitOf({1, 8, 88}), Fit::kContinues);
}

TEST_F(FeedLogTest, RowsComeBackAsTheyWereAppended) {
  storage::LedgerRow ours = TokenRow("AAAAAAAAAAAAAAAAAAAAAA", kLater);
  storage::LedgerRow theirs = TokenRow("theirs", absl::InfiniteFuture());
  storage::LedgerRow account;
  account.kind = storage::LedgerKind::kAccount;
  account.key = AccountId(storage::Key16{1, 2, 3}).ToString();
  account.min_generation = ~std::uint64_t{0};
  account.commit_time = kLater;
  storage::LedgerRow client;
  client.kind = storage::LedgerKind::kClient;
  client.key = "cli_shop";
  client.issued_before = kLater + absl::Microseconds(1);
  FeedLog log(3);
  std::vector<storage::LedgerRow> rows = {ours, theirs, account, client};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i].sequence = static_cast<std::int64_t>(i + 1);
    rows[i].check = 100 + i;
  }
  log.Append({1, 4, 103}, rows);
  rows.erase(rows.begin());  // more than it remembers
  EXPECT_EQ(log.After(1, 10), rows);
}

TEST_F(FeedLogTest, APlaceItHasToldContinues) {
  const LedgerHead first = Commit();
  EXPECT_EQ(log_.FitOf(first), Fit::kContinues);
  const LedgerHead second = Commit();
  EXPECT_EQ(log_.FitOf(first), Fit::kContinues);
  EXPECT_EQ(log_.FitOf(second), Fit::kContinues);
}

TEST_F(FeedLogTest, APlaceWhoseRowsAreDroppedIsTooOld) {
  const LedgerHead first = Commit();
  for (int i = 0; i < 4; ++i) Commit();
  EXPECT_EQ(log_.FitOf(first), Fit::kTooOld);
}

// Row 2 was the last to go: what comes after it is all there, but nothing is
// left to compare its check with.
TEST_F(FeedLogTest, APlaceThatCannotBeComparedIsTooOld) {
  Commit();
  const LedgerHead second = Commit();
  for (int i = 0; i < 3; ++i) Commit();
  ASSERT_THAT(SequencesAfter(log_, 2), Optional(ElementsAre(3, 4, 5)));
  EXPECT_EQ(log_.FitOf(second), Fit::kTooOld);
}

// The store forgets rows that no token can be hit by: after a restart the log
// has holes.
TEST_F(FeedLogTest, APlaceOnAForgottenRowIsTooOldAndAfterItNothingIsMissing) {
  FeedLog log(10);
  std::vector<storage::LedgerRow> rows = {TokenRow("a", kLater),
                                          TokenRow("c", kLater)};
  rows[0].sequence = 1, rows[0].check = 11;
  rows[1].sequence = 3, rows[1].check = 33;
  log.Append({1, 4, 44}, rows);  // 2 and 4 are forgotten
  EXPECT_EQ(log.FitOf({1, 2, 22}), Fit::kTooOld);
  EXPECT_EQ(log.FitOf({1, 3, 33}), Fit::kContinues);
  EXPECT_EQ(log.FitOf({1, 4, 44}), Fit::kContinues);
  EXPECT_THAT(SequencesAfter(log, 2), Optional(ElementsAre(3)));
  EXPECT_THAT(SequencesAfter(log, 3), Optional(IsEmpty()));
}

// A young server that has not revoked anything yet.
TEST_F(FeedLogTest, TheBeginningContinuesWhileNothingIsDropped) {
  Commit();
  EXPECT_EQ(log_.FitOf({1, 0, 0}), Fit::kContinues);
  EXPECT_EQ(log_.FitOf({1, 0, 5}), Fit::kRegressed);
  for (int i = 0; i < 3; ++i) Commit();
  EXPECT_EQ(log_.FitOf({1, 0, 0}), Fit::kTooOld);
}

TEST_F(FeedLogTest, APlaceAheadOfTheHeadHasRegressed) {
  LedgerHead head = Commit();
  ++head.sequence;
  EXPECT_EQ(log_.FitOf(head), Fit::kRegressed);
}

TEST_F(FeedLogTest, APlaceOfAnotherHistoryHasRegressed) {
  LedgerHead first = Commit();
  ++first.check;
  EXPECT_EQ(log_.FitOf(first), Fit::kRegressed);  // at the head
  Commit();
  EXPECT_EQ(log_.FitOf(first), Fit::kRegressed);  // behind it
}

TEST_F(FeedLogTest, APastEpochIsTooOldAndAFutureOneHasRegressed) {
  SmallLedger restored(3, 2);
  const LedgerHead head = restored.CommitToken("t", kLater);
  EXPECT_EQ(restored.log.FitOf({1, 1, head.check}), Fit::kTooOld);
  EXPECT_EQ(restored.log.FitOf({1, 99, 0}), Fit::kTooOld);
  EXPECT_EQ(restored.log.FitOf({3, 1, head.check}), Fit::kRegressed);
  EXPECT_EQ(restored.log.FitOf(head), Fit::kContinues);
}

TEST_F(FeedLogTest, WhoWaitsIsWokenByARow) {
  std::jthread writer([&] {
    absl::SleepFor(absl::Milliseconds(10));
    Commit();
  });
  const absl::Time began = absl::Now();
  log_.AwaitBeyond(0, absl::Seconds(60), {});
  EXPECT_LT(absl::Now() - began, absl::Seconds(30));
  EXPECT_EQ(log_.head().sequence, 1);
}

TEST_F(FeedLogTest, WhoIsBehindDoesNotWait) {
  Commit();
  const absl::Time began = absl::Now();
  log_.AwaitBeyond(0, absl::Seconds(60), {});
  EXPECT_LT(absl::Now() - began, absl::Seconds(30));
}

TEST_F(FeedLogTest, WaitingEndsWithItsTime) {
  const absl::Time began = absl::Now();
  log_.AwaitBeyond(0, absl::Milliseconds(5), {});
  EXPECT_GE(absl::Now() - began, absl::Milliseconds(4));
  EXPECT_EQ(log_.head().sequence, 0);
}

TEST_F(FeedLogTest, WaitingEndsWhenStopped) {
  const absl::Time began = absl::Now();
  {
    std::jthread waiter([&](std::stop_token stop) {
      log_.AwaitBeyond(0, absl::Seconds(60), stop);
    });
    absl::SleepFor(absl::Milliseconds(5));
  }
  EXPECT_LT(absl::Now() - began, absl::Seconds(30));
}

// One writes, three follow: each sees every row once and in order.
TEST(FeedLogRaces, ReadersThatKeepUpMissNothing) {
  constexpr std::int64_t kRows = 5000;
  SmallLedger ledger(kRows);
  std::atomic<int> gaps{0};
  {
    std::vector<std::jthread> readers;
    for (int i = 0; i < 3; ++i) {
      readers.emplace_back([&] {
        std::int64_t seen = 0;
        while (seen < kRows) {
          ledger.log.AwaitBeyond(seen, absl::Seconds(60), {});
          const auto rows = ledger.log.After(seen, 100);
          if (!rows.has_value()) {
            ++gaps;
            return;
          }
          for (const storage::LedgerRow& row : *rows)
            gaps += row.sequence == ++seen ? 0 : 1;
        }
      });
    }
    for (std::int64_t i = 0; i < kRows; ++i) ledger.CommitToken("t", kLater);
  }
  EXPECT_EQ(gaps, 0);
}

}  // namespace
}  // namespace ostiary::revocation

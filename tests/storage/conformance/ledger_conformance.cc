#include "absl/strings/str_cat.h"
#include "storage/ledger_check.h"
#include "tests/storage/conformance/conformance.h"

namespace ostiary::storage::conformance {
namespace {

using ::ostiary::testing::HasCode;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Optional;

TEST_P(StoreConformance, AnEmptyLedgerHasAHead) {
  EXPECT_EQ(Head(), (LedgerHead{.epoch = 1, .sequence = 0, .check = 0}));
  EXPECT_THAT(Ledger(), IsEmpty());
}

TEST_P(StoreConformance, ARevocationComesBackFieldByField) {
  LedgerRow expected = RevocationOf("sess_1");
  expected.sequence = 1;
  expected.check = NextLedgerCheck(0, expected);
  LedgerRow given = RevocationOf("sess_1");
  given.sequence = 77;  // ignored
  given.check = 77;     // ignored
  EXPECT_EQ(Append(given), expected);
  EXPECT_THAT(Ledger(), ElementsAre(expected));
  EXPECT_EQ(Head(), (LedgerHead{1, 1, expected.check}));
}

TEST_P(StoreConformance, AnAppendedRowIsReturnedAsItWillBeRead) {
  LedgerRow row;
  row.kind = LedgerKind::kKey;
  row.key = std::string(64 * 1024, 'k');
  row.commit_time = Noon() + absl::Nanoseconds(1999);
  const LedgerRow appended = Append(row);
  EXPECT_EQ(appended.commit_time, Noon() + absl::Microseconds(1));
  EXPECT_EQ(appended.expire_time, absl::InfiniteFuture());
  EXPECT_EQ(appended.issued_before, absl::InfinitePast());
  EXPECT_THAT(Ledger(), ElementsAre(appended));
  EXPECT_THAT(announced().rows(), ElementsAre(appended));
}

TEST_P(StoreConformance, TheSequenceHasNoGapAndTheCheckRuns) {
  for (int i = 0; i < 5; ++i) Append(RevocationOf(absl::StrCat("sess_", i)));
  const std::vector<LedgerRow> rows = Ledger();
  ASSERT_EQ(rows.size(), 5u);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(rows[i].sequence, i + 1);
  EXPECT_TRUE(ChecksFollow(0, rows));
  EXPECT_EQ(Head(), (LedgerHead{1, 5, rows.back().check}));
}

TEST_P(StoreConformance, AfterReadsFromACursor) {
  for (int i = 0; i < 5; ++i) Append(RevocationOf(absl::StrCat("sess_", i)));
  const auto after = [&](std::int64_t sequence, std::size_t limit) {
    return Read([&](ReadTx& tx) { return tx.ledger().After(sequence, limit); });
  };
  const std::vector<LedgerRow> all = after(0, 10);
  EXPECT_THAT(after(2, 2), ElementsAre(all[2], all[3]));
  EXPECT_THAT(after(4, 10), ElementsAre(all[4]));
  EXPECT_THAT(after(5, 10), IsEmpty());
  EXPECT_THAT(after(99, 10), IsEmpty());
  EXPECT_THAT(after(0, 0), IsEmpty());
}

// Whatever the rows held before must not show.
TEST_P(StoreConformance, ReadAfterGivesTheSameRowsAsAfter) {
  for (int i = 0; i < 5; ++i) {
    LedgerRow row = RevocationOf(absl::StrCat("sess_", i));
    row.reason = std::string(static_cast<std::size_t>(40 - 10 * i), 'r');
    Append(row);
  }
  std::vector<LedgerRow> rows;
  for (const auto& [sequence, limit] :
       {std::pair{0, 10}, {3, 10}, {0, 4}, {5, 10}, {1, 2}}) {
    const std::vector<LedgerRow> expected =
        Read([&](ReadTx& tx) { return tx.ledger().After(sequence, limit); });
    EXPECT_OK(store().Read([&](ReadTx& tx) {
      return tx.ledger().ReadAfter(sequence, limit, rows);
    }));
    EXPECT_EQ(rows, expected) << sequence << " " << limit;
  }
}

TEST_P(StoreConformance, FindNewestLooksAtKindAndKey) {
  Append(RevocationOf("a"));
  const LedgerRow newest = Append(RevocationOf("a"));
  LedgerRow other_kind = RevocationOf("a");
  other_kind.kind = LedgerKind::kAccount;
  Append(other_kind);
  Append(RevocationOf("b"));
  const auto find = [&](LedgerKind kind, const std::string& key) {
    return Read([&](ReadTx& tx) { return tx.ledger().FindNewest(kind, key); });
  };
  EXPECT_THAT(find(LedgerKind::kSession, "a"), Optional(newest));
  EXPECT_EQ(find(LedgerKind::kSession, "A"), std::nullopt);
  EXPECT_EQ(find(LedgerKind::kToken, "a"), std::nullopt);
  EXPECT_EQ(find(LedgerKind::kAll, ""), std::nullopt);
  LedgerRow all = RevocationOf("");
  all.kind = LedgerKind::kAll;
  EXPECT_THAT(find(LedgerKind::kAll, ""), Optional(Append(all)));
}

TEST_P(StoreConformance, ForgettingRowsDoesNotMoveTheHead) {
  LedgerRow forever = RevocationOf("key");
  forever.kind = LedgerKind::kKey;
  forever.expire_time = absl::InfiniteFuture();
  const LedgerRow kept = Append(forever);
  LedgerRow at_noon = RevocationOf("noon");
  at_noon.expire_time = Noon();
  const LedgerRow not_before = Append(at_noon);
  LedgerRow old = RevocationOf("old");
  old.expire_time = Noon() - absl::Microseconds(1);
  for (int i = 0; i < 3; ++i) Append(old);
  const LedgerHead head = Head();

  const auto forget = [&](absl::Time now, std::size_t limit) {
    return WriteAndGet(
        [&](WriteTx& tx) { return tx.ledger().DeleteExpired(now, limit); });
  };
  EXPECT_EQ(forget(absl::InfinitePast(), 10), 0);
  EXPECT_EQ(forget(Noon(), 2), 2);
  EXPECT_EQ(forget(Noon(), 10), 1);
  EXPECT_THAT(Ledger(), ElementsAre(kept, not_before));
  EXPECT_EQ(forget(absl::InfiniteFuture(), 10), 1);
  EXPECT_THAT(Ledger(), ElementsAre(kept)) << "key rows never expire";
  EXPECT_EQ(Head(), head);
  EXPECT_TRUE(ChecksFollow(head.check, {Append(RevocationOf("next"))}));
  EXPECT_EQ(Head().sequence, head.sequence + 1);
}

TEST_P(StoreConformance, AnEpochAndItsSequenceOnlyRise) {
  Append(RevocationOf("a"));
  const std::uint64_t check = Head().check;
  const auto begin = [&](std::uint32_t epoch, std::int64_t at_least) {
    return Write(
        [&](WriteTx& tx) { return tx.ledger().BeginEpoch(epoch, at_least); });
  };
  EXPECT_THAT(begin(1, 50), HasCode(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(begin(0, 50), HasCode(absl::StatusCode::kFailedPrecondition));
  EXPECT_EQ(Head(), (LedgerHead{1, 1, check}));
  EXPECT_OK(begin(2, 50));
  EXPECT_EQ(Head(), (LedgerHead{2, 50, check}));
  EXPECT_OK(begin(9, 3));
  EXPECT_EQ(Head(), (LedgerHead{9, 50, check}));
  const LedgerRow next = Append(RevocationOf("b"));
  EXPECT_EQ(next.sequence, 51);
  EXPECT_TRUE(ChecksFollow(check, {next}));
  EXPECT_EQ(announced().heads().back(), (LedgerHead{9, 51, next.check}));
}

TEST_P(StoreConformance, TheListenerHearsARowBeforeTheWriteReturns) {
  for (std::int64_t i = 1; i <= 20; ++i) {
    const LedgerRow row = Append(RevocationOf(absl::StrCat("sess_", i)));
    ASSERT_EQ(announced().rows().size(), static_cast<std::size_t>(i));
    ASSERT_EQ(announced().rows().back(), row);
    ASSERT_EQ(announced().heads().back(), (LedgerHead{1, i, row.check}));
  }
}

TEST_P(StoreConformance, TheListenerHearsNothingThatWasRolledBack) {
  EXPECT_FALSE(Write([](WriteTx& tx) {
                 EXPECT_OK(tx.ledger().Append(RevocationOf("a")));
                 return absl::AbortedError("no");
               }).ok());
  ASSERT_OK(Insert(AccountOf(1)));
  EXPECT_THAT(announced().rows(), IsEmpty());
  EXPECT_THAT(announced().heads(), IsEmpty());
}

TEST_P(StoreConformance, ARolledBackAppendLeavesNoGap) {
  Append(RevocationOf("a"));
  EXPECT_FALSE(Write([](WriteTx& tx) {
                 EXPECT_EQ(tx.ledger().Append(RevocationOf("x"))->sequence, 2);
                 EXPECT_EQ(tx.ledger().Append(RevocationOf("y"))->sequence, 3);
                 return absl::AbortedError("no");
               }).ok());
  Append(RevocationOf("b"));
  const std::vector<LedgerRow> rows = Ledger();
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[1].sequence, 2);
  EXPECT_EQ(rows[1].key, "b");
  EXPECT_TRUE(ChecksFollow(0, rows));
}

}  // namespace
}  // namespace ostiary::storage::conformance

#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/storage/conformance/conformance.h"

namespace ostiary::storage::conformance {
namespace {

using ::ostiary::testing::HasCode;
using ::testing::IsEmpty;
using ::testing::Optional;

TEST_P(StoreConformance, AWriteReturnsWhatItsBodyReturned) {
  EXPECT_OK(Write([](WriteTx&) { return absl::OkStatus(); }));
  const absl::Status refused = Write([](WriteTx&) {
    absl::Status status = absl::PermissionDeniedError("mine");
    status.SetPayload("ostiary.test/reason", absl::Cord("kept"));
    return status;
  });
  EXPECT_EQ(refused.message(), "mine");
  EXPECT_THAT(refused.GetPayload("ostiary.test/reason"),
              Optional(absl::Cord("kept")));
  EXPECT_THAT(store().Read([](ReadTx&) { return absl::AbortedError("no"); }),
              HasCode(absl::StatusCode::kAborted));
}

TEST_P(StoreConformance, ATransactionSeesItsOwnWrites) {
  ASSERT_OK(Write([](WriteTx& tx) {
    EXPECT_OK(tx.accounts().Insert(AccountOf(1)));
    EXPECT_THAT(*tx.accounts().Find(KeyOf(1)), Optional(AccountOf(1)));
    EXPECT_OK(tx.ledger().Append(RevocationOf("a")));
    EXPECT_EQ(tx.ledger().Head()->sequence, 1);
    return absl::OkStatus();
  }));
}

TEST_P(StoreConformance, ARollbackLeavesNothing) {
  EXPECT_THAT(Write([](WriteTx& tx) {
                EXPECT_OK(tx.accounts().Insert(AccountOf(1)));
                EXPECT_OK(tx.sessions().Insert(SessionOf(1, KeyOf(1))));
                EXPECT_OK(tx.ledger().Append(RevocationOf("a")));
                EXPECT_OK(tx.keys().Insert(SealedKeyOf(1)));
                EXPECT_OK(tx.audit().Append(EventOf(1)));
                EXPECT_OK(tx.facts().Put("fact", "value"));
                return absl::AbortedError("no");
              }),
              HasCode(absl::StatusCode::kAborted));
  ASSERT_OK(store().Read([](ReadTx& tx) {
    EXPECT_EQ(*tx.accounts().Find(KeyOf(1)), std::nullopt);
    EXPECT_EQ(*tx.sessions().Find(KeyOf(1)), std::nullopt);
    EXPECT_EQ(*tx.ledger().Head(), LedgerHead{});
    EXPECT_EQ(*tx.keys().Find("key-1"), std::nullopt);
    EXPECT_THAT(*tx.audit().After(0, 10), IsEmpty());
    EXPECT_EQ(*tx.facts().Find("fact"), std::nullopt);
    return absl::OkStatus();
  }));
}

TEST_P(StoreConformance, AnErrorThatTheBodyOverlookedIsNotCommitted) {
  ASSERT_OK(Insert(AccountOf(1)));
  EXPECT_THAT(Write([](WriteTx& tx) {
                EXPECT_OK(tx.facts().Put("fact", "value"));
                tx.accounts().Insert(AccountOf(1)).IgnoreError();
                return absl::OkStatus();
              }),
              HasCode(absl::StatusCode::kAlreadyExists));
  EXPECT_EQ(Read([](ReadTx& tx) { return tx.facts().Find("fact"); }),
            std::nullopt);
}

TEST_P(StoreConformance, AFailedCallEndsTheTransactionsUse) {
  EXPECT_THAT(Write([](WriteTx& tx) {
                EXPECT_THAT(tx.accounts().Update(AccountOf(1)),
                            HasCode(absl::StatusCode::kNotFound));
                const absl::Status after = tx.facts().Put("fact", "value");
                EXPECT_FALSE(after.ok());
                return after;
              }),
              HasCode(absl::StatusCode::kNotFound));
  EXPECT_OK(Insert(AccountOf(1))) << "the next transaction is as good as new";
}

TEST_P(StoreConformance, AFailedReadDoesNotSpoilTheNext) {
  for (int i = 0; i < 20; ++i) {
    EXPECT_THAT(store().Read([](ReadTx& tx) {
      EXPECT_OK(tx.ledger().Head());
      return absl::NotFoundError("mine");
    }),
                HasCode(absl::StatusCode::kNotFound));
  }
  EXPECT_EQ(Head(), LedgerHead{});
}

TEST_P(StoreConformance, AReadSeesOneMomentOnly) {
  Append(RevocationOf("before"));
  ASSERT_OK(store().Read([&](ReadTx& tx) {
    EXPECT_EQ(tx.ledger().Head()->sequence, 1);
    Append(RevocationOf("during"));
    EXPECT_OK(Insert(AccountOf(1)));
    EXPECT_EQ(tx.ledger().Head()->sequence, 1);
    EXPECT_EQ(tx.ledger().After(0, 10)->size(), 1u);
    EXPECT_EQ(*tx.accounts().Find(KeyOf(1)), std::nullopt);
    return absl::OkStatus();
  }));
  EXPECT_EQ(Head().sequence, 2);
}

TEST_P(StoreConformance, ARecentReadSeesOneMomentOnly) {
  Append(RevocationOf("before"));
  ASSERT_OK(store().ReadRecent([&](ReadTx& tx) {
    const std::int64_t sequence = tx.ledger().Head()->sequence;
    Append(RevocationOf("during"));
    EXPECT_EQ(tx.ledger().Head()->sequence, sequence);
    return absl::OkStatus();
  }));
}

// However often it is asked: each time on the snapshot of the time before, it
// would stay in the past for ever.
TEST_P(StoreConformance, RecentReadsComeToSeeWhatWasWritten) {
  std::int64_t seen = -1;
  const auto look = [&](ReadTx& tx) {
    seen = tx.ledger().Head()->sequence;
    return absl::OkStatus();
  };
  ASSERT_OK(store().ReadRecent(look));
  Append(RevocationOf("one"));
  const absl::Time deadline = absl::Now() + absl::Seconds(10);
  while (seen < 1) {
    ASSERT_LT(absl::Now(), deadline);
    ASSERT_OK(store().ReadRecent(look));
  }
  EXPECT_EQ(seen, 1);
}

TEST_P(StoreConformance, AnErrorDoesNotTouchItsNeighbours) {
  // All at once, so that backends which group commits have groups to make.
  constexpr int kWriters = 32;
  std::vector<absl::Status> outcomes(kWriters);
  std::vector<std::thread> threads;
  for (int i = 0; i < kWriters; ++i) {
    threads.emplace_back([&, i] {
      outcomes[i] = store().Write([&](WriteTx& tx) -> absl::Status {
        const absl::StatusOr<LedgerRow> row =
            tx.ledger().Append(RevocationOf(absl::StrCat(i)));
        if (!row.ok()) return row.status();
        if (i % 3 == 1) return absl::AbortedError("mine");
        AccountRow account = AccountOf(i);
        if (i % 3 == 2) account.username_key = "the same";
        return tx.accounts().Insert(account);
      });
    });
  }
  for (std::thread& thread : threads) thread.join();

  int committed = 0;
  int taken = 0;
  for (int i = 0; i < kWriters; ++i) {
    if (i % 3 == 1) {
      EXPECT_THAT(outcomes[i], HasCode(absl::StatusCode::kAborted));
    } else if (i % 3 == 0) {
      EXPECT_OK(outcomes[i]);
    } else if (absl::IsAlreadyExists(outcomes[i])) {
      ++taken;
    }
    committed += outcomes[i].ok();
    EXPECT_EQ(FindAccount(KeyOf(i)).has_value(), outcomes[i].ok());
  }
  EXPECT_EQ(taken, 9) << "ten want the same name, one gets it";
  const std::vector<LedgerRow> rows = Ledger();
  EXPECT_EQ(rows.size(), static_cast<std::size_t>(committed));
  EXPECT_EQ(rows.back().sequence, committed);
  EXPECT_TRUE(ChecksFollow(0, rows));
  EXPECT_EQ(announced().rows(), rows);
}

TEST_P(StoreConformance, EveryWriteIsCountedOnce) {
  const std::size_t before = announced().operations();
  ASSERT_OK(Insert(AccountOf(1)));
  ASSERT_OK(Insert(AccountOf(2)));
  EXPECT_EQ(announced().operations(), before + 2);
}

TEST_P(StoreConformance, PingIsOkAndChangesNoRow) {
  EXPECT_OK(store().Ping());
  EXPECT_EQ(Head(), LedgerHead{});
}

TEST_P(StoreConformance, EverythingIsThereAfterReopening) {
  ASSERT_OK(Insert(AccountOf(1)));
  ASSERT_OK(Insert(SessionOf(1, KeyOf(1))));
  Append(RevocationOf("a"));
  const LedgerRow last = Append(RevocationOf("b"));
  ASSERT_OK(Write([](WriteTx& tx) {
    EXPECT_OK(tx.keys().Insert(SealedKeyOf(1)));
    EXPECT_OK(tx.audit().Append(EventOf(1)));
    EXPECT_OK(tx.ledger().BeginEpoch(3, 10));
    return tx.facts().Put("fact", "value");
  }));
  for (int i = 0; i < 2; ++i) {
    Reopen();
    ASSERT_OK(store().Read([&](ReadTx& tx) {
      EXPECT_THAT(*tx.accounts().Find(KeyOf(1)), Optional(AccountOf(1)));
      EXPECT_EQ(tx.accounts().HashShapes()->size(), 1u);
      EXPECT_THAT(*tx.sessions().Find(KeyOf(1)),
                  Optional(SessionOf(1, KeyOf(1))));
      EXPECT_EQ(*tx.ledger().Head(), (LedgerHead{3, 10, last.check}));
      EXPECT_EQ(tx.ledger().After(0, 10)->size(), 2u);
      EXPECT_THAT(*tx.keys().Find("key-1"), Optional(SealedKeyOf(1)));
      EXPECT_EQ(tx.audit().After(0, 10)->size(), 1u);
      EXPECT_THAT(*tx.facts().Find("fact"), Optional(std::string("value")));
      return absl::OkStatus();
    }));
  }
}

}  // namespace
}  // namespace ostiary::storage::conformance

#include <atomic>
#include <ostream>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/account/events.h"
#include "server/revocation/entries.h"
#include "tests/server/revocation/small_ledger.h"

namespace ostiary::revocation {
namespace {

using ::ostiary::testing::SmallLedger;
using ::ostiary::testing::TokenRow;
using storage::LedgerKind;
using storage::LedgerRow;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'040);  // a whole minute
constexpr absl::Duration kCeiling = absl::Minutes(15);
const AccountId kAda(storage::Key16{1});
const SessionId kSession(storage::Key16{3});

// A row as it was shown, with text that lasts.
struct Shown {
  LedgerKind kind;
  std::string key;
  std::uint64_t min_generation;
  absl::Time issued_before;
  absl::Time forget_time;

  friend bool operator==(const Shown&, const Shown&) = default;
  friend void PrintTo(const Shown& row, std::ostream* out) {
    *out << static_cast<int>(row.kind) << " " << row.key << " "
         << row.min_generation << " " << row.issued_before << " "
         << row.forget_time;
  }
};
Shown Keep(const LiveRow& row) {
  return {row.kind, std::string(row.key.data(), row.key.size()),
          row.min_generation, row.issued_before, row.forget_time};
}
// When a row is shown to be forgotten: never before it may be.
absl::Time Minute(absl::Time expire_time) {
  return absl::FromUnixSeconds((absl::ToUnixSeconds(expire_time) / 60 + 1) *
                               60);
}

class VisitLiveTest : public ::testing::Test {
 protected:
  void Commit(const LedgerRow& row) { ledger_.Commit({row}); }
  std::vector<Shown> Visit() const {
    std::vector<Shown> all;
    ledger_.set.VisitLive(
        [&](const LiveRow& row) { all.push_back(Keep(row)); });
    return all;
  }
  static Shown Token(const std::string& id, absl::Time expire_time) {
    return {LedgerKind::kToken, id, 0, absl::InfinitePast(),
            Minute(expire_time)};
  }

  SmallLedger ledger_;
};

TEST_F(VisitLiveTest, EmptySetShowsNothing) { EXPECT_THAT(Visit(), IsEmpty()); }

TEST_F(VisitLiveTest, EveryKindIsShownWithWhatItSays) {
  const LedgerRow token = TokenEntry("jti-1", kNow + kCeiling, kNow, "why");
  const LedgerRow session = SessionEntry(kSession, kNow, kCeiling, "why");
  const LedgerRow account = AccountEntry(kAda, 6, kNow, kCeiling, "why");
  const LedgerRow client = ClientEntry("cli_shop", kNow, kCeiling, "why");
  const LedgerRow all = AllEntry(kNow, kCeiling, "why");
  LedgerRow key;
  key.kind = LedgerKind::kKey;
  key.key = "key-1";
  for (const LedgerRow& row : {token, session, account, client, all, key})
    Commit(row);
  const absl::Time past = absl::InfinitePast();
  EXPECT_THAT(
      Visit(),
      UnorderedElementsAre(
          Shown{LedgerKind::kToken, "jti-1", 0, past,
                Minute(token.expire_time)},
          Shown{LedgerKind::kSession, kSession.ToString(), 0, past,
                Minute(session.expire_time)},
          Shown{LedgerKind::kAccount, kAda.ToString(), 6, past,
                Minute(account.expire_time)},
          Shown{LedgerKind::kClient, "cli_shop", 0, kNow + kIssuedBeforeMargin,
                Minute(client.expire_time)},
          Shown{LedgerKind::kAll, "", 0, kNow + kIssuedBeforeMargin,
                Minute(all.expire_time)},
          Shown{LedgerKind::kKey, "key-1", 0, past, absl::InfiniteFuture()}));
}

TEST_F(VisitLiveTest, WhatIsForgottenFirstIsShownFirst) {
  Commit(TokenRow("late", kNow + absl::Minutes(9)));
  Commit(TokenRow("early", kNow));
  Commit(TokenRow("between", kNow + absl::Minutes(5)));
  EXPECT_THAT(Visit(), ElementsAre(Token("early", kNow),
                                   Token("between", kNow + absl::Minutes(5)),
                                   Token("late", kNow + absl::Minutes(9))));
}

TEST_F(VisitLiveTest, ARowIsNeverShownAsForgettableTooEarly) {
  for (int second = 0; second < 60; ++second)
    Commit(TokenRow(std::to_string(second), kNow + absl::Seconds(second)));
  std::size_t shown = 0;
  ledger_.set.VisitLive([&](const LiveRow& row) {
    ++shown;
    EXPECT_EQ(row.forget_time, kNow + absl::Minutes(1));
  });
  EXPECT_EQ(shown, 60u);
}

TEST_F(VisitLiveTest, OfRowsAboutTheSameAccountTheNewestCounts) {
  Commit(AccountEntry(kAda, 6, kNow, kCeiling, ""));
  Commit(AccountEntry(kAda, 8, kNow + absl::Minutes(3), kCeiling, ""));
  Commit(AccountEntry(kAda, 8, kNow + absl::Minutes(4), kCeiling, ""));
  const std::vector<Shown> all = Visit();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].min_generation, 8u);
  EXPECT_EQ(all[0].forget_time,
            Minute(kNow + absl::Minutes(4) + kCeiling + kForgetMargin));
}

TEST_F(VisitLiveTest, ANewerRowThatSaysLessDoesNotTakeAnythingBack) {
  Commit(AccountEntry(kAda, 8, kNow, kCeiling, ""));
  Commit(AccountEntry(kAda, 6, kNow + absl::Minutes(3), kCeiling, ""));
  ASSERT_EQ(Visit().size(), 1u);
  EXPECT_EQ(Visit()[0].min_generation, 8u);
}

TEST_F(VisitLiveTest, OfRowsByTimeTheNewestCounts) {
  for (const absl::Duration later : {absl::Minutes(0), absl::Minutes(2)}) {
    Commit(ClientEntry("cli_shop", kNow + later, kCeiling, ""));
    Commit(AllEntry(kNow + later, kCeiling, ""));
  }
  const std::vector<Shown> all = Visit();
  ASSERT_EQ(all.size(), 2u);
  for (const Shown& row : all) {
    EXPECT_EQ(row.issued_before, kNow + absl::Minutes(2) + kIssuedBeforeMargin);
  }
}

TEST_F(VisitLiveTest, ATokenRevokedTwiceIsShownOnceForTheLaterTime) {
  Commit(TokenRow("t", kNow));
  Commit(TokenRow("t", kNow + absl::Minutes(2)));
  EXPECT_THAT(Visit(), ElementsAre(Token("t", kNow + absl::Minutes(2))));
}

TEST_F(VisitLiveTest, NothingOfOneRowLeaksIntoTheNext) {
  LedgerRow account = AccountEntry(kAda, 6, kNow, kCeiling, "");
  LedgerRow client = ClientEntry("cli_shop", kNow, kCeiling, "");
  account.expire_time = client.expire_time = kNow;  // one minute for all
  Commit(client);
  Commit(account);
  Commit(TokenRow("t", kNow));
  EXPECT_THAT(Visit(), Contains(Token("t", kNow)));
}

TEST_F(VisitLiveTest, WhatWasForgottenIsNotShown) {
  Commit(TokenRow("gone", kNow));
  Commit(TokenRow("stays", kNow + absl::Minutes(9)));
  EXPECT_EQ(ledger_.set.Forget(kNow + absl::Minutes(2)), 1u);
  EXPECT_THAT(Visit(), ElementsAre(Token("stays", kNow + absl::Minutes(9))));
}

// The lock is held for a part of the rows only: between two parts the set can
// be changed, and nothing that was there before may be missed.
TEST_F(VisitLiveTest, RowsAppliedMeanwhileHideNoneThatWereThere) {
  constexpr int kMinutes = 20;
  for (int i = 0; i < kMinutes; ++i)
    Commit(TokenRow("old-" + std::to_string(i), kNow + absl::Minutes(i)));
  std::atomic<bool> over{false};
  std::thread writer([&] {
    for (int i = 0; !over && i < 3000; ++i) {
      Commit(TokenRow("new-" + std::to_string(i),
                      kNow + absl::Minutes(i % kMinutes)));
      std::this_thread::yield();
    }
  });
  for (int round = 0; round < 50; ++round) {
    int old = 0;
    ledger_.set.VisitLive([&](const LiveRow& row) {
      old += row.key.substr(0, 4) == "old-" ? 1 : 0;
    });
    EXPECT_EQ(old, kMinutes);
  }
  over = true;
  writer.join();
}

// Moved on to a later minute while the visit is on its way: shown as it was or
// as it is, never lost.
TEST_F(VisitLiveTest, AnAccountRevokedAgainMeanwhileIsShown) {
  for (int round = 0; round < 100; ++round) {
    SmallLedger ledger;
    ledger.Commit({AccountEntry(kAda, 6, kNow, kCeiling, "")});
    for (int i = 0; i < 5; ++i)
      ledger.Commit({TokenRow("t", kNow + absl::Minutes(i))});
    std::thread writer([&] {
      ledger.Commit(
          {AccountEntry(kAda, 7, kNow + absl::Minutes(9), kCeiling, "")});
    });
    int shown = 0;
    ledger.set.VisitLive([&](const LiveRow& row) {
      shown += row.kind == LedgerKind::kAccount ? 1 : 0;
    });
    EXPECT_GE(shown, 1);
    writer.join();
  }
}

}  // namespace
}  // namespace ostiary::revocation

#include <atomic>
#include <thread>

#include "absl/strings/str_cat.h"
#include "tests/storage/conformance/conformance.h"

namespace ostiary::storage::conformance {
namespace {

using ::testing::Each;
using ::testing::Optional;

// Runs `body(i)` on `count` threads that start together.
template <typename Body>
void InParallel(int count, Body body) {
  std::atomic<int> ready{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) {
    threads.emplace_back([&, i] {
      ready.fetch_add(1);
      while (ready.load() < count) std::this_thread::yield();
      body(i);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_P(StoreConformance, OfManyRotationsExactlyOneWinsPerGeneration) {
  constexpr int kThreads = 64;
  constexpr std::uint32_t kGenerations = 4;
  const SessionRow first = SessionOf(1, KeyOf(1));
  ASSERT_OK(Insert(first));
  std::vector<std::atomic<int>> winners(kGenerations);
  InParallel(kThreads, [&](int i) {
    for (std::uint32_t generation = 1; generation <= kGenerations;
         ++generation) {
      SessionRow next = first;
      next.generation = generation + 1;
      next.user_agent = absl::StrCat("thread ", i);
      bool won = false;
      EXPECT_OK(store().Write([&](WriteTx& tx) -> absl::Status {
        const absl::StatusOr<bool> updated =
            tx.sessions().UpdateIf(next, generation);
        if (!updated.ok()) return updated.status();
        won = *updated;
        return absl::OkStatus();
      }));
      winners[generation - 1] += won;
    }
  });
  for (const std::atomic<int>& won : winners) EXPECT_EQ(won.load(), 1);
  EXPECT_EQ(FindSession(KeyOf(1))->generation, kGenerations + 1);
}

TEST_P(StoreConformance, TheLedgerIsAnnouncedInOrderWithoutAGap) {
  constexpr int kWriters = 16;
  constexpr int kRowsEach = 25;
  std::atomic<int> unheard{0};
  InParallel(kWriters, [&](int i) {
    for (int n = 0; n < kRowsEach; ++n) {
      LedgerRow appended;
      EXPECT_OK(store().Write([&](WriteTx& tx) -> absl::Status {
        const absl::StatusOr<LedgerRow> row =
            tx.ledger().Append(RevocationOf(absl::StrCat(i, "/", n)));
        if (!row.ok()) return row.status();
        appended = *row;
        return absl::OkStatus();
      }));
      // In force before it is acknowledged.
      if (announced().heads().back().sequence < appended.sequence) ++unheard;
    }
  });
  EXPECT_EQ(unheard.load(), 0);
  const std::vector<LedgerRow> rows = announced().rows();
  ASSERT_EQ(rows.size(), static_cast<std::size_t>(kWriters * kRowsEach));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    ASSERT_EQ(rows[i].sequence, static_cast<std::int64_t>(i) + 1);
  }
  EXPECT_TRUE(ChecksFollow(0, rows));
  EXPECT_EQ(Ledger(), rows);
  EXPECT_EQ(Head(), announced().heads().back());
}

TEST_P(StoreConformance, WhatWasAcknowledgedIsSeenByEveryThread) {
  // Each thread waits for the number its neighbour acknowledged, outside the
  // store, and must then find at least that number in the store.
  constexpr int kThreads = 8;
  constexpr int kRounds = 30;
  std::vector<std::atomic<int>> acknowledged(kThreads);
  std::atomic<int> stale{0};
  const auto fact = [](int i) { return absl::StrCat("fact-", i); };
  InParallel(kThreads, [&](int i) {
    const int neighbour = (i + 1) % kThreads;
    for (int round = 1; round <= kRounds; ++round) {
      EXPECT_OK(store().Write([&](WriteTx& tx) {
        return tx.facts().Put(fact(i), absl::StrCat(round));
      }));
      acknowledged[i] = round;
      for (const int whose : {i, neighbour}) {
        const int at_least = acknowledged[whose];
        if (at_least == 0) continue;
        EXPECT_OK(store().Read([&](ReadTx& tx) {
          const auto found = tx.facts().Find(fact(whose));
          if (!found.ok()) return found.status();
          if (!*found || std::stoi(**found) < at_least) ++stale;
          return absl::OkStatus();
        }));
      }
    }
  });
  EXPECT_EQ(stale.load(), 0);
}

TEST_P(StoreConformance, ReadersNeverSeeHalfATransaction) {
  // The writer keeps two facts equal.
  std::atomic<bool> done{false};
  std::atomic<int> torn{0};
  const auto put_both = [&](int n) {
    return store().Write([n](WriteTx& tx) {
      const absl::Status first = tx.facts().Put("first", absl::StrCat(n));
      if (!first.ok()) return first;
      return tx.facts().Put("second", absl::StrCat(n));
    });
  };
  ASSERT_OK(put_both(0));
  InParallel(7, [&](int i) {
    if (i == 0) {
      for (int n = 1; n <= 100; ++n) EXPECT_OK(put_both(n));
      done = true;
      return;
    }
    while (!done) {
      EXPECT_OK(store().Read([&](ReadTx& tx) {
        const auto first = tx.facts().Find("first");
        std::this_thread::yield();
        const auto second = tx.facts().Find("second");
        EXPECT_OK(first);
        EXPECT_OK(second);
        if (*first != *second) ++torn;
        return absl::OkStatus();
      }));
    }
  });
  EXPECT_EQ(torn.load(), 0);
}

TEST_P(StoreConformance, OfManyAccountsOneGetsTheName) {
  constexpr std::uint32_t kThreads = 16;
  std::atomic<int> won{0};
  std::vector<absl::Status> refused(kThreads, absl::AlreadyExistsError(""));
  InParallel(kThreads, [&](int i) {
    AccountRow row = AccountOf(static_cast<std::uint32_t>(i));
    row.email_key = "ada@example.com";
    const absl::Status inserted =
        store().Write([&](WriteTx& tx) { return tx.accounts().Insert(row); });
    if (inserted.ok()) {
      ++won;
    } else {
      refused[i] = inserted;
    }
  });
  EXPECT_EQ(won.load(), 1);
  EXPECT_THAT(
      refused,
      Each(ostiary::testing::HasCode(absl::StatusCode::kAlreadyExists)));
}

}  // namespace
}  // namespace ostiary::storage::conformance

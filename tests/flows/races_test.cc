#include <barrier>
#include <mutex>
#include <set>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/base/reason.h"
#include "tests/flows/house.h"
#include "tests/support/status_matchers.h"

namespace ostiary::testing {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int kThreads = 64;

// Runs `body` in many threads at the same moment.
void AllAtOnce(int threads, const std::function<void(int)>& body) {
  std::barrier start(threads);
  std::vector<std::thread> running;
  for (int i = 0; i < threads; ++i) {
    running.emplace_back([&, i] {
      start.arrive_and_wait();
      body(i);
    });
  }
  for (std::thread& thread : running) thread.join();
}

class Races : public ::testing::Test {
 protected:
  Races() {
    account_ = house_.SignUp("ada");
    tokens_ = house_.SignIn("ada");
  }

  House house_;
  AccountId account_;
  flow::IssuedTokens tokens_;
};

TEST_F(Races, SixtyFourPresentationsOfOneTokenGiveOneSuccessor) {
  std::mutex mutex;
  std::set<std::string> successors;
  std::set<std::string> token_ids;
  AllAtOnce(kThreads, [&](int) {
    const auto answer = house_.TryRefresh(tokens_.refresh_token);
    ASSERT_OK(answer);
    const std::string jti = house_.Claims(answer->access_token).token_id;
    const std::lock_guard<std::mutex> lock(mutex);
    successors.insert(answer->refresh_token);
    token_ids.insert(jti);
  });
  EXPECT_THAT(successors, SizeIs(1));
  EXPECT_THAT(token_ids, SizeIs(1));
  EXPECT_EQ(house_.Session(tokens_.session_id).generation, 2u);
  EXPECT_FALSE(house_.Session(tokens_.session_id).revoked());
  EXPECT_THAT(house_.Ledger(), IsEmpty());
}

TEST_F(Races, WithOwnRequestIdsOneWinsAndTheOthersAreToldToWait) {
  std::atomic<int> won{0};
  std::atomic<int> waiting{0};
  AllAtOnce(kThreads, [&](int i) {
    const auto answer = house_.TryRefresh(
        tokens_.refresh_token, "", "request-number-" + std::to_string(100 + i));
    if (answer.ok()) {
      ++won;
    } else {
      EXPECT_EQ(ReasonOf(answer.status()), Reason::kRefreshInProgress);
      ++waiting;
    }
  });
  EXPECT_EQ(won, 1);
  EXPECT_EQ(waiting, kThreads - 1);
  EXPECT_EQ(house_.Session(tokens_.session_id).generation, 2u);
}

TEST_F(Races, TheftAmongManyPresentationsIsOneLedgerRow) {
  house_.Refresh(house_.Refresh(tokens_.refresh_token).refresh_token);
  AllAtOnce(kThreads, [&](int) {
    EXPECT_EQ(ReasonOf(house_.TryRefresh(tokens_.refresh_token).status()),
              Reason::kRefreshRejected);
  });
  EXPECT_THAT(house_.Ledger(), SizeIs(1));
}

TEST_F(Races, NoTokenOutlivesSigningOutEverywhere) {
  // Refreshes race with the sign-out; whatever they got is refused after it.
  std::mutex mutex;
  std::vector<std::string> access_tokens;
  AllAtOnce(16, [&](int i) {
    if (i == 7) {
      ASSERT_OK(house_->manage_sessions.RevokeAll(House::Operator(),
                                                  account_.ToString(), ""));
      return;
    }
    const auto answer = house_.TryRefresh(tokens_.refresh_token);
    if (!answer.ok()) return;
    const std::lock_guard<std::mutex> lock(mutex);
    access_tokens.push_back(answer->access_token);
  });
  for (const std::string& token : access_tokens) {
    EXPECT_EQ(house_.Verdict(token), "TOKEN_REVOKED");
  }
  EXPECT_FALSE(house_.TryRefresh(tokens_.refresh_token).ok());
}

TEST_F(Races, AcknowledgedRevocationIsSeenByEveryVerifyThatFollows) {
  std::vector<flow::IssuedTokens> tokens;
  for (int i = 0; i < 16; ++i) tokens.push_back(house_.SignIn("ada"));
  AllAtOnce(16, [&](int i) {
    const flow::IssuedTokens& mine = tokens[static_cast<std::size_t>(i)];
    EXPECT_EQ(house_.Verdict(mine.access_token), "");
    const auto ticket =
        house_->revoke.Token(House::Anyone(), mine.access_token, "");
    ASSERT_OK(ticket);
    EXPECT_EQ(house_.Verdict(mine.access_token), "TOKEN_REVOKED");
    EXPECT_OK(house_->verify.CheckRevision(*ticket));
  });
  const auto rows = house_.Ledger();
  ASSERT_THAT(rows, SizeIs(16));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(rows[i].sequence, static_cast<std::int64_t>(i + 1));
  }
}

TEST_F(Races, OneTokenRevokedByManyIsOneRow) {
  std::mutex mutex;
  std::set<std::string> tickets;
  AllAtOnce(16, [&](int) {
    const auto ticket =
        house_->revoke.Token(House::Anyone(), tokens_.access_token, "");
    ASSERT_OK(ticket);
    const std::lock_guard<std::mutex> lock(mutex);
    tickets.insert(*ticket);
  });
  EXPECT_THAT(house_.Ledger(), SizeIs(1));
  EXPECT_THAT(tickets, SizeIs(1));
}

TEST_F(Races, SignUpsOfOneNameMakeOneAccount) {
  std::atomic<int> made{0};
  AllAtOnce(8, [&](int) {
    const auto account = house_->sign_up.Run(
        House::Anyone(),
        {"grace", "", SecretBytes(std::string(kPassword)), ""});
    if (account.ok()) {
      ++made;
    } else {
      EXPECT_EQ(ReasonOf(account.status()), Reason::kIdentifierTaken);
    }
  });
  EXPECT_EQ(made, 1);
}

}  // namespace
}  // namespace ostiary::testing

#include <atomic>
#include <optional>
#include <utility>
#include <vector>

#include "client/jwt/token.h"
#include "client/status_list/status_reference.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/status_list/list_uri.h"
#include "tests/flows/house.h"
#include "tests/flows/recorder.h"
#include "tests/support/status_matchers.h"

// For every call that ends a session's access tokens: its bit is flipped when
// the call returns, and its next token points elsewhere (protocol.md 5).
namespace ostiary::testing {
namespace {

using storage::StatusSlot;

HouseOptions WithLists(HouseOptions options) {
  options.status_lists = status_list::Issuing::kOn;
  return options;
}

class StatusLists : public ::testing::Test {
 protected:
  explicit StatusLists(HouseOptions options =
                           [] {
                             HouseOptions few;
                             few.max_sessions = 3;
                             return few;
                           }())
      : house_(WithLists(std::move(options))) {
    ada_ = house_.SignUp("ada");
    EXPECT_OK(house_->accounts.GrantRole(operator_, ada_.ToString(), "editor"));
    tokens_ = house_.SignIn("ada");
  }

  static std::optional<StatusSlot> FindSlot(const std::string& access_token) {
    const auto raw = jwt::RawToken::Parse(access_token);
    if (!raw.has_value()) return std::nullopt;
    const auto status = status_list::ReadStatusReference(raw->payload());
    if (!status.has_value()) return std::nullopt;
    const auto list = status_list::ListOf(kIssuer, status->uri);
    if (!list.has_value()) return std::nullopt;
    return StatusSlot{*list, static_cast<std::uint32_t>(status->index)};
  }
  StatusSlot SlotOf(const flow::IssuedTokens& tokens) {
    const auto slot = FindSlot(tokens.access_token);
    if (!slot.has_value()) ADD_FAILURE() << "the token names no slot";
    return slot.value_or(StatusSlot());
  }
  bool IsFlipped(const StatusSlot& place) {
    const auto copy = house_->aftermath->status_lists.CopyOf(place.list_id);
    if (!copy.has_value()) {
      ADD_FAILURE() << "no such list";
      return false;
    }
    return ((copy->bytes[place.slot / 8] >> (place.slot % 8)) & 1) != 0;
  }
  bool IsFlipped(const flow::IssuedTokens& tokens) {
    return IsFlipped(SlotOf(tokens));
  }
  // It is, at once and after a restart; nobody else's is.
  void ExpectFlipped() {
    EXPECT_TRUE(IsFlipped(tokens_));
    EXPECT_FALSE(IsFlipped(bystander_));
    house_.Restart();
    EXPECT_TRUE(IsFlipped(tokens_));
    EXPECT_FALSE(IsFlipped(bystander_));
  }

  House house_;
  const flow::Caller operator_ = House::Operator();
  AccountId ada_;
  AccountId bob_ = house_.SignUp("bob");
  flow::IssuedTokens bystander_ = house_.SignIn("bob");
  flow::IssuedTokens tokens_;
};

// On the machine's clock.
class StatusListsInTime : public StatusLists {
 protected:
  StatusListsInTime()
      : StatusLists([] {
          static const SystemClock clock;
          HouseOptions options = Patient();
          options.other_clock = &clock;
          return options;
        }()) {}
};

TEST_F(StatusLists, ASessionsTokensShareOneSlotThatNobodyElseHas) {
  const auto again = house_.Refresh(tokens_.refresh_token);
  EXPECT_EQ(SlotOf(again), SlotOf(tokens_));
  EXPECT_FALSE(SlotOf(bystander_) == SlotOf(tokens_));
  EXPECT_FALSE(IsFlipped(tokens_));
}

TEST_F(StatusLists, RevokeSession) {
  EXPECT_OK(house_->manage_sessions.Revoke(operator_,
                                           tokens_.session_id.ToString(), ""));
  ExpectFlipped();
}

TEST_F(StatusLists, SignOut) {
  EXPECT_OK(house_->sign_out.Run(House::Anyone(), tokens_.refresh_token));
  ExpectFlipped();
}

TEST_F(StatusLists, ARefreshTokenThatIsReused) {
  house_.Refresh(tokens_.refresh_token);
  house_.clock.Advance(absl::Minutes(1));
  EXPECT_FALSE(house_.TryRefresh(tokens_.refresh_token).ok());
  ExpectFlipped();
}

TEST_F(StatusLists, EvictionBeyondTheCap) {
  for (int i = 0; i < 3; ++i) {
    house_.clock.Advance(absl::Milliseconds(1));
    house_.SignIn("ada");
  }
  ExpectFlipped();
}

TEST_F(StatusLists, RevokeAllSessions) {
  EXPECT_OK(house_->manage_sessions.RevokeAll(operator_, ada_.ToString(), ""));
  ExpectFlipped();
}

TEST_F(StatusLists, Disable) {
  EXPECT_OK(house_->accounts.Disable(operator_, ada_.ToString(), ""));
  ExpectFlipped();
}

TEST_F(StatusLists, Delete) {
  EXPECT_OK(house_->accounts.Delete(operator_, ada_.ToString(), ""));
  ExpectFlipped();
}

TEST_F(StatusLists, RevokeToken) {
  EXPECT_OK(house_->revoke.Token(House::Anyone(), tokens_.access_token, ""));
  ExpectFlipped();
}

TEST_F(StatusLists, RevokeClient) {
  EXPECT_OK(house_->revoke.Client(operator_, "cli_default", ""));
  house_.Restart();  // before the sweep
  EXPECT_OK(house_->aftermath->sweep.Continue(*house_->store,
                                              house_.clock.Now(), 100));
  EXPECT_TRUE(IsFlipped(tokens_));
  EXPECT_TRUE(IsFlipped(bystander_)) << "of the same client";
}

TEST_F(StatusLists, ARoleThatIsTakenFlipsAndTheNextTokenIsValid) {
  EXPECT_OK(house_->accounts.RevokeRole(operator_, ada_.ToString(), "editor"));
  ExpectFlipped();
  const auto next = house_.Refresh(tokens_.refresh_token);
  EXPECT_FALSE(SlotOf(next) == SlotOf(tokens_));
  EXPECT_FALSE(IsFlipped(next));
}

TEST_F(StatusLists, AChangedPasswordFlipsEverySessionAndItsOwnGoesOn) {
  const auto other = house_.SignIn("ada");
  EXPECT_OK(house_.ChangePassword(tokens_, kPassword, kNewPassword));
  ExpectFlipped();
  EXPECT_TRUE(IsFlipped(other));
  EXPECT_FALSE(IsFlipped(house_.Refresh(tokens_.refresh_token)));
}

// Two tokens of a session live across the hour in which lists change: ending
// the session ends both.
TEST_F(StatusLists, EndingASessionFlipsTheSlotsOfAllItsLiveTokens) {
  house_.clock.Advance(absl::Hours(1) - absl::Minutes(1));
  const auto before = house_.Refresh(tokens_.refresh_token);
  house_.clock.Advance(absl::Hours(1));
  const auto after = house_.Refresh(before.refresh_token);
  ASSERT_FALSE(SlotOf(before) == SlotOf(after));
  EXPECT_OK(house_->sign_out.Run(House::Anyone(), after.refresh_token));
  EXPECT_TRUE(IsFlipped(before));
  EXPECT_TRUE(IsFlipped(after));
}

// The retried answer is the revoked token again: it must not become valid.
TEST_F(StatusLists, ARetryAfterTheTokenWasRevokedNamesTheFlippedSlot) {
  const auto lost = house_.Refresh(tokens_.refresh_token);
  EXPECT_OK(house_->revoke.Token(House::Anyone(), lost.access_token, ""));
  const auto again = house_.Refresh(tokens_.refresh_token);
  EXPECT_EQ(house_.Claims(again.access_token).token_id,
            house_.Claims(lost.access_token).token_id);
  EXPECT_EQ(SlotOf(again), SlotOf(lost));
  EXPECT_TRUE(IsFlipped(again));
  EXPECT_FALSE(IsFlipped(house_.Refresh(again.refresh_token)));
}

TEST_F(StatusLists, ARefusedRefreshTakesNoSlot) {
  EXPECT_FALSE(house_.TryRefresh(tokens_.refresh_token, "write delete").ok());
  const auto slots = ValueOf(storage::ReadValue<std::size_t>(
      *house_->store, [&](storage::ReadTx& tx) -> absl::StatusOr<std::size_t> {
        auto rows = tx.status_lists().SlotsOf(SlotOf(tokens_).list_id, -1, 10);
        if (!rows.ok()) return rows.status();
        return rows->size();
      }));
  EXPECT_EQ(slots, 2u);
}

// What a key signed is flipped, also what it signed while its end was on the
// way: sign-ins race with the revocation of the key that signs.
TEST_F(StatusListsInTime, WhatARevokedKeySignedIsFlippedHoweverTheyRaced) {
  constexpr int kSigners = 3;
  constexpr int kRevoked = 200;
  std::vector<std::vector<flow::IssuedTokens>> given(kSigners);
  std::atomic<bool> over = false;
  AllAtOnce(kSigners + 1, [&](int i) {
    if (i == kSigners) {
      for (int k = 0; k < Few(kRevoked); ++k) {
        const auto view = house_->keys->Snapshot();
        EXPECT_OK(house_->keys->Revoke(view->active().key_id(), "", {}));
      }
      over = true;
      return;
    }
    while (!over)
      given[static_cast<std::size_t>(i)].push_back(house_.SignIn("ada"));
  });
  while (!house_->aftermath->sweep.idle()) {
    ASSERT_OK(house_->aftermath->sweep.Continue(*house_->store,
                                                house_->clock.Now(), 100));
  }
  int ended = 0;
  for (const auto& each : given) {
    for (const flow::IssuedTokens& tokens : each) {
      if (house_.Verdict(tokens.access_token).empty()) continue;
      ++ended;
      EXPECT_TRUE(IsFlipped(tokens)) << "sign-in " << ended;
    }
  }
  EXPECT_GT(ended, Few(kRevoked) / 10);
}

TEST(StatusListsOff, TokensNameNoSlot) {
  House house;
  house.SignUp("ada");
  EXPECT_EQ(house.Claims(house.SignIn("ada").access_token).extra_json, "{}");
}

}  // namespace
}  // namespace ostiary::testing

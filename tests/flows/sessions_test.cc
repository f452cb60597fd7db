#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/base/reason.h"
#include "server/flow/manage_sessions.h"
#include "tests/flows/house.h"
#include "tests/support/status_matchers.h"

namespace ostiary::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Sessions : public ::testing::Test {
 protected:
  Sessions() {
    ada_ = house_.SignUp("ada");
    eve_ = house_.SignUp("eve");
  }
  flow::IssuedTokens SignIn(const std::string& name) {
    house_.clock.Advance(absl::Milliseconds(1));  // ids rise with time
    return house_.SignIn(name);
  }
  std::vector<SessionId> List(const flow::Caller& caller,
                              const std::string& account_id = "") {
    std::vector<SessionId> ids;
    for (const auto& row :
         ValueOf(house_->manage_sessions.List(caller, account_id))) {
      ids.emplace_back(row.session_id);
    }
    return ids;
  }

  House house_{[] {
    HouseOptions options;
    options.max_sessions = 3;
    return options;
  }()};
  AccountId ada_;
  AccountId eve_;
};

// --- The cap.

TEST_F(Sessions, BeyondTheCapTheOldestEndsWithItsLedgerAndAuditRow) {
  const auto first = SignIn("ada");
  const auto second = SignIn("ada");
  const auto third = SignIn("ada");
  EXPECT_THAT(house_.Ledger(), IsEmpty());
  const auto fourth = SignIn("ada");
  EXPECT_TRUE(house_.Session(first.session_id).revoked());
  EXPECT_EQ(house_.Verdict(first.access_token), "TOKEN_REVOKED");
  ASSERT_THAT(house_.Ledger(), SizeIs(1));
  EXPECT_EQ(house_.Ledger()[0].key, first.session_id.ToString());
  std::vector<std::string> evicted;
  for (const auto& row : house_.Audit()) {
    if (row.action == "session.evict") evicted.push_back(row.session_id);
  }
  EXPECT_THAT(evicted, ElementsAre(first.session_id.ToString()));
  EXPECT_THAT(
      List(house_.As(fourth)),
      ElementsAre(fourth.session_id, third.session_id, second.session_id));
}

TEST_F(Sessions, OnlyLiveOnesCountAgainstTheCap) {
  const auto first = SignIn("ada");
  SignIn("ada");
  const auto third = SignIn("ada");
  ASSERT_OK(house_->sign_out.Run(House::Anyone(), third.refresh_token));
  SignIn("ada");
  EXPECT_FALSE(house_.Session(first.session_id).revoked());
}

TEST_F(Sessions, CapOfOneAccountIsNotAnothers) {
  const auto first = SignIn("ada");
  for (int i = 0; i < 4; ++i) SignIn("eve");
  EXPECT_FALSE(house_.Session(first.session_id).revoked());
}

TEST_F(Sessions, LoweredCapEvictsAllThatAreTooMany) {
  const auto first = SignIn("ada");
  const auto second = SignIn("ada");
  const auto third = SignIn("ada");
  const_cast<std::size_t&>(house_.options.max_sessions) = 1;
  house_.Restart();
  SignIn("ada");
  for (const auto& tokens : {first, second, third}) {
    EXPECT_EQ(house_.Verdict(tokens.access_token), "TOKEN_REVOKED");
  }
  EXPECT_THAT(house_.Ledger(), SizeIs(3));
}

// --- Whose.

TEST_F(Sessions, AccountSeesItsOwnLiveOnesNewestFirst) {
  const auto first = SignIn("ada");
  SignIn("eve");
  const auto second = SignIn("ada");
  EXPECT_THAT(List(house_.As(first)),
              ElementsAre(second.session_id, first.session_id));
  ASSERT_OK(house_->sign_out.Run(House::Anyone(), second.refresh_token));
  EXPECT_THAT(List(house_.As(first)), ElementsAre(first.session_id));
}

TEST_F(Sessions, ForeignAccountIsNotFoundAsIfItWereNotThere) {
  const auto mine = SignIn("eve");
  const auto theirs = SignIn("ada");
  const flow::Caller eve = house_.As(mine);
  const std::string nobody = AccountId(storage::Key16{9}).ToString();
  for (const std::string& id : {ada_.ToString(), nobody, std::string("x")}) {
    EXPECT_EQ(house_->manage_sessions.List(eve, id).status(),
              Refuse(Reason::kNotFound));
    EXPECT_EQ(house_->manage_sessions.RevokeAll(eve, id, "").status(),
              Refuse(Reason::kNotFound));
  }
  const std::string nothing = SessionId(storage::Key16{9}).ToString();
  for (const std::string& id :
       {theirs.session_id.ToString(), nothing, std::string("x")}) {
    EXPECT_EQ(house_->manage_sessions.Revoke(eve, id, "").status(),
              Refuse(Reason::kNotFound));
  }
  EXPECT_THAT(house_.Ledger(), IsEmpty());
  EXPECT_EQ(house_.Verdict(theirs.access_token), "");
}

TEST_F(Sessions, OperatorSeesAndEndsThemAll) {
  const auto tokens = SignIn("ada");
  EXPECT_THAT(List(House::Operator(), ada_.ToString()),
              ElementsAre(tokens.session_id));
  ASSERT_OK(house_->manage_sessions.Revoke(House::Operator(),
                                           tokens.session_id.ToString(), ""));
  EXPECT_THAT(List(House::Operator(), ada_.ToString()), IsEmpty());
}

TEST_F(Sessions, OperatorWithoutAnAccountMustNameOne) {
  EXPECT_EQ(
      ReasonOf(house_->manage_sessions.List(House::Operator(), "").status()),
      Reason::kArgumentInvalid);
  EXPECT_EQ(
      ReasonOf(house_->manage_sessions.RevokeAll(House::Operator(), "", "")
                   .status()),
      Reason::kArgumentInvalid);
}

// --- Ending.

TEST_F(Sessions, RevokedTwiceIsOneRowAndOneTicket) {
  const auto tokens = SignIn("ada");
  const std::string id = tokens.session_id.ToString();
  const std::string ticket =
      ValueOf(house_->manage_sessions.Revoke(house_.As(tokens), id, ""));
  EXPECT_EQ(
      ValueOf(house_->manage_sessions.Revoke(House::Operator(), id, "again")),
      ticket);
  EXPECT_THAT(house_.Ledger(), SizeIs(1));
}

TEST_F(Sessions, SignOutTakesAnyAuthenticGenerationAndIsIdempotent) {
  const auto first = SignIn("ada");
  const auto second = house_.Refresh(first.refresh_token);
  house_.Refresh(second.refresh_token);
  const std::string ticket =
      ValueOf(house_->sign_out.Run(House::Anyone(), first.refresh_token));
  EXPECT_FALSE(ticket.empty());
  EXPECT_EQ(
      ValueOf(house_->sign_out.Run(House::Anyone(), second.refresh_token)),
      ticket);
  EXPECT_THAT(house_.Ledger(), SizeIs(1));
}

TEST_F(Sessions, SignOutWithAForeignTokenIsAnsweredAndDoesNothing) {
  const auto tokens = SignIn("ada");
  std::string forged = tokens.refresh_token;
  forged[forged.size() - 3] = forged[forged.size() - 3] == 'A' ? 'B' : 'A';
  for (const std::string& text : {forged, std::string("ort_"), std::string()}) {
    EXPECT_EQ(ValueOf(house_->sign_out.Run(House::Anyone(), text)), "");
  }
  EXPECT_THAT(house_.Ledger(), IsEmpty());
  EXPECT_OK(house_.TryRefresh(tokens.refresh_token));
}

TEST_F(Sessions, SignedOutEverywhereMaySignInAgainAtOnce) {
  const auto tokens = SignIn("ada");
  ASSERT_OK(house_->manage_sessions.RevokeAll(house_.As(tokens), "", ""));
  EXPECT_FALSE(house_.TryRefresh(tokens.refresh_token).ok());
  EXPECT_THAT(List(House::Operator(), ada_.ToString()), IsEmpty());
  const auto again = SignIn("ada");
  EXPECT_EQ(house_.Verdict(again.access_token), "");
}

}  // namespace
}  // namespace ostiary::testing

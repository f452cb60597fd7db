#include "server/door/admission.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/account/roles.h"
#include "server/base/reason.h"
#include "tests/flows/house.h"
#include "tests/support/status_matchers.h"

// Listener x credential x access, as protocol.md 2 has it.
namespace ostiary::door {
namespace {

using ::ostiary::testing::House;
using ::ostiary::testing::kIssuer;
using ::ostiary::testing::kPassword;
using ::ostiary::testing::ValueOf;
using Kind = flow::Caller::Kind;

// What comes of one call: a kind of caller, or a reason.
struct Outcome {
  std::optional<Kind> kind;
  Reason reason = Reason::kInternal;

  friend bool operator==(const Outcome&, const Outcome&) = default;
};
Outcome Is(Kind kind) { return {kind, Reason::kInternal}; }
Outcome No(Reason reason) { return {std::nullopt, reason}; }

class AdmissionTest : public ::testing::Test {
 protected:
  AdmissionTest() {
    ada_ = house_.SignUp("ada");
    root_ = house_.SignUp("root");
    EXPECT_OK(house_->accounts.GrantRole(House::Operator(), root_.ToString(),
                                         std::string(account::kOperatorRole)));
    account_ = Token("ada", "api");
    account_for_issuer_ = Token("ada", kIssuer);
    operator_for_issuer_ = Token("root", kIssuer);
    operator_for_api_ = Token("root", "api");
    for_others_ = Token("ada", "other");
    revoked_ = Token("ada", "api");
    EXPECT_OK(house_->revoke.Token(House::Anyone(), revoked_, ""));
  }

  std::string Token(const std::string& name, const std::string& audience) {
    return ValueOf(house_.TrySignIn(name, kPassword, "", audience))
        .access_token;
  }
  static CallContext With(Listener listener, const std::string& header) {
    CallContext context;
    context.listener = listener;
    if (listener != Listener::kOperatorSocket)
      context.peer_address = "192.0.2.7";
    context.authorization = header;
    return context;
  }
  Outcome Admit(Access access, const CallContext& context) {
    const MethodRow row{"ostiary.v1.X/Y", access, LaneName::kInline, 1, 1};
    const auto caller = admission_.Admit(row, context);
    if (!caller.ok()) return No(ReasonOf(caller.status()));
    last_ = *caller;
    return Is(caller->kind);
  }
  Outcome Admit(Access access, Listener listener, const std::string& token) {
    return Admit(access,
                 With(listener, token.empty() ? "" : "Bearer " + token));
  }

  House house_{[] {
    testing::HouseOptions options;
    options.audiences = {"api", kIssuer, "other"};
    return options;
  }()};
  Admission admission_{
      house_.clock,
      house_->verify,
      {kIssuer, "api", {*limit::AddressRange::Parse("10.0.0.0/8")}}};
  AccountId ada_;
  AccountId root_;
  std::string account_;
  std::string account_for_issuer_;
  std::string operator_for_issuer_;
  std::string operator_for_api_;
  std::string for_others_;
  std::string revoked_;
  flow::Caller last_;
};

TEST_F(AdmissionTest, MatrixOverTheNetwork) {
  const Outcome anonymous = Is(Kind::kAnonymous);
  const Outcome account = Is(Kind::kAccount);
  const Outcome oper = Is(Kind::kOperator);
  const Outcome nobody = No(Reason::kUnauthenticated);
  const Outcome rejected = No(Reason::kAccessTokenRejected);
  const Outcome denied = No(Reason::kPermissionDenied);
  struct Line {
    const char* what;
    std::string token;
    // kAnyone, kIdentified, kAccount, kAccountOrOperator, kOperator
    std::vector<Outcome> outcomes;
  };
  const std::vector<Line> matrix = {
      {"nothing", "", {anonymous, anonymous, nobody, nobody, nobody}},
      {"account", account_, {anonymous, account, account, account, denied}},
      {"account for the issuer",
       account_for_issuer_,
       {anonymous, account, account, account, denied}},
      {"operator's role, for the issuer",
       operator_for_issuer_,
       {anonymous, oper, oper, oper, oper}},
      {"operator's role, for applications",
       operator_for_api_,
       {anonymous, account, account, account, denied}},
      {"for another audience",
       for_others_,
       {anonymous, anonymous, rejected, rejected, rejected}},
      {"revoked",
       revoked_,
       {anonymous, anonymous, rejected, rejected, rejected}},
      {"not a token",
       "x.y.z",
       {anonymous, anonymous, rejected, rejected, rejected}},
  };
  const std::vector<Access> accesses = {
      Access::kAnyone, Access::kIdentified, Access::kAccount,
      Access::kAccountOrOperator, Access::kOperator};
  for (const Listener listener : {Listener::kGrpc, Listener::kHttp}) {
    for (const Line& line : matrix) {
      for (std::size_t i = 0; i < accesses.size(); ++i) {
        EXPECT_EQ(Admit(accesses[i], listener, line.token), line.outcomes[i])
            << line.what << " " << i;
      }
    }
  }
}

TEST_F(AdmissionTest, WhoeverCameInOnTheSocketIsTheOperator) {
  const Listener socket = Listener::kOperatorSocket;
  for (const std::string& token : {std::string(), std::string("x.y.z")}) {
    EXPECT_EQ(Admit(Access::kAnyone, socket, token), Is(Kind::kOperator));
    EXPECT_EQ(Admit(Access::kIdentified, socket, token), Is(Kind::kOperator));
    EXPECT_EQ(Admit(Access::kAccountOrOperator, socket, token),
              Is(Kind::kOperator));
    EXPECT_EQ(Admit(Access::kOperator, socket, token), Is(Kind::kOperator));
    // But the operator is no account, and cannot change "its" password.
    EXPECT_FALSE(Admit(Access::kAccount, socket, token).kind.has_value());
  }
  // With a token the operator is that account, too.
  EXPECT_EQ(Admit(Access::kAccount, socket, account_), Is(Kind::kOperator));
  EXPECT_EQ(last_.account_id, ada_);
}

TEST_F(AdmissionTest, NoMetadataMakesAnOperator) {
  CallContext context = With(Listener::kGrpc, "");
  context.user_agent = "ostiary-operator";
  context.forwarded_for = "127.0.0.1";
  context.certificate_identities = {"ostiary.operator"};
  EXPECT_EQ(Admit(Access::kOperator, context), No(Reason::kUnauthenticated));
}

TEST_F(AdmissionTest, OpenMethodsDoNotEvenLookAtTheHeader) {
  EXPECT_EQ(Admit(Access::kAnyone, Listener::kGrpc, account_),
            Is(Kind::kAnonymous));
  EXPECT_FALSE(last_.account_id.has_value());
}

TEST_F(AdmissionTest, ExpiredTokenIsNobody) {
  house_.clock.Advance(absl::Minutes(15));
  EXPECT_EQ(Admit(Access::kAccount, Listener::kGrpc, account_),
            No(Reason::kAccessTokenRejected));
  EXPECT_EQ(Admit(Access::kIdentified, Listener::kGrpc, account_),
            Is(Kind::kAnonymous));
}

TEST_F(AdmissionTest, OperatorsRoleTakenAwayEndsAtOnce) {
  ASSERT_OK(house_->accounts.RevokeRole(House::Operator(), root_.ToString(),
                                        std::string(account::kOperatorRole)));
  EXPECT_EQ(Admit(Access::kOperator, Listener::kGrpc, operator_for_issuer_),
            No(Reason::kAccessTokenRejected));
}

TEST_F(AdmissionTest, OnlyABearerHeaderCounts) {
  for (const std::string& header :
       {account_, "Basic " + account_, std::string("Bearer"),
        std::string("Bearer "), "Bearer" + account_, "DPoP " + account_}) {
    EXPECT_EQ(Admit(Access::kAccount, With(Listener::kGrpc, header)),
              No(Reason::kUnauthenticated))
        << header.substr(0, 10);
  }
  for (const std::string& header :
       {"bearer " + account_, "BEARER   " + account_ + " "}) {
    EXPECT_EQ(Admit(Access::kAccount, With(Listener::kGrpc, header)),
              Is(Kind::kAccount));
  }
}

TEST_F(AdmissionTest, CallerIsTheTokensAccountAndSession) {
  const auto tokens = house_.SignIn("ada");
  EXPECT_EQ(Admit(Access::kAccount, Listener::kHttp, tokens.access_token),
            Is(Kind::kAccount));
  EXPECT_EQ(last_.account_id, ada_);
  EXPECT_EQ(last_.session_id, tokens.session_id);
}

TEST_F(AdmissionTest, AddressIsThePeersUnlessATrustedProxySaysOtherwise) {
  CallContext context = With(Listener::kHttp, "");
  context.forwarded_for = "203.0.113.9";
  Admit(Access::kAnyone, context);
  EXPECT_EQ(last_.address, "192.0.2.7");  // not a proxy of ours
  context.peer_address = "10.1.2.3";
  context.forwarded_for = "198.51.100.66, 203.0.113.9";
  Admit(Access::kAnyone, context);
  EXPECT_EQ(last_.address, "203.0.113.9");  // what comes before is hearsay
  ASSERT_TRUE(last_.origin.has_value());
  EXPECT_EQ(last_.origin->ToString(), "203.0.113.9/32");
}

TEST_F(AdmissionTest, LoopbackAndTheSocketHaveNoLimitByNetwork) {
  CallContext context = With(Listener::kGrpc, "");
  context.peer_address = "127.0.0.1";
  Admit(Access::kAnyone, context);
  EXPECT_FALSE(last_.origin.has_value());
  Admit(Access::kAnyone, With(Listener::kOperatorSocket, ""));
  EXPECT_FALSE(last_.origin.has_value());
  EXPECT_EQ(last_.address, "");
}

TEST_F(AdmissionTest, UserAgentIsKeptShortAndPrintable) {
  CallContext context = With(Listener::kGrpc, "");
  context.user_agent = "a\x1b[31m\n\xff" + std::string(1000, 'b');
  Admit(Access::kAnyone, context);
  EXPECT_EQ(last_.user_agent.size(), 256u);
  EXPECT_EQ(last_.user_agent.substr(0, 8), "a?[31m??");
}

TEST_F(AdmissionTest, NobodyMakesUsWorkForLongerThanTwentySeconds) {
  CallContext context = With(Listener::kGrpc, "");
  Admit(Access::kAnyone, context);
  EXPECT_EQ(last_.deadline, house_.clock.Now() + absl::Seconds(20));
  context.deadline = house_.clock.Now() + absl::Seconds(3);
  Admit(Access::kAnyone, context);
  EXPECT_EQ(last_.deadline, house_.clock.Now() + absl::Seconds(3));
}

}  // namespace
}  // namespace ostiary::door

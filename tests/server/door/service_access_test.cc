#include <optional>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/account/roles.h"
#include "server/base/reason.h"
#include "server/door/admission.h"
#include "tests/flows/house.h"
#include "tests/support/status_matchers.h"

// Access::kService (Watch), as protocol.md 2 has it.
namespace ostiary::door {
namespace {

using ::ostiary::testing::House;
using ::ostiary::testing::kIssuer;
using ::ostiary::testing::kPassword;
using ::ostiary::testing::ValueOf;
using Kind = flow::Caller::Kind;

enum class Service { kOpen, kAuthenticated };

class ServiceAccessTest : public ::testing::Test {
 protected:
  ServiceAccessTest() {
    house_.SignUp("ada");
    const AccountId root = house_.SignUp("root");
    EXPECT_OK(house_->accounts.GrantRole(House::Operator(), root.ToString(),
                                         std::string(account::kOperatorRole)));
  }

  std::string SignIn(const std::string& name, const std::string& audience) {
    return ValueOf(house_.TrySignIn(name, kPassword, "", audience))
        .access_token;
  }
  // As a sign-in with client credentials gives it.
  std::string ServiceToken(const std::string& subject,
                           const std::string& client_id,
                           const std::string& audience) {
    token::AccessTokenRequest request;
    request.subject = subject;
    request.client_id = client_id;
    request.audiences = {audience};
    request.token_id = "jti-" + std::to_string(++minted_);
    request.issue_time = house_.clock.Now();
    request.expire_time = house_.clock.Now() + absl::Minutes(15);
    return ValueOf(house_->minter.Mint(request, *house_->keys->Snapshot()))
        .text;
  }

  // The kind of caller, or the reason why not.
  std::string Admit(Service services, const CallContext& context) {
    const Admission admission(
        house_.clock, house_->verify,
        {kIssuer, "api", {}, services == Service::kAuthenticated});
    const MethodRow row{"ostiary.v1.X/Y", Access::kService, LaneName::kStream,
                        1, 1};
    const auto caller = admission.Admit(row, context);
    if (!caller.ok()) return std::string(ReasonName(ReasonOf(caller.status())));
    switch (caller->kind) {
      case Kind::kAnonymous:
        return "anonymous";
      case Kind::kAccount:
        return "account";
      case Kind::kService:
        return "service";
      case Kind::kOperator:
        return "operator";
    }
    return "";
  }
  static CallContext With(Listener listener, const std::string& token) {
    CallContext context;
    context.listener = listener;
    if (listener != Listener::kOperatorSocket)
      context.peer_address = "192.0.2.7";
    if (!token.empty()) context.authorization = "Bearer " + token;
    return context;
  }

  House house_;
  int minted_ = 0;
};

TEST_F(ServiceAccessTest, MatrixOverTheNetwork) {
  struct Line {
    const char* what;
    std::string token;
    const char* authenticated;
  };
  const std::string revoked = ServiceToken("cli_shop", "cli_shop", kIssuer);
  EXPECT_OK(house_->revoke.Token(House::Anyone(), revoked, ""));
  const std::vector<Line> matrix = {
      {"nothing", "", "UNAUTHENTICATED"},
      {"no token", "x.y.z", "ACCESS_TOKEN_REJECTED"},
      {"account", SignIn("ada", "api"), "PERMISSION_DENIED"},
      {"account for the issuer", SignIn("ada", kIssuer), "PERMISSION_DENIED"},
      {"operator's role, for the issuer", SignIn("root", kIssuer), "operator"},
      {"operator's role, for applications", SignIn("root", "api"),
       "PERMISSION_DENIED"},
      {"service", ServiceToken("cli_shop", "cli_shop", kIssuer), "service"},
      {"service, for applications", ServiceToken("cli_shop", "cli_shop", "api"),
       "ACCESS_TOKEN_REJECTED"},
      {"speaks for another", ServiceToken("cli_other", "cli_shop", kIssuer),
       "ACCESS_TOKEN_REJECTED"},
      {"revoked", revoked, "ACCESS_TOKEN_REJECTED"},
  };
  for (const Listener listener : {Listener::kGrpc, Listener::kHttp}) {
    for (const Line& line : matrix) {
      const CallContext context = With(listener, line.token);
      EXPECT_EQ(Admit(Service::kAuthenticated, context), line.authenticated)
          << line.what;
      // Open asks for nothing, and looks at nothing.
      EXPECT_EQ(Admit(Service::kOpen, context), "service") << line.what;
    }
  }
}

TEST_F(ServiceAccessTest, ACertificateThatTheListenerVerifiedIsAService) {
  for (const char* token : {"", "x.y.z"}) {
    CallContext context = With(Listener::kGrpc, token);
    context.certificate_identities = {"shop.example"};
    EXPECT_EQ(Admit(Service::kAuthenticated, context), "service");
  }
}

TEST_F(ServiceAccessTest, TheOperatorSocketIsAlwaysEnough) {
  for (const char* token : {"", "x.y.z"}) {
    for (const Service services : {Service::kOpen, Service::kAuthenticated}) {
      EXPECT_EQ(Admit(services, With(Listener::kOperatorSocket, token)),
                "operator");
    }
  }
}

TEST_F(ServiceAccessTest, NoMetadataMakesAService) {
  CallContext context = With(Listener::kGrpc, "");
  context.user_agent = "grpc-cli_shop";
  context.forwarded_for = "127.0.0.1";
  context.peer_address = "127.0.0.1";
  EXPECT_EQ(Admit(Service::kAuthenticated, context), "UNAUTHENTICATED");
}

TEST_F(ServiceAccessTest, AServiceTokenEndsWithItsTime) {
  const std::string token = ServiceToken("cli_shop", "cli_shop", kIssuer);
  house_.clock.Advance(absl::Minutes(15));
  EXPECT_EQ(Admit(Service::kAuthenticated, With(Listener::kGrpc, token)),
            "ACCESS_TOKEN_REJECTED");
}

}  // namespace
}  // namespace ostiary::door

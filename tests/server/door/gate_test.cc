#include "server/door/gate.h"

#include <map>
#include <set>

#include "envoy/service/auth/v3/external_auth.pb.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/base/reason.h"
#include "tests/server/door/door_house.h"
#include "tests/support/status_matchers.h"

namespace ostiary::door {
namespace {

using ::envoy::config::core::v3::HeaderValueOption;
using ::envoy::service::auth::v3::CheckRequest;
using ::envoy::service::auth::v3::CheckResponse;
using ::ostiary::testing::DoorHouse;
using ::ostiary::testing::kPassword;
using ::ostiary::testing::ValueOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kCheck[] = "envoy.service.auth.v3.Authorization/Check";

class GateTest : public ::testing::Test {
 protected:
  GateTest() {
    account_ = house_.house.SignUp("ada");
    tokens_ = house_.house.SignIn("ada", kPassword, "read");
  }

  // A request with ada's token.
  CheckRequest Bearing() const { return Bearing(tokens_.access_token); }
  static CheckRequest Bearing(const std::string& token) {
    return With("authorization", "Bearer " + token);
  }
  static CheckRequest With(const std::string& name, const std::string& value) {
    CheckRequest request;
    auto& http =
        *request.mutable_attributes()->mutable_request()->mutable_http();
    (*http.mutable_headers())[name] = value;
    return request;
  }
  static void Ask(CheckRequest& request, const std::string& key,
                  const std::string& value) {
    (*request.mutable_attributes()->mutable_context_extensions())[key] = value;
  }

  CheckResponse Check(CheckRequest request) {
    CheckResponse response;
    EXPECT_OK(house_.Call(kCheck, request, response, DoorHouse::OnTheSocket()));
    return response;
  }
  static int StatusOf(const CheckResponse& response) {
    if (response.has_denied_response()) {
      EXPECT_NE(response.status().code(), 0);
      return response.denied_response().status().code();
    }
    EXPECT_TRUE(response.has_ok_response());
    EXPECT_EQ(response.status().code(), 0);
    return 200;
  }
  int Status(CheckRequest request) { return StatusOf(Check(request)); }
  // The headers that the gateway sets; they must replace the client's.
  static std::map<std::string, std::string> SetBy(
      const CheckResponse& response) {
    std::map<std::string, std::string> set;
    for (const auto& option : response.ok_response().headers()) {
      EXPECT_EQ(option.append_action(),
                HeaderValueOption::OVERWRITE_IF_EXISTS_OR_ADD);
      EXPECT_TRUE(option.has_append());
      EXPECT_FALSE(option.append().value());
      set[option.header().key()] = option.header().value();
    }
    return set;
  }
  static std::set<std::string> RemovedBy(const CheckResponse& response) {
    const auto& names = response.ok_response().headers_to_remove();
    return {names.begin(), names.end()};
  }
  int Forwarded(const std::string& policy,
                std::vector<std::string> authorization) {
    return house_.door->AskGate({policy, std::move(authorization)}).status;
  }

  DoorHouse house_;
  AccountId account_;
  flow::IssuedTokens tokens_;
};

TEST_F(GateTest, GoodTokenPassesAndNamesItsBearer) {
  const CheckResponse response = Check(Bearing());
  EXPECT_EQ(StatusOf(response), 200);
  const auto set = SetBy(response);
  EXPECT_EQ(set.at("x-ostiary-subject"), account_.ToString());
  EXPECT_EQ(set.at("x-ostiary-scopes"), "read");
  EXPECT_EQ(set.at("x-ostiary-session"), tokens_.session_id.ToString());
  EXPECT_EQ(set.at("x-ostiary-client"), "cli_default");
  const auto& metadata = response.dynamic_metadata().fields();
  EXPECT_EQ(metadata.at("subject").string_value(), account_.ToString());
  EXPECT_EQ(metadata.at("scopes").list_value().values(0).string_value(),
            "read");
}

TEST_F(GateTest, EveryIdentityHeaderIsEitherSetOrRemovedAndNeverBoth) {
  CheckRequest anonymous;
  Ask(anonymous, "anonymous", "allow");
  for (const CheckRequest& request : {Bearing(), anonymous}) {
    const CheckResponse response = Check(request);
    ASSERT_EQ(StatusOf(response), 200);
    const auto set = SetBy(response);
    const auto removed = RemovedBy(response);
    for (const absl::string_view header : kIdentityHeaders) {
      const std::string name(header);
      EXPECT_NE(set.count(name), removed.count(name)) << name;
    }
  }
  EXPECT_THAT(SetBy(Check(anonymous)), IsEmpty());
  EXPECT_FALSE(Check(anonymous).has_dynamic_metadata());
}

TEST_F(GateTest, OtherSpellingsAreRemovedEvenUnseen) {
  const auto removed = RemovedBy(Check(Bearing()));
  for (const char* name :
       {"x_ostiary_subject", "x-ostiary_subject", "x_ostiary-subject",
        "x_ostiary_roles", "x-ostiary-roles", "x_ostiary_client"}) {
    EXPECT_THAT(removed, Contains(name));
  }
  EXPECT_THAT(removed, Not(Contains("x-ostiary-subject")));
}

TEST_F(GateTest, WhatLooksLikeOursIsRemoved) {
  CheckRequest request = Bearing();
  auto& http = *request.mutable_attributes()->mutable_request()->mutable_http();
  (*http.mutable_headers())["x-ostiary-email"] = "forged";
  (*http.mutable_headers())["x_ostiary-future"] = "forged";
  (*http.mutable_headers())["x-other"] = "kept";
  const auto removed = RemovedBy(Check(request));
  EXPECT_THAT(removed, Contains("x-ostiary-email"));
  EXPECT_THAT(removed, Contains("x_ostiary-future"));
  EXPECT_THAT(removed, Not(Contains("x-other")));
}

TEST_F(GateTest, NoTokenIsAskedForOne) {
  const CheckResponse response = Check(CheckRequest());
  EXPECT_EQ(StatusOf(response), 401);
  EXPECT_EQ(response.status().code(), 16);
  bool challenged = false;
  for (const auto& option : response.denied_response().headers()) {
    if (option.header().key() != "www-authenticate") continue;
    challenged = true;
    EXPECT_EQ(option.header().value(), "Bearer realm=\"ostiary\"");
  }
  EXPECT_TRUE(challenged);
  EXPECT_THAT(response.denied_response().body(), HasSubstr("token_required"));
}

TEST_F(GateTest, RefusalsDoNotSayWhyATokenIsBad) {
  ASSERT_OK(house_.house->revoke.Token(house_.house.Anyone(),
                                       tokens_.access_token, ""));
  const CheckResponse revoked = Check(Bearing());
  const CheckResponse nonsense = Check(Bearing("nonsense"));
  EXPECT_EQ(StatusOf(revoked), 401);
  EXPECT_EQ(revoked.SerializeAsString(), nonsense.SerializeAsString());
}

TEST_F(GateTest, BadCredentialsAreRefusedWhereNoneAreNeeded) {
  CheckRequest nobody;
  Ask(nobody, "anonymous", "allow");
  EXPECT_EQ(Status(nobody), 200);
  for (const char* value :
       {"", "Bearer", "Bearer ", "Bearer x", "Basic YTpi", "Bearerx", "x",
        "Bearer a, Bearer b", "\tBearer x"}) {
    CheckRequest request = With("authorization", value);
    Ask(request, "anonymous", "allow");
    EXPECT_EQ(Status(request), 401) << value;
  }
  EXPECT_EQ(Forwarded("anonymous=allow", {}), 200);
  EXPECT_EQ(Forwarded("anonymous=allow", {""}), 401);
  EXPECT_EQ(Forwarded("anonymous=allow", {"Bearer x"}), 401);
}

TEST_F(GateTest, TwoTokensAreNone) {
  const std::string good = "Bearer " + tokens_.access_token;
  EXPECT_EQ(Status(With("authorization", good + "," + good)), 401);
  EXPECT_EQ(Forwarded("", {good}), 200);
  EXPECT_EQ(Forwarded("", {good, good}), 401);
  CheckRequest raw;
  auto& http = *raw.mutable_attributes()->mutable_request()->mutable_http();
  for (int i = 0; i < 2; ++i) {
    auto& header = *http.mutable_header_map()->add_headers();
    header.set_key("authorization");
    header.set_raw_value(good);
    EXPECT_EQ(Status(raw), i == 0 ? 200 : 401);
  }
}

TEST_F(GateTest, SchemeIsReadInAnyCase) {
  for (const char* scheme : {"bearer ", "BEARER ", "Bearer  "}) {
    EXPECT_EQ(Status(With("authorization", scheme + tokens_.access_token)), 200)
        << scheme;
  }
}

TEST_F(GateTest, PolicyAsksForAudienceScopesAndRoles) {
  struct Line {
    std::string key;
    std::string value;
    int status;
  };
  for (const Line& line :
       std::vector<Line>{{"audience", "api", 200},
                         {"audience", "shop", 401},
                         {"require_scopes", "read", 200},
                         {"require_scopes", "write", 403},
                         {"require_scopes", "read write", 403},
                         {"require_role", "admin", 403},
                         {"anonymous", "deny", 200}}) {
    CheckRequest request = Bearing();
    Ask(request, line.key, line.value);
    EXPECT_EQ(Status(request), line.status) << line.key << "=" << line.value;
  }
  ASSERT_OK(house_.house->accounts.GrantRole(house_.house.Operator(),
                                             account_.ToString(), "admin"));
  const std::string admins = house_.house.SignIn("ada").access_token;
  CheckRequest both = Bearing(admins);
  Ask(both, "require_role", "admin");
  const CheckResponse response = Check(both);
  EXPECT_EQ(StatusOf(response), 200);
  EXPECT_EQ(SetBy(response).at("x-ostiary-roles"), "admin");
  Ask(both, "require_role", "admin auditor");
  EXPECT_EQ(Status(both), 403);
}

// As gateways with failure_mode_allow take an error for a pass.
TEST_F(GateTest, PolicyThatIsNotUnderstoodIsARefusalAndNoError) {
  struct Line {
    std::string key;
    std::string value;
  };
  for (const Line& line : std::vector<Line>{{"require_rol", "admin"},
                                            {"Audience", "api"},
                                            {"", ""},
                                            {"audience", ""},
                                            {"audience", "two words"},
                                            {"require_scopes", ""},
                                            {"require_scopes", "  "},
                                            {"require_scopes", "\"read\""},
                                            {"require_role", ""},
                                            {"require_role", "a,b"},
                                            {"anonymous", "yes"},
                                            {"anonymous", ""}}) {
    CheckRequest request = Bearing();
    Ask(request, line.key, line.value);
    const CheckResponse response = Check(request);
    EXPECT_EQ(StatusOf(response), 503) << line.key << "=" << line.value;
    // For whoever runs the gateway, not for its clients.
    EXPECT_NE(response.status().message(), "");
    EXPECT_THAT(response.denied_response().body(),
                Not(HasSubstr(response.status().message())));
  }
}

TEST_F(GateTest, PolicyOfAUrlIsItsQuery) {
  const std::string good = "Bearer " + tokens_.access_token;
  EXPECT_EQ(Forwarded("require_scopes=read&audience=api", {good}), 200);
  EXPECT_EQ(Forwarded("require_scopes=read+write", {good}), 403);
  EXPECT_EQ(Forwarded("require_scopes=%72ead", {good}), 200);
  for (const char* query :
       {"audience=api&audience=api", "anonymous", "anonymous=allow&",
        "anonymous=allow#", "audience=api/x&anonymous=allow",
        "audience=api?&anonymous=allow", "require_scopes=%", "audience=%7",
        "require_scopes=%zz", "audience=%00"}) {
    EXPECT_EQ(Forwarded(query, {good}), 503) << query;
    EXPECT_EQ(Forwarded(query, {}), 503) << query;
  }
}

// Caddy, told to ask "/forward-auth", asks it with the client's query.
TEST_F(GateTest, PolicyThatIsTheClientsOwnQueryIsNone) {
  const auto status = [&](const std::string& policy, const std::string& url) {
    return house_.door->AskGate({policy, {}, {url}}).status;
  };
  EXPECT_EQ(status("anonymous=allow", "/orders?anonymous=allow"), 503);
  EXPECT_EQ(status("audience=api&anonymous=allow", "/orders?anonymous=allow"),
            503);
  EXPECT_EQ(status("anonymous=allow", "/orders?a=b&anonymous=allow"), 200);
  EXPECT_EQ(status("anonymous=allow", "/orders"), 200);
  EXPECT_EQ(status("anonymous=allow", "/orders?"), 200);
  EXPECT_EQ(status("anonymous=allow", "/orders?allow"), 200);
}

TEST_F(GateTest, ForwardedRequestIsToldWhoAsksAndWhatToForget) {
  const GateAnswer answer =
      house_.door->AskGate({"", {"Bearer " + tokens_.access_token}});
  ASSERT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "");
  ASSERT_EQ(answer.headers.size(), std::size(kIdentityHeaders));
  EXPECT_EQ(answer.headers[0].second, account_.ToString());
  EXPECT_EQ(answer.headers[2].first, "x-ostiary-roles");
  EXPECT_EQ(answer.headers[2].second, "");
}

TEST_F(GateTest, NothingIsDecidedWhileTheDoorIsShut) {
  house_.door->Close();
  EXPECT_EQ(Forwarded("anonymous=allow", {}), 503);
  CheckRequest request = Bearing();
  CheckResponse response;
  EXPECT_EQ(ReasonOf(house_.Call(kCheck, request, response,
                                 DoorHouse::OnTheSocket())),
            Reason::kNotReady);
}

TEST_F(GateTest, OnlyServicesMayAskEnvoysQuestion) {
  CheckRequest request = Bearing();
  CheckResponse response;
  EXPECT_EQ(
      ReasonOf(house_.Call(kCheck, request, response, DoorHouse::OverGrpc())),
      Reason::kUnauthenticated);
  EXPECT_EQ(ReasonOf(house_.Call(kCheck, request, response,
                                 DoorHouse::OverGrpc(tokens_.access_token))),
            Reason::kPermissionDenied);
  CallContext certified = DoorHouse::OverGrpc();
  certified.certificate_identities = {"gateway.example"};
  EXPECT_OK(house_.Call(kCheck, request, response, certified));
}

}  // namespace
}  // namespace ostiary::door

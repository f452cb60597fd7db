#include "server/http/connect.h"

#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "google/rpc/error_details.pb.h"
#include "ostiary/v1/account_service.pb.h"
#include "ostiary/v1/token_service.pb.h"
#include "server/base/clock.h"
#include "server/base/reason.h"
#include "server/http/public_handler.h"
#include "tests/server/http/fake_door.h"
#include "tests/server/http/handler_calls.h"
#include "tests/support/status_matchers.h"

namespace ostiary::http {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kVerify[] = "/ostiary.v1.TokenService/Verify";
constexpr char kUpdate[] = "/ostiary.v1.AccountService/UpdateAccount";

class ConnectTest : public ::testing::Test {
 protected:
  ConnectTest() {
    door_.Serve<v1::VerifyRequest, v1::VerifyResponse>(
        "ostiary.v1.TokenService/Verify",
        [this](const door::CallContext& context,
               const google::protobuf::Message& in,
               google::protobuf::Message& out) {
          const auto& request = static_cast<const v1::VerifyRequest&>(in);
          auto& response = static_cast<v1::VerifyResponse&>(out);
          context_ = context;
          if (!refusal_.ok()) return refusal_;
          response.set_valid(true);
          response.mutable_claims()->set_subject(request.token());
          response.mutable_claims()->mutable_expire_time()->set_seconds(0);
          return absl::OkStatus();
        });
    door_.Serve<v1::UpdateAccountRequest, v1::UpdateAccountResponse>(
        "ostiary.v1.AccountService/UpdateAccount",
        [](const door::CallContext&, const google::protobuf::Message& in,
           google::protobuf::Message& out) {
          const auto& request =
              static_cast<const v1::UpdateAccountRequest&>(in);
          auto& response = static_cast<v1::UpdateAccountResponse&>(out);
          *response.mutable_account() = request.account();
          for (const std::string& path : request.update_mask().paths())
            response.mutable_account()->add_roles(path);
          return absl::OkStatus();
        },
        door::LaneName::kStore);
  }

  Response Call(std::string json, std::vector<Header> headers = {}) {
    return Ask(handler_, MakeCall(kVerify, std::move(json), headers));
  }
  Response CallWith(std::vector<Header> headers) {
    return Ask(handler_, MakeRequest("POST", kVerify, headers, "{}"));
  }

  ManualClock clock_{absl::FromUnixSeconds(1000)};
  FakeDoor door_;
  PublicHandler handler_{door_, clock_, {"http://127.0.0.1:8080", {}, {}}};
  absl::Status refusal_;
  door::CallContext context_;
};

TEST_F(ConnectTest, JsonInJsonOut) {
  const Response answer = Call(R"({"token":"abc"})");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, R"({"valid":true,"claims":{"subject":"abc",)"
                         R"("expireTime":"1970-01-01T00:00:00Z"}})");
  EXPECT_EQ(HeaderOf(answer, "Content-Type"), "application/json");
  EXPECT_EQ(HeaderOf(answer, "Cache-Control"), "no-store");
}

TEST_F(ConnectTest, BinaryInBinaryOut) {
  v1::VerifyRequest request;
  request.set_token("abc");
  const Response answer =
      Ask(handler_,
          MakeRequest("POST", kVerify, {{"content-type", "application/proto"}},
                      request.SerializeAsString()));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(HeaderOf(answer, "Content-Type"), "application/proto");
  v1::VerifyResponse response;
  ASSERT_TRUE(response.ParseFromString(answer.body));
  EXPECT_EQ(response.claims().subject(), "abc");
  EXPECT_EQ(Ask(handler_, MakeRequest("POST", kVerify,
                                      {{"content-type", "application/proto"}},
                                      "\x0a\x7f"))
                .status,
            400);
}

TEST_F(ConnectTest, WellKnownTypesPassThroughALane) {
  const Response answer =
      Ask(handler_, MakeCall(kUpdate, R"({"account":{"displayName":"Ada",
                 "metadata":{"k":[1,null]},"createTime":"2026-01-02T03:04:05Z"},
                 "updateMask":"displayName,metadata"})"));
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(
      answer.body,
      R"({"account":{"displayName":"Ada",)"
      R"("roles":["display_name","metadata"],)"
      R"("metadata":{"k":[1,null]},"createTime":"2026-01-02T03:04:05Z"}})");
}

TEST_F(ConnectTest, OnlyTheTwoContentTypesAreTaken) {
  for (const char* const type :
       {"application/json", "Application/JSON",
        "application/json; charset=utf-8", "application/json;charset=utf-8"}) {
    EXPECT_EQ(CallWith({{"content-type", type}}).status, 200) << type;
  }
  for (const char* const type :
       {"", "text/plain", "application/x-www-form-urlencoded",
        "multipart/form-data", "application/jsonx", "text/json",
        "application/json, text/plain", "application/connect+json",
        "application/grpc-web", "json", "application/json x"}) {
    const Response answer = CallWith({{"content-type", type}});
    EXPECT_EQ(answer.status, 415) << type;
    EXPECT_EQ(HeaderOf(answer, "Accept-Post"),
              "application/json, application/proto");
  }
  EXPECT_EQ(CallWith({}).status, 415);
}

TEST_F(ConnectTest, CompressedBodiesAreRefused) {
  const Response answer = Call("{}", {{"content-encoding", "gzip"}});
  EXPECT_EQ(answer.status, 415);
  EXPECT_THAT(answer.body, HasSubstr("\"code\":\"unimplemented\""));
  EXPECT_EQ(Call("{}", {{"content-encoding", "identity"}}).status, 200);
}

TEST_F(ConnectTest, TheProtocolVersionMustBeOneIfNamed) {
  EXPECT_EQ(Call("{}", {{"connect-protocol-version", "1"}}).status, 200);
  EXPECT_EQ(Call("{}", {{"connect-protocol-version", "2"}}).status, 400);
}

TEST_F(ConnectTest, TheCallersTimeoutBecomesTheDeadline) {
  Call("{}");
  EXPECT_EQ(context_.deadline, clock_.Now() + absl::Seconds(30));
  Call("{}", {{"connect-timeout-ms", "1500"}});
  EXPECT_EQ(context_.deadline, clock_.Now() + absl::Milliseconds(1500));
  Call("{}", {{"connect-timeout-ms", "9999999999"}});
  EXPECT_EQ(context_.deadline, clock_.Now() + absl::Seconds(30));
  for (const char* const text : {"-1", "1.5", " 1", "+1", "10000000000", "x"})
    EXPECT_EQ(Call("{}", {{"connect-timeout-ms", text}}).status, 400) << text;
}

TEST_F(ConnectTest, TheDoorSeesWhereTheCallCameFrom) {
  Call("{}", {{"authorization", "Bearer x"},
              {"user-agent", "curl"},
              {"x-forwarded-for", "1.1.1.1"},
              {"x-forwarded-for", "2.2.2.2, 3.3.3.3"}});
  EXPECT_EQ(context_.listener, door::Listener::kHttp);
  EXPECT_EQ(context_.peer_address, "127.0.0.1");
  EXPECT_EQ(context_.authorization, "Bearer x");
  EXPECT_EQ(context_.user_agent, "curl");
  EXPECT_EQ(context_.forwarded_for, "1.1.1.1, 2.2.2.2, 3.3.3.3");
  EXPECT_TRUE(context_.certificate_identities.empty());
}

TEST_F(ConnectTest, AnErrorCarriesItsReasonTwice) {
  const Response answer = Call(R"({"tken":"hunter2"})");
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.body, HasSubstr("\"code\":\"invalid_argument\""));
  EXPECT_THAT(answer.body, HasSubstr("tken: there is no such field"));
  EXPECT_THAT(answer.body, Not(HasSubstr("hunter2")));
  google::rpc::ErrorInfo info;
  info.set_reason("ARGUMENT_INVALID");
  info.set_domain("ostiary");
  std::string value = absl::Base64Escape(info.SerializeAsString());
  while (value.back() == '=') value.pop_back();
  EXPECT_THAT(
      answer.body,
      HasSubstr(absl::StrCat(
          R"({"type":"google.rpc.ErrorInfo","value":")", value,
          R"(","debug":{"reason":"ARGUMENT_INVALID","domain":"ostiary"}})")));
  EXPECT_THAT(answer.body, HasSubstr("google.rpc.BadRequest"));
}

TEST_F(ConnectTest, UnauthenticatedNamesTheSchemeAndTheError) {
  refusal_ = Refuse(Reason::kUnauthenticated);
  Response answer = Call("{}");
  EXPECT_EQ(answer.status, 401);
  EXPECT_EQ(HeaderOf(answer, "WWW-Authenticate"), "Bearer realm=\"ostiary\"");
  refusal_ = Refuse(Reason::kAccessTokenRejected);
  answer = Call("{}");
  EXPECT_EQ(HeaderOf(answer, "WWW-Authenticate"),
            "Bearer realm=\"ostiary\", error=\"invalid_token\"");
}

TEST_F(ConnectTest, OverloadSaysWhenToComeBack) {
  refusal_ = RefuseUntil(Reason::kRateLimited, absl::Milliseconds(1200));
  const Response answer = Call("{}");
  EXPECT_EQ(answer.status, 429);
  EXPECT_EQ(HeaderOf(answer, "Retry-After"), "2");
  EXPECT_THAT(answer.body, HasSubstr("\"retryDelay\":\"1.200s\""));
}

TEST_F(ConnectTest, WhatIsNotOursToSayStaysInside) {
  refusal_ = absl::InternalError("SELECT secret FROM accounts");
  const Response answer = Call("{}");
  EXPECT_EQ(answer.status, 500);
  EXPECT_THAT(answer.body, Not(HasSubstr("SELECT")));
}

TEST_F(ConnectTest, TheMethodsOwnBoundHolds) {
  const auto of_size = [](std::size_t size) {
    return absl::StrCat(R"({"token":")", std::string(size - 12, 'x'), "\"}");
  };
  EXPECT_EQ(Call(of_size(FakeDoor::kMostBytes)).status, 200);
  const Response answer = Call(of_size(FakeDoor::kMostBytes + 1));
  EXPECT_EQ(answer.status, 413);
  EXPECT_THAT(answer.body, HasSubstr("REQUEST_TOO_LARGE"));
}

TEST_F(ConnectTest, AnUnknownMethodIsNotFound) {
  const Response answer =
      Ask(handler_, MakeCall("/ostiary.v1.TokenService/verify", "{}"));
  EXPECT_EQ(answer.status, 404);
  EXPECT_THAT(answer.body, HasSubstr("\"code\":\"unimplemented\""));
  EXPECT_THAT(answer.body, HasSubstr("METHOD_UNKNOWN"));
}

}  // namespace
}  // namespace ostiary::http

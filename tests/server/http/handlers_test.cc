#include <string>

#include "absl/strings/str_cat.h"
#include "ostiary/v1/token_service.pb.h"
#include "server/base/clock.h"
#include "server/http/ops_handler.h"
#include "server/http/public_handler.h"
#include "tests/server/http/fake_door.h"
#include "tests/server/http/handler_calls.h"
#include "tests/support/status_matchers.h"

namespace ostiary::http {
namespace {

using ::testing::HasSubstr;

constexpr char kVerify[] = "/ostiary.v1.TokenService/Verify";
constexpr char kJwks[] = "/.well-known/jwks.json";

class PublicHandlerTest : public ::testing::Test {
 protected:
  PublicHandlerTest() {
    door_.AddDocument(kJwks, {"application/json", "public, max-age=300",
                              "\"v1\"", "{\"keys\":[]}"});
    door_.Serve<v1::VerifyRequest, v1::VerifyResponse>(
        "ostiary.v1.TokenService/Verify",
        [](const door::CallContext&, const google::protobuf::Message&,
           google::protobuf::Message&) { return absl::OkStatus(); });
  }
  Response Asked(std::string method, std::string path,
                 std::vector<Header> headers = {}) {
    return Ask(handler_, MakeRequest(method, path, headers));
  }

  ManualClock clock_{absl::FromUnixSeconds(1000)};
  FakeDoor door_;
  PublicHandler handler_{
      door_,
      clock_,
      {"https://Auth.Example.com:443/tenant",
       {"door.example.com:8443"},
       {"https://app.example.com", "http://localhost:3000/"}}};
};

TEST_F(PublicHandlerTest, DocumentsAreServedToAnyPage) {
  const Response answer =
      Asked("GET", kJwks, {{"origin", "https://elsewhere.example"}});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "{\"keys\":[]}");
  EXPECT_EQ(HeaderOf(answer, "Content-Type"), "application/json");
  EXPECT_EQ(HeaderOf(answer, "Cache-Control"), "public, max-age=300");
  EXPECT_EQ(HeaderOf(answer, "ETag"), "\"v1\"");
  EXPECT_EQ(HeaderOf(answer, "Access-Control-Allow-Origin"), "*");
  EXPECT_EQ(Asked("HEAD", kJwks).status, 200);
}

TEST_F(PublicHandlerTest, WhoHasTheDocumentIsNotSentItAgain) {
  for (const char* const tags : {"\"v1\"", "W/\"v1\"", "\"v0\", \"v1\"", "*"}) {
    const Response answer = Asked("GET", kJwks, {{"if-none-match", tags}});
    EXPECT_EQ(answer.status, 304) << tags;
    EXPECT_EQ(answer.body, "");
    EXPECT_EQ(HeaderOf(answer, "ETag"), "\"v1\"");
  }
  EXPECT_EQ(Asked("GET", kJwks, {{"if-none-match", "\"v0\""}}).status, 200);
}

TEST_F(PublicHandlerTest, OtherMethodsAreNotAllowed) {
  EXPECT_EQ(Asked("POST", kJwks).status, 405);
  EXPECT_EQ(HeaderOf(Asked("DELETE", kJwks), "Allow"), "GET, HEAD, OPTIONS");
  EXPECT_EQ(HeaderOf(Asked("GET", kVerify), "Allow"), "POST, OPTIONS");
  EXPECT_EQ(Asked("GET", kVerify).status, 405);
  EXPECT_EQ(Asked("OPTIONS", "*").status, 204);
}

TEST_F(PublicHandlerTest, NothingElseIsThere) {
  for (const char* const path :
       {"/", "/index.html", "/.well-known/", "/.well-known/jwks.json/",
        "/.well-known/../.well-known/jwks.json", "//", "/metrics",
        "/ostiary.v1.TokenService"}) {
    const Response answer = Asked("GET", path);
    EXPECT_EQ(answer.status, 404) << path;
    EXPECT_EQ(HeaderOf(answer, "Content-Type"), "application/json");
    EXPECT_THAT(answer.body, HasSubstr("\"not_found\""));
  }
}

// A page whose name resolves to 127.0.0.1 sends its own name as Host.
TEST_F(PublicHandlerTest, OnLoopbackHostMustBeOurs) {
  for (const char* const host :
       {"localhost", "LocalHost:8080", "127.0.0.1:8080", "127.8.8.8", "[::1]",
        "[::1]:8080", "auth.example.com", "auth.example.com:80",
        "door.example.com", "localhost."}) {
    EXPECT_EQ(Asked("GET", kJwks, {{"host", host}}).status, 200) << host;
  }
  for (const char* const host :
       {"evil.example", "127.0.0.1.evil.example", "localhost.evil.example",
        "192.168.1.1", "evil.example:127.0.0.1", "[fe80::1]", "0.0.0.0",
        "app.example.com", "[127.0.0.1", "[::1]evil", "2130706433"}) {
    EXPECT_EQ(Asked("GET", kJwks, {{"host", host}}).status, 421) << host;
  }
  Request outside = MakeRequest("GET", kJwks, {{"host", "evil.example"}});
  outside.arrived_at_loopback = false;
  EXPECT_EQ(Ask(handler_, std::move(outside)).status, 200);
}

TEST_F(PublicHandlerTest, PagesOfForeignOriginsMayNotCall) {
  for (const char* const origin :
       {"https://app.example.com", "http://localhost:3000",
        "https://auth.example.com"}) {
    const Response answer =
        Ask(handler_, MakeCall(kVerify, "{}", {{"origin", origin}}));
    EXPECT_EQ(answer.status, 200) << origin;
    EXPECT_EQ(HeaderOf(answer, "Access-Control-Allow-Origin"), origin);
    EXPECT_EQ(HeaderOf(answer, "Vary"), "Origin");
  }
  for (const char* const origin :
       {"https://evil.example", "null", "http://app.example.com",
        "https://app.example.com:444", "http://localhost:3001",
        "https://app.example.com.evil.example", "https://APP.example.com"}) {
    const Response answer =
        Ask(handler_, MakeCall(kVerify, "{}", {{"origin", origin}}));
    EXPECT_EQ(answer.status, 403) << origin;
    EXPECT_EQ(HeaderOf(answer, "Access-Control-Allow-Origin"), "");
  }
}

TEST_F(PublicHandlerTest, PreflightsAllowListedOriginsOnly) {
  const Response allowed =
      Asked("OPTIONS", kVerify, {{"origin", "https://app.example.com"}});
  EXPECT_EQ(allowed.status, 204);
  EXPECT_EQ(HeaderOf(allowed, "Access-Control-Allow-Origin"),
            "https://app.example.com");
  EXPECT_EQ(HeaderOf(allowed, "Access-Control-Allow-Methods"), "POST");
  EXPECT_THAT(HeaderOf(allowed, "Access-Control-Allow-Headers"),
              HasSubstr("Content-Type"));
  EXPECT_EQ(HeaderOf(allowed, "Access-Control-Allow-Credentials"), "");
  const Response foreign =
      Asked("OPTIONS", kVerify, {{"origin", "https://evil.example"}});
  EXPECT_EQ(HeaderOf(foreign, "Access-Control-Allow-Origin"), "");
  EXPECT_EQ(HeaderOf(foreign, "Access-Control-Allow-Methods"), "");
  EXPECT_EQ(HeaderOf(Asked("OPTIONS", kJwks), "Access-Control-Allow-Origin"),
            "*");
}

// --- What gateways ask.

TEST_F(PublicHandlerTest, GatewaysAreOutsideTheRulesForBrowsers) {
  door_.AnswerGate({200, {{"x-ostiary-subject", "acct_1"}}, ""});
  for (const char* const method : {"GET", "POST", "HEAD", "OPTIONS", "PURGE"}) {
    for (const Header& more : {Header{"host", "service.example"},
                               Header{"origin", "https://evil.example"},
                               Header{"content-type", "text/plain"},
                               Header{"content-encoding", "gzip"}}) {
      const Response answer = Asked(method, "/forward-auth", {more});
      EXPECT_EQ(answer.status, 200) << method << " " << more.name;
      EXPECT_EQ(HeaderOf(answer, "x-ostiary-subject"), "acct_1");
      EXPECT_EQ(HeaderOf(answer, "Cache-Control"), "no-store");
      EXPECT_EQ(HeaderOf(answer, "Access-Control-Allow-Origin"), "");
    }
  }
  EXPECT_EQ(Asked("GET", "/forward-auth/").status, 404);
}

TEST_F(PublicHandlerTest, GateIsAskedWithTheQueryAndTheTokenAlone) {
  Request request = MakeRequest("GET", "/forward-auth",
                                {{"x-ostiary-policy", "anonymous=allow"},
                                 {"authorization", "Bearer a"},
                                 {"x-forwarded-uri", "/?anonymous=allow"}});
  request.query = "require_role=admin";
  EXPECT_EQ(Ask(handler_, std::move(request)).status, 503);
  EXPECT_EQ(door_.asked().policy, "require_role=admin");
  ASSERT_EQ(door_.asked().authorization.size(), 1u);
  EXPECT_EQ(door_.asked().authorization[0], "Bearer a");
  ASSERT_EQ(door_.asked().client_urls.size(), 1u);
  EXPECT_EQ(door_.asked().client_urls[0], "/?anonymous=allow");
  // An empty one is there; none is not.
  EXPECT_EQ(Asked("GET", "/forward-auth", {{"authorization", ""}}).status, 503);
  EXPECT_EQ(door_.asked().authorization.size(), 1u);
  EXPECT_EQ(Asked("GET", "/forward-auth").status, 503);
  EXPECT_TRUE(door_.asked().authorization.empty());
}

TEST_F(PublicHandlerTest, GatewaysAreToldOnlyWhatTheyUnderstand) {
  EXPECT_EQ(handler_.Refusal("/forward-auth", 431).status, 503);
  EXPECT_EQ(handler_.Refusal("/forward-auth", 400).status, 503);
  EXPECT_EQ(handler_.Refusal(kVerify, 431).status, 431);
  EXPECT_EQ(handler_.Refusal("", 400).status, 400);
}

class OpsHandlerTest : public ::testing::Test {
 protected:
  FakeDoor door_;
  absl::Status store_;
  OpsHandler handler_{
      door_,
      {[this] { return store_; }, [] { return std::string("up 1\n"); }},
      {"http://127.0.0.1:8080", {}}};

  Response Asked(std::string path, std::string method = "GET") {
    return Ask(handler_, MakeRequest(std::move(method), std::move(path)));
  }
};

TEST_F(OpsHandlerTest, HealthIsThatTheProcessLives) {
  door_.SetReady(false);
  EXPECT_EQ(Asked("/healthz").status, 200);
  EXPECT_EQ(Asked("/healthz").body, "ok\n");
}

TEST_F(OpsHandlerTest, ReadinessNeedsTheDoorAndTheStore) {
  EXPECT_EQ(Asked("/readyz").status, 200);
  store_ = absl::UnavailableError("disk full");
  EXPECT_EQ(Asked("/readyz").status, 503);
  EXPECT_THAT(Asked("/readyz").body, HasSubstr("disk full"));
  store_ = absl::OkStatus();
  door_.SetReady(false);
  EXPECT_EQ(Asked("/readyz").status, 503);
}

TEST_F(OpsHandlerTest, MetricsComeInPrometheusFormat) {
  const Response answer = Asked("/metrics");
  EXPECT_EQ(answer.body, "up 1\n");
  EXPECT_EQ(HeaderOf(answer, "Content-Type"),
            "text/plain; version=0.0.4; charset=utf-8");
}

TEST_F(OpsHandlerTest, NothingElseIsThereAndNothingIsWritten) {
  EXPECT_EQ(Asked("/").status, 404);
  EXPECT_EQ(Asked(kJwks).status, 404);
  EXPECT_EQ(Asked("/metrics", "POST").status, 405);
}

TEST_F(OpsHandlerTest, TheHostRuleHoldsHereToo) {
  EXPECT_EQ(
      Ask(handler_, MakeRequest("GET", "/metrics", {{"host", "evil.example"}}))
          .status,
      421);
}

}  // namespace
}  // namespace ostiary::http

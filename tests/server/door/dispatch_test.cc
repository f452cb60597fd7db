#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "ostiary/v1/account_service.pb.h"
#include "ostiary/v1/auth_service.pb.h"
#include "ostiary/v1/session_service.pb.h"
#include "ostiary/v1/token_service.pb.h"
#include "server/base/reason.h"
#include "server/door/errors.h"
#include "tests/server/door/door_house.h"
#include "tests/support/status_matchers.h"

namespace ostiary::door {
namespace {

using ::ostiary::testing::DoorHouse;
using ::ostiary::testing::kNewPassword;
using ::ostiary::testing::kPassword;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kSignIn[] = "ostiary.v1.AuthService/SignInWithPassword";
constexpr char kVerify[] = "ostiary.v1.TokenService/Verify";

class Dispatch : public ::testing::Test {
 protected:
  Dispatch() { house_.house.SignUp("ada"); }

  static v1::SignInWithPasswordRequest SignInRequest() {
    v1::SignInWithPasswordRequest request;
    request.set_identifier("ada");
    request.set_password(kPassword);
    return request;
  }
  absl::Status SignIn(v1::SignInWithPasswordRequest& request,
                      const CallContext& context = DoorHouse::OverGrpc()) {
    v1::SignInWithPasswordResponse response;
    return house_.Call(kSignIn, request, response, context);
  }

  DoorHouse house_;
};

TEST_F(Dispatch, AnswersACall) {
  v1::SignInWithPasswordRequest request = SignInRequest();
  v1::SignInWithPasswordResponse response;
  ASSERT_OK(house_.Call(kSignIn, request, response, DoorHouse::OverGrpc()));
  EXPECT_EQ(response.tokens().token_type(), "Bearer");
  EXPECT_GT(response.tokens().expires_in().seconds(), 890);
  EXPECT_EQ(house_.house.Verdict(response.tokens().access_token()), "");
}

TEST_F(Dispatch, ClosedDoorIsUnavailable) {
  v1::SignInWithPasswordRequest request = SignInRequest();
  house_.door->Close();
  EXPECT_FALSE(house_.door->Ready());
  absl::Status status = SignIn(request);
  EXPECT_EQ(ReasonOf(status), Reason::kNotReady);
  EXPECT_THAT(status, testing::HasCode(absl::StatusCode::kUnavailable));
  v1::VerifyRequest verify;
  v1::VerifyResponse verdict;
  EXPECT_EQ(
      ReasonOf(house_.Call(kVerify, verify, verdict, DoorHouse::OverGrpc())),
      Reason::kNotReady);
  house_.door->Open();
  request = SignInRequest();
  EXPECT_OK(SignIn(request));
}

TEST_F(Dispatch, CallWhoseTimeHasPassedIsNotBegun) {
  v1::SignInWithPasswordRequest request = SignInRequest();
  CallContext context = DoorHouse::OverGrpc();
  context.deadline = house_.house.clock.Now();
  const int turns = house_.house->lane.turns();
  EXPECT_EQ(ReasonOf(SignIn(request, context)), Reason::kDeadlineExceeded);
  request = SignInRequest();
  context = DoorHouse::OverGrpc();
  context.cancelled = [] { return true; };
  EXPECT_EQ(ReasonOf(SignIn(request, context)), Reason::kCancelled);
  EXPECT_EQ(house_.house->lane.turns(), turns);
}

TEST_F(Dispatch, FullLaneAnswersAtOnceWithWhenToComeBack) {
  absl::Notification occupied;
  absl::Notification release;
  ASSERT_TRUE(house_.password_lane.TrySubmit([&] {
    occupied.Notify();
    release.WaitForNotification();
  }));
  occupied.WaitForNotification();
  ASSERT_TRUE(house_.password_lane.TrySubmit([] {}));  // fills the queue
  v1::SignInWithPasswordRequest request = SignInRequest();
  const absl::Status status = SignIn(request);
  EXPECT_EQ(ReasonOf(status), Reason::kOverloaded);
  EXPECT_THAT(status, testing::HasCode(absl::StatusCode::kResourceExhausted));
  EXPECT_GT(RetryAfterOf(status), absl::ZeroDuration());
  EXPECT_EQ(request.password(), "");
  // Nothing starves Verify: it answers on this very thread meanwhile.
  v1::VerifyRequest verify;
  v1::VerifyResponse verdict;
  verify.set_token("x");
  EXPECT_OK(house_.Call(kVerify, verify, verdict, DoorHouse::OverGrpc()));
  EXPECT_EQ(verdict.reason(), "TOKEN_MALFORMED");
  release.Notify();
  house_.password_lane.WaitUntilIdle();
}

// --- No secret stays in a request, whatever became of the call.

TEST_F(Dispatch, SecretsAreWipedWhereTheCallSucceeds) {
  v1::SignInWithPasswordRequest request = SignInRequest();
  ASSERT_OK(SignIn(request));
  EXPECT_EQ(request.password(), "");
}

TEST_F(Dispatch, SecretsAreWipedWhereTheHandlerNeverRuns) {
  house_.door->Close();
  v1::SignInWithPasswordRequest sign_in = SignInRequest();
  EXPECT_FALSE(SignIn(sign_in).ok());
  EXPECT_EQ(sign_in.password(), "");
  house_.door->Open();
  // Admission refuses these.
  v1::ChangePasswordRequest change;
  v1::ChangePasswordResponse changed;
  change.set_current_password(kPassword);
  change.set_new_password(kNewPassword);
  EXPECT_EQ(ReasonOf(house_.Call("ostiary.v1.AuthService/ChangePassword",
                                 change, changed, DoorHouse::OverGrpc())),
            Reason::kUnauthenticated);
  EXPECT_EQ(change.current_password(), "");
  EXPECT_EQ(change.new_password(), "");
  v1::CreateAccountRequest create;
  v1::CreateAccountResponse created;
  create.set_username("bob");
  create.set_password(kPassword);
  EXPECT_FALSE(house_
                   .Call("ostiary.v1.AccountService/CreateAccount", create,
                         created, DoorHouse::OverGrpc())
                   .ok());
  EXPECT_EQ(create.password(), "");
  create.set_password_hash("$2b$12$something");
  EXPECT_FALSE(house_
                   .Call("ostiary.v1.AccountService/CreateAccount", create,
                         created, DoorHouse::OverGrpc())
                   .ok());
  EXPECT_EQ(create.password_hash(), "");
}

TEST_F(Dispatch, RefreshTokensAreWiped) {
  const std::string token = house_.house.SignIn("ada").refresh_token;
  v1::RefreshRequest refresh;
  v1::RefreshResponse refreshed;
  refresh.set_refresh_token(token);
  ASSERT_OK(house_.Call("ostiary.v1.AuthService/Refresh", refresh, refreshed,
                        DoorHouse::OverGrpc()));
  EXPECT_EQ(refresh.refresh_token(), "");
  v1::SignOutRequest out;
  v1::SignOutResponse outed;
  out.set_refresh_token(token);
  ASSERT_OK(house_.Call("ostiary.v1.AuthService/SignOut", out, outed,
                        DoorHouse::OverGrpc()));
  EXPECT_EQ(out.refresh_token(), "");
  EXPECT_NE(outed.revision(), "");
}

// --- What is inside stays inside.

TEST_F(Dispatch, ErrorThatIsNotOursBecomesAnIncident) {
  MethodBook broken;
  broken.Serve<v1::ListSessionsRequest, v1::ListSessionsResponse>(
      "ostiary.v1.SessionService/ListSessions",
      [](const auto&, auto&, auto&) -> absl::Status {
        return absl::InternalError("SQL error near secret");
      });
  HouseDoor door({house_.house.clock,
                  house_.house->random,
                  house_.house->logger,
                  house_.metrics,
                  house_.admission,
                  broken,
                  house_.store_lane,
                  house_.password_lane,
                  house_.slow_lane,
                  {}});
  door.Open();
  v1::ListSessionsRequest request;
  const MethodRow& row = *door.Find("ostiary.v1.SessionService/ListSessions");
  Reply reply{door.NewResponse(row)};
  const CallContext context = DoorHouse::OnTheSocket();
  absl::Notification done;
  absl::Status result;
  door.Dispatch(row, context, request, reply, [&](absl::Status status) {
    result = std::move(status);
    done.Notify();
  });
  done.WaitForNotification();
  const std::string out = ToRpcStatus(result).SerializeAsString();
  EXPECT_THAT(result, testing::HasCode(absl::StatusCode::kInternal));
  EXPECT_THAT(out, Not(HasSubstr("secret")));
  EXPECT_THAT(std::string(result.message()), HasSubstr("Incident "));
}

TEST_F(Dispatch, CallsAreCountedByMethodAndCode) {
  v1::SignInWithPasswordRequest request = SignInRequest();
  ASSERT_OK(SignIn(request));
  request = SignInRequest();
  request.set_password("wrong");
  EXPECT_FALSE(SignIn(request).ok());
  const std::string text = house_.metrics.Render();
  EXPECT_THAT(text, HasSubstr("code=\"OK\""));
  EXPECT_THAT(text, HasSubstr("code=\"UNAUTHENTICATED\""));
  EXPECT_THAT(text, Not(HasSubstr("ada")));
}

}  // namespace
}  // namespace ostiary::door

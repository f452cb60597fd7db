#include "server/door/methods.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "ostiary/v1/account_service.pb.h"
#include "ostiary/v1/admin_service.pb.h"
#include "ostiary/v1/auth_service.pb.h"
#include "ostiary/v1/session_service.pb.h"
#include "ostiary/v1/token_service.pb.h"
#include "server/base/reason.h"
#include "tests/server/door/door_house.h"
#include "tests/support/status_matchers.h"

namespace ostiary::door {
namespace {

using ::ostiary::testing::DoorHouse;
using ::ostiary::testing::House;
using ::ostiary::testing::kIssuer;
using ::ostiary::testing::kPassword;
using ::ostiary::testing::ValueOf;
using ::testing::ElementsAre;

class Methods : public ::testing::Test {
 protected:
  Methods() {
    account_ = house_.house.SignUp("ada");
    tokens_ = house_.house.SignIn("ada", kPassword, "read");
  }
  absl::Status Call(absl::string_view method,
                    google::protobuf::Message& request,
                    google::protobuf::Message& response,
                    const CallContext& context = DoorHouse::OverGrpc()) {
    return house_.Call(absl::StrCat("ostiary.v1.", method), request, response,
                       context);
  }
  void ExpectField(const absl::Status& status, const std::string& field) {
    EXPECT_EQ(ReasonOf(status), Reason::kArgumentInvalid);
    const auto violations = FieldViolationsOf(status);
    ASSERT_EQ(violations.size(), 1u) << status;
    EXPECT_EQ(violations[0].field, field);
  }
  CallContext AsAda() { return DoorHouse::OverGrpc(tokens_.access_token); }

  DoorHouse house_;
  AccountId account_;
  flow::IssuedTokens tokens_;
};

// --- Verify.

TEST_F(Methods, VerifyChecksForTheDefaultAudienceIfNoneIsNamed) {
  v1::VerifyRequest request;
  v1::VerifyResponse response;
  request.set_token(tokens_.access_token);
  ASSERT_OK(Call("TokenService/Verify", request, response));
  EXPECT_TRUE(response.valid());
  EXPECT_EQ(response.reason(), "");
  EXPECT_EQ(response.claims().subject(), account_.ToString());
  EXPECT_EQ(response.claims().session_id(), tokens_.session_id.ToString());
  EXPECT_THAT(response.claims().scopes(), ElementsAre("read"));
  const auto elsewhere =
      ValueOf(house_.house.TrySignIn("ada", kPassword, "", kIssuer));
  request.set_token(elsewhere.access_token);
  response.Clear();
  ASSERT_OK(Call("TokenService/Verify", request, response));
  EXPECT_EQ(response.reason(), "AUDIENCE_MISMATCH");
  request.set_any_audience(true);
  response.Clear();
  ASSERT_OK(Call("TokenService/Verify", request, response));
  EXPECT_TRUE(response.valid());
}

TEST_F(Methods, VerifyRefusesAnAudienceTogetherWithAnyAudience) {
  v1::VerifyRequest request;
  v1::VerifyResponse response;
  request.set_token(tokens_.access_token);
  request.set_audience("api");
  request.set_any_audience(true);
  ExpectField(Call("TokenService/Verify", request, response), "any_audience");
}

TEST_F(Methods, VerifySaysNothingAboutATokenItRefuses) {
  v1::VerifyRequest request;
  v1::VerifyResponse response;
  request.set_token(tokens_.access_token);
  request.add_required_roles("admin");
  ASSERT_OK(Call("TokenService/Verify", request, response));
  EXPECT_FALSE(response.valid());
  EXPECT_EQ(response.reason(), "ROLE_MISSING");
  EXPECT_FALSE(response.has_claims());
}

TEST_F(Methods, VerdictOnTheCallersOwnHeaderIsNotGiven) {
  v1::VerifyRequest request;
  v1::VerifyResponse response;
  request.set_token(tokens_.access_token);
  EXPECT_OK(Call("TokenService/Verify", request, response,
                 DoorHouse::OverGrpc("expired.or.bad")));
}

TEST_F(Methods, VerifyHonoursTheTicketOfARevocation) {
  v1::SignOutRequest out;
  v1::SignOutResponse outed;
  out.set_refresh_token(tokens_.refresh_token);
  ASSERT_OK(Call("AuthService/SignOut", out, outed));
  v1::VerifyRequest request;
  v1::VerifyResponse response;
  request.set_token(tokens_.access_token);
  request.set_min_revision(outed.revision());
  ASSERT_OK(Call("TokenService/Verify", request, response));
  EXPECT_EQ(response.reason(), "TOKEN_REVOKED");
}

TEST_F(Methods, BatchAnswersEachInItsPlace) {
  v1::BatchVerifyRequest request;
  v1::BatchVerifyResponse response;
  request.add_requests()->set_token("x");
  request.add_requests()->set_token(tokens_.access_token);
  request.add_requests()->set_token("");
  ASSERT_OK(Call("TokenService/BatchVerify", request, response));
  ASSERT_EQ(response.responses_size(), 3);
  EXPECT_EQ(response.responses(0).reason(), "TOKEN_MALFORMED");
  EXPECT_TRUE(response.responses(1).valid());
  EXPECT_EQ(response.responses(2).reason(), "TOKEN_MALFORMED");
}

TEST_F(Methods, BatchHoldsOneToAHundred) {
  v1::BatchVerifyRequest request;
  v1::BatchVerifyResponse response;
  ExpectField(Call("TokenService/BatchVerify", request, response), "requests");
  for (int i = 0; i < 100; ++i) request.add_requests()->set_token("x");
  EXPECT_OK(Call("TokenService/BatchVerify", request, response));
  request.add_requests();
  ExpectField(Call("TokenService/BatchVerify", request, response), "requests");
}

TEST_F(Methods, BatchWithManyUnknownSignaturesLeavesTheWiresThread) {
  const auto& method =
      *house_.methods.Find("ostiary.v1.TokenService/BatchVerify");
  v1::BatchVerifyRequest request;
  for (int i = 0; i < 8; ++i)
    request.add_requests()->set_token("t" + std::to_string(i));
  Reply reply;
  EXPECT_TRUE(method.act_at_once(request, reply).has_value());
  EXPECT_NE(reply.encoded, "");
  reply.encoded.clear();
  request.add_requests()->set_token("t8");
  EXPECT_FALSE(method.act_at_once(request, reply).has_value());
  EXPECT_EQ(reply.encoded, "");
  // Known ones cost no signature.
  for (auto& one : *request.mutable_requests())
    one.set_token(tokens_.access_token);
  EXPECT_EQ(house_.house.Verdict(tokens_.access_token), "");
  EXPECT_TRUE(method.act_at_once(request, reply).has_value());
}

// Whichever thread answers, and whether the token was seen before.
TEST_F(Methods, StreamedBatchesAnswerAsVerifyDoes) {
  v1::VerifyRequest one;
  one.set_token(tokens_.access_token);
  v1::VerifyResponse alone;
  ASSERT_OK(Call("TokenService/Verify", one, alone));
  v1::VerifyStreamRequest request;
  for (int i = 0; i < 20; ++i) *request.add_requests() = one;
  for (int i = 0; i < 20; ++i)
    request.add_requests()->set_token("t" + std::to_string(i));
  v1::VerifyStreamResponse response;
  ASSERT_OK(Call("TokenService/VerifyStream", request, response));
  ASSERT_EQ(response.responses_size(), 40);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(response.responses(i).SerializeAsString(),
              alone.SerializeAsString());
    EXPECT_EQ(response.responses(20 + i).reason(), "TOKEN_MALFORMED");
  }
}

// --- Revoke: who may end what.

TEST_F(Methods, RevokeAsksForMoreTheMoreItEnds) {
  house_.house.SignUp("eve");
  const CallContext eve =
      DoorHouse::OverGrpc(house_.house.SignIn("eve").access_token);
  const std::string kid = house_.house->keys->Snapshot()->active().key_id();
  struct Line {
    std::function<void(v1::RevokeRequest&)> target;
    Reason to_anyone;
    Reason to_another_account;
  };
  const std::vector<Line> lines = {
      {[&](auto& r) { r.set_session_id(tokens_.session_id.ToString()); },
       Reason::kUnauthenticated, Reason::kNotFound},
      {[&](auto& r) { r.set_account_id(account_.ToString()); },
       Reason::kUnauthenticated, Reason::kNotFound},
      {[&](auto& r) { r.set_client_id("cli_default"); },
       Reason::kUnauthenticated, Reason::kPermissionDenied},
      {[&](auto& r) { r.set_key_id(kid); }, Reason::kUnauthenticated,
       Reason::kPermissionDenied},
  };
  for (const Line& line : lines) {
    v1::RevokeRequest request;
    v1::RevokeResponse response;
    line.target(request);
    EXPECT_EQ(ReasonOf(Call("TokenService/Revoke", request, response)),
              line.to_anyone);
    EXPECT_EQ(ReasonOf(Call("TokenService/Revoke", request, response, eve)),
              line.to_another_account);
  }
  EXPECT_TRUE(house_.house.Ledger().empty());
  for (const Line& line : lines) {
    v1::RevokeRequest request;
    v1::RevokeResponse response;
    line.target(request);
    EXPECT_OK(Call("TokenService/Revoke", request, response,
                   DoorHouse::OnTheSocket()));
    EXPECT_NE(response.revision(), "");
  }
  EXPECT_EQ(house_.house.Ledger().size(), 4u);
}

TEST_F(Methods, AccountRevokesItsOwn) {
  v1::RevokeRequest request;
  v1::RevokeResponse response;
  request.set_session_id(tokens_.session_id.ToString());
  ASSERT_OK(Call("TokenService/Revoke", request, response, AsAda()));
  EXPECT_EQ(house_.house.Verdict(tokens_.access_token), "TOKEN_REVOKED");
}

TEST_F(Methods, WhoeverHoldsATokenMayEndIt) {
  v1::RevokeRequest request;
  v1::RevokeResponse response;
  request.set_token(tokens_.access_token);
  ASSERT_OK(Call("TokenService/Revoke", request, response));
  EXPECT_EQ(house_.house.Verdict(tokens_.access_token), "TOKEN_REVOKED");
  request.set_token("not a token");
  ASSERT_OK(Call("TokenService/Revoke", request, response));
  EXPECT_EQ(response.revision(), "");
}

TEST_F(Methods, RevokeNeedsATargetAndABoundedReason) {
  v1::RevokeRequest request;
  v1::RevokeResponse response;
  ExpectField(Call("TokenService/Revoke", request, response), "target");
  request.set_token(tokens_.access_token);
  request.set_reason(std::string(201, 'x'));
  ExpectField(Call("TokenService/Revoke", request, response), "reason");
  request.set_reason("line\nbreak");
  ExpectField(Call("TokenService/Revoke", request, response), "reason");
  EXPECT_EQ(house_.house.Verdict(tokens_.access_token), "");
}

// --- Accounts and sessions.

TEST_F(Methods, UpdateChangesWhatTheMaskNamesAndNothingElse) {
  v1::UpdateAccountRequest request;
  v1::UpdateAccountResponse response;
  auto& account = *request.mutable_account();
  account.set_account_id(account_.ToString());
  account.set_display_name("Ada");
  account.set_username("not named in the mask");
  (*account.mutable_metadata()->mutable_fields())["plan"].set_string_value("x");
  ExpectField(Call("AccountService/UpdateAccount", request, response,
                   DoorHouse::OnTheSocket()),
              "update_mask");
  for (const char* path :
       {"roles", "disabled", "account_id", "", "*", "metadata.plan"}) {
    request.mutable_update_mask()->clear_paths();
    request.mutable_update_mask()->add_paths("display_name");
    request.mutable_update_mask()->add_paths(path);
    ExpectField(Call("AccountService/UpdateAccount", request, response,
                     DoorHouse::OnTheSocket()),
                "update_mask");
  }
  request.mutable_update_mask()->clear_paths();
  request.mutable_update_mask()->add_paths("display_name");
  request.mutable_update_mask()->add_paths("metadata");
  ASSERT_OK(Call("AccountService/UpdateAccount", request, response,
                 DoorHouse::OnTheSocket()));
  EXPECT_EQ(response.account().username(), "ada");
  EXPECT_EQ(response.account().display_name(), "Ada");
  EXPECT_EQ(response.account().metadata().fields().at("plan").string_value(),
            "x");
}

TEST_F(Methods, CurrentAccountIsTheCallers) {
  v1::GetCurrentAccountRequest request;
  v1::GetCurrentAccountResponse response;
  ASSERT_OK(Call("AuthService/GetCurrentAccount", request, response, AsAda()));
  EXPECT_EQ(response.account().account_id(), account_.ToString());
  EXPECT_EQ(response.account().username(), "ada");
}

TEST_F(Methods, ListedSessionsSayWhichOneAsks) {
  house_.house.clock.Advance(absl::Milliseconds(1));
  house_.house.SignIn("ada");
  v1::ListSessionsRequest request;
  v1::ListSessionsResponse response;
  ASSERT_OK(Call("SessionService/ListSessions", request, response, AsAda()));
  ASSERT_EQ(response.sessions_size(), 2);
  EXPECT_FALSE(response.sessions(0).current());
  EXPECT_TRUE(response.sessions(1).current());
  EXPECT_EQ(response.sessions(1).address(), "192.0.2.7");
}

TEST_F(Methods, NeededFieldsAreNamed) {
  v1::SignInWithPasswordRequest sign_in;
  v1::SignInWithPasswordResponse tokens;
  ExpectField(Call("AuthService/SignInWithPassword", sign_in, tokens),
              "identifier");
  sign_in.set_identifier("ada");
  ExpectField(Call("AuthService/SignInWithPassword", sign_in, tokens),
              "password");
  v1::SignOutRequest out;
  v1::SignOutResponse outed;
  ExpectField(Call("AuthService/SignOut", out, outed), "refresh_token");
  v1::GetAccountRequest get;
  v1::GetAccountResponse got;
  ExpectField(
      Call("AccountService/GetAccount", get, got, DoorHouse::OnTheSocket()),
      "key");
  v1::SetPasswordRequest set;
  v1::SetPasswordResponse was_set;
  set.set_account_id(account_.ToString());
  ExpectField(Call("AccountService/SetPassword", set, was_set,
                   DoorHouse::OnTheSocket()),
              "credential");
}

TEST_F(Methods, ServerInfoSaysWhereTheLedgerStands) {
  v1::GetServerInfoRequest request;
  v1::GetServerInfoResponse response;
  ASSERT_OK(
      house_.house->revoke.Token(House::Anyone(), tokens_.access_token, ""));
  ASSERT_OK(Call("AdminService/GetServerInfo", request, response,
                 DoorHouse::OnTheSocket()));
  EXPECT_EQ(response.version(), "1.2.3");
  EXPECT_EQ(response.issuer(), kIssuer);
  EXPECT_EQ(response.live_revocations(), 1);
  EXPECT_OK(house_.house->verify.CheckRevision(response.revision()));
}

// --- Backups.

TEST_F(Methods, ABackupIsMadeUnderTheNameThatWasGiven) {
  v1::BackUpRequest request;
  v1::BackUpResponse response;
  request.set_path("monday.db");
  ASSERT_OK(
      Call("AdminService/BackUp", request, response, DoorHouse::OnTheSocket()));
  const v1::Backup& backup = response.backup();
  EXPECT_EQ(backup.path(), house_.house.dir.File("backups/monday.db"));
  EXPECT_EQ(backup.sha256().size(), 64u);
  EXPECT_EQ(backup.epoch(), 1u);
  EXPECT_OK(house_.house->verify.CheckRevision(backup.revision()));
  ExpectField(
      Call("AdminService/BackUp", request, response, DoorHouse::OnTheSocket()),
      "path");
}

TEST_F(Methods, ABackupIsKeptOutOfTheServersOwnFiles) {
  v1::BackUpRequest request;
  v1::BackUpResponse response;
  for (const std::string& path :
       {house_.house.dir.File("mark"), std::string("../mark"),
        std::string("/x/../" + house_.house.dir.File("backups/../mark"))}) {
    request.set_path(path);
    ExpectField(Call("AdminService/BackUp", request, response,
                     DoorHouse::OnTheSocket()),
                "path");
  }
}

TEST_F(Methods, NoBackupBeginsOnceTheServerStops) {
  house_.back_up.Stop();
  v1::BackUpRequest request;
  v1::BackUpResponse response;
  EXPECT_EQ(ReasonOf(Call("AdminService/BackUp", request, response,
                          DoorHouse::OnTheSocket())),
            Reason::kNotReady);
  EXPECT_FALSE(house_.back_up.running().has_value());
}

}  // namespace
}  // namespace ostiary::door

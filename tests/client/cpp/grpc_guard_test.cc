#include "ostiary/grpc_guard.h"

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/server_builder.h"
#include "gtest/gtest.h"
#include "ostiary/test_issuer.h"
#include "ostiary/v1/auth_service.grpc.pb.h"

namespace ostiary {
namespace {

// A service of a sibling; any method does.
class Notes final : public v1::AuthService::Service {
 public:
  Notes(const Verifier& verifier, CheckOptions requirement)
      : guard_(verifier), requirement_(std::move(requirement)) {}
  grpc::Status GetCurrentAccount(
      grpc::ServerContext* context, const v1::GetCurrentAccountRequest*,
      v1::GetCurrentAccountResponse* response) override {
    const Admission caller = guard_.Check(*context, requirement_);
    if (!caller.ok()) return caller.status();
    response->mutable_account()->set_account_id(caller.claims().subject);
    return grpc::Status::OK;
  }

 private:
  const Guard guard_;
  const CheckOptions requirement_;
};

class GuardTest : public ::testing::Test {
 protected:
  struct Answer {
    grpc::StatusCode code;
    std::string text;  // the subject, or the reason
  };
  Answer CallWith(const std::vector<std::string>& headers) {
    grpc::ClientContext context;
    for (const auto& header : headers) {
      context.AddMetadata("authorization", header);
    }
    v1::GetCurrentAccountResponse response;
    const grpc::Status status =
        stub_->GetCurrentAccount(&context, {}, &response);
    if (status.ok()) return {grpc::OK, response.account().account_id()};
    google::rpc::Status details;
    google::rpc::ErrorInfo info;
    details.ParseFromString(status.error_details());
    if (details.details_size() == 1) details.details(0).UnpackTo(&info);
    EXPECT_EQ(info.domain(), "ostiary");
    return {status.error_code(), info.reason()};
  }
  Answer Call(const TestToken& token) {
    return CallWith({"Bearer " + issuer_.Sign(token)});
  }
  void Serve(const Verifier& verifier) {
    notes_ = std::make_unique<Notes>(
        verifier, CheckOptions{.scopes = {"read"}, .roles = {"user"}});
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                             &port);
    builder.RegisterService(notes_.get());
    server_ = builder.BuildAndStart();
    stub_ = v1::AuthService::NewStub(grpc::CreateChannel(
        absl::StrCat("127.0.0.1:", port), grpc::InsecureChannelCredentials()));
  }

  const TestToken good_ = {
      .subject = "acct_ada", .scopes = {"read"}, .roles = {"user"}};
  TestIssuer issuer_;
  std::unique_ptr<Verifier> verifier_ = issuer_.MakeVerifier();
  std::unique_ptr<Notes> notes_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<v1::AuthService::Stub> stub_;
};

TEST_F(GuardTest, GoodCallerPassesWithItsClaims) {
  Serve(*verifier_);
  const Answer answer = Call(good_);
  EXPECT_EQ(answer.code, grpc::OK);
  EXPECT_EQ(answer.text, "acct_ada");
  EXPECT_EQ(CallWith({"bearer " + issuer_.Sign(good_)}).code, grpc::OK);
}

TEST_F(GuardTest, WithoutOneBearerTokenNobodyPasses) {
  Serve(*verifier_);
  const std::string token = issuer_.Sign(good_);
  for (const auto& headers : std::vector<std::vector<std::string>>{
           {},
           {""},
           {token},
           {"Basic " + token},
           {"Bearer " + token, "Bearer " + token}}) {
    const Answer answer = CallWith(headers);
    EXPECT_EQ(answer.code, grpc::StatusCode::UNAUTHENTICATED);
    EXPECT_EQ(answer.text, "UNAUTHENTICATED");
  }
}

TEST_F(GuardTest, RefusedTokenIsUnauthenticatedWithItsReason) {
  Serve(*verifier_);
  EXPECT_EQ(CallWith({"Bearer nonsense"}).text, "TOKEN_MALFORMED");
  issuer_.RevokeSession("sess_gone");
  TestToken revoked = good_;
  revoked.session_id = "sess_gone";
  const Answer answer = Call(revoked);
  EXPECT_EQ(answer.code, grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(answer.text, "TOKEN_REVOKED");
}

TEST_F(GuardTest, MissingAuthorityIsPermissionDenied) {
  Serve(*verifier_);
  TestToken token = good_;
  token.scopes = {};
  EXPECT_EQ(Call(token).code, grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(Call(token).text, "SCOPE_MISSING");
  token = good_;
  token.roles = {};
  EXPECT_EQ(Call(token).code, grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(Call(token).text, "ROLE_MISSING");
}

TEST_F(GuardTest, WhenNobodyKnowsTheCallIsUnavailable) {
  VerifierOptions options;
  options.target = "127.0.0.1:1";
  options.issuer = issuer_.issuer();
  options.policy = StalenessPolicy::kRefuse;
  options.log = [](absl::string_view) {};
  const auto cut_off = Verifier::Create(options);
  ASSERT_TRUE(cut_off.ok());
  Serve(**cut_off);
  const Answer answer = Call(good_);
  EXPECT_EQ(answer.code, grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(answer.text, "CHECK_UNAVAILABLE");
  server_->Shutdown();
}

}  // namespace
}  // namespace ostiary

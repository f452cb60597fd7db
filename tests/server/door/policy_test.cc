#include "server/door/policy.h"

#include <map>
#include <set>

#include "envoy/service/auth/v3/external_auth.pb.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "ostiary/v1/account_service.pb.h"
#include "ostiary/v1/admin_service.pb.h"
#include "ostiary/v1/auth_service.pb.h"
#include "ostiary/v1/key_service.pb.h"
#include "ostiary/v1/revocation_service.pb.h"
#include "ostiary/v1/session_service.pb.h"
#include "ostiary/v1/token_service.pb.h"
#include "tests/server/door/door_house.h"

namespace ostiary::door {
namespace {

using ::ostiary::testing::DoorHouse;
using ::testing::UnorderedElementsAreArray;

// Every method of the contract, by the name the wires use.
std::map<std::string, const google::protobuf::MethodDescriptor*> Contract() {
  std::map<std::string, const google::protobuf::MethodDescriptor*> methods;
  for (const auto* file :
       {v1::CreateAccountRequest::descriptor()->file(),
        v1::GetServerInfoRequest::descriptor()->file(),
        v1::SignUpRequest::descriptor()->file(),
        v1::GetJwksRequest::descriptor()->file(),
        v1::ListSessionsRequest::descriptor()->file(),
        v1::VerifyRequest::descriptor()->file(),
        v1::WatchRequest::descriptor()->file(),
        envoy::service::auth::v3::CheckRequest::descriptor()->file()}) {
    for (int i = 0; i < file->service_count(); ++i) {
      const auto* service = file->service(i);
      for (int j = 0; j < service->method_count(); ++j) {
        methods[service->full_name() + "/" + service->method(j)->name()] =
            service->method(j);
      }
    }
  }
  return methods;
}

std::string Text(absl::string_view text) {
  return std::string(text.data(), text.size());
}

TEST(Policy, EveryMethodOfTheContractHasExactlyOneRowAndNoOtherDoes) {
  std::vector<std::string> rows;
  for (const MethodRow& row : PolicyTable()) rows.push_back(Text(row.name));
  // A route of HTTP alone.
  std::vector<std::string> contract = {"/forward-auth"};
  for (const auto& [name, method] : Contract()) contract.push_back(name);
  EXPECT_THAT(rows, UnorderedElementsAreArray(contract));
}

TEST(Policy, EveryMethodOfTheContractIsServedWithItsOwnMessages) {
  DoorHouse house;
  std::size_t calls = 0;
  for (const auto& [name, method] : Contract()) {
    if (method->server_streaming()) continue;  // revocation_feed_test
    ++calls;
    const MethodRow* row = house.door->Find(name);
    ASSERT_NE(row, nullptr) << name;
    EXPECT_EQ(row->name, name);
    EXPECT_EQ(house.door->NewRequest(*row)->GetDescriptor(),
              method->input_type())
        << name;
    EXPECT_EQ(house.door->NewResponse(*row)->GetDescriptor(),
              method->output_type())
        << name;
  }
  EXPECT_EQ(house.door->Methods().size(), calls);
}

TEST(Policy, MethodWithoutARowIsNotFound) {
  DoorHouse house;
  for (const char* name :
       {"", "ostiary.v1.AuthService/", "ostiary.v1.AuthService/Nothing",
        "/ostiary.v1.AuthService/SignUp", "/forward-auth",
        "ostiary.v1.authservice/signup"}) {
    EXPECT_EQ(house.door->Find(name), nullptr) << name;
  }
}

TEST(PolicyDeathTest, ServingAMethodWithoutARowEndsTheProcess) {
  MethodBook book;
  const auto serve = [&](absl::string_view name) {
    book.Serve<v1::SignUpRequest, v1::SignUpResponse>(
        name, [](const auto&, auto&, auto&) { return absl::OkStatus(); });
  };
  EXPECT_DEATH(serve("ostiary.v1.AuthService/Invented"), "no row");
  serve("ostiary.v1.AuthService/SignUp");
  EXPECT_DEATH(serve("ostiary.v1.AuthService/SignUp"), "twice");
}

// protocol.md 2: whatever is not named here is the operator's alone.
TEST(Policy, OnlyTheseAreNotTheOperatorsAlone) {
  const std::map<std::string, Access> open = {
      {"ostiary.v1.AuthService/SignUp", Access::kIdentified},
      {"ostiary.v1.AuthService/SignInWithPassword", Access::kAnyone},
      {"ostiary.v1.AuthService/Refresh", Access::kAnyone},
      {"ostiary.v1.AuthService/SignOut", Access::kAnyone},
      {"ostiary.v1.AuthService/GetCurrentAccount", Access::kAccount},
      {"ostiary.v1.AuthService/ChangePassword", Access::kAccount},
      {"ostiary.v1.TokenService/Verify", Access::kAnonymous},
      {"ostiary.v1.TokenService/BatchVerify", Access::kAnonymous},
      {"ostiary.v1.TokenService/VerifyStream", Access::kAnonymous},
      {"ostiary.v1.TokenService/Revoke", Access::kIdentified},
      {"ostiary.v1.RevocationService/Watch", Access::kService},
      {"envoy.service.auth.v3.Authorization/Check", Access::kService},
      {"/forward-auth", Access::kAnyone},
      {"ostiary.v1.KeyService/GetJwks", Access::kAnonymous},
      {"ostiary.v1.SessionService/ListSessions", Access::kAccountOrOperator},
      {"ostiary.v1.SessionService/RevokeSession", Access::kAccountOrOperator},
      {"ostiary.v1.SessionService/RevokeAllSessions",
       Access::kAccountOrOperator},
  };
  for (const MethodRow& row : PolicyTable()) {
    const auto found = open.find(Text(row.name));
    EXPECT_EQ(row.access,
              found == open.end() ? Access::kOperator : found->second)
        << row.name;
  }
}

TEST(Policy, WhateverHashesRunsInThePasswordLane) {
  const std::set<std::string> hashing = {
      "ostiary.v1.AuthService/SignUp",
      "ostiary.v1.AuthService/SignInWithPassword",
      "ostiary.v1.AuthService/ChangePassword",
      "ostiary.v1.AccountService/CreateAccount",
      "ostiary.v1.AccountService/SetPassword"};
  for (const MethodRow& row : PolicyTable()) {
    EXPECT_EQ(row.lane == LaneName::kPassword,
              hashing.count(Text(row.name)) == 1)
        << row.name;
  }
}

TEST(Policy, EveryRequestIsBoundedAndEveryMethodHasASlot) {
  for (const MethodRow& row : PolicyTable()) {
    EXPECT_GT(row.max_request_bytes, 0u) << row.name;
    EXPECT_LE(row.max_request_bytes, 128u * 1024) << row.name;
    if (row.name == "/forward-auth") continue;  // no gRPC to wait in
    EXPECT_GT(row.slots, 0) << row.name;
  }
}

TEST(Policy, BatchHoldsAHundredTokensOfTheSizeWeAimFor) {
  v1::BatchVerifyRequest request;
  for (int i = 0; i < 100; ++i) {
    auto& one = *request.add_requests();
    one.set_token(std::string(1024, 't'));
    one.set_audience("https://service.example");
    one.add_required_scopes("read");
  }
  for (const MethodRow& row : PolicyTable()) {
    if (row.name != "ostiary.v1.TokenService/BatchVerify") continue;
    EXPECT_LE(request.ByteSizeLong(), row.max_request_bytes);
  }
}

}  // namespace
}  // namespace ostiary::door

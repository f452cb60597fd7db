#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "tests/server/grpc/wire_test.h"

namespace ostiary::rpc {
namespace {

using LimitsTest = WireTest;

TEST_F(LimitsTest, ARequestOverTheRowsBoundIsRefusedWithItsReason) {
  Start();
  const auto channel = Connect(Address());
  const ::grpc::Status status = Verify(channel, std::string(20000, 'x'));
  EXPECT_EQ(ReasonIn(status), "REQUEST_TOO_LARGE");
  EXPECT_EQ(ReasonIn(Verify(channel, std::string(400000, 'x'))),
            "REQUEST_TOO_LARGE");
  EXPECT_TRUE(Verify(channel, std::string(16000, 'x')).ok());
}

TEST_F(LimitsTest, AMessageOverTheWiresBoundIsNotEvenRead) {
  Start();
  const ::grpc::Status status =
      Verify(Connect(Address()), std::string(600000, 'x'));
  EXPECT_EQ(status.error_code(), ::grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST_F(LimitsTest, TheWireTakesWhatTheLargestRowTakes) {
  door_.On<v1::RevokeRequest, v1::RevokeResponse>(
      kRevoke, door::LaneName::kInline,
      [](const door::CallContext&, const v1::RevokeRequest&,
         v1::RevokeResponse&) { return absl::OkStatus(); },
      700000);
  Start();
  ::grpc::ClientContext call;
  call.set_deadline(Soon());
  v1::RevokeRequest request;
  request.set_reason(std::string(650000, 'x'));
  v1::RevokeResponse response;
  EXPECT_TRUE(v1::TokenService::NewStub(Connect(Address()))
                  ->Revoke(&call, request, &response)
                  .ok());
}

TEST_F(LimitsTest, MetadataOverItsBoundIsRefused) {
  Start();
  auto stub = v1::TokenService::NewStub(Connect(Address()));
  const auto with_header = [&](std::size_t bytes) {
    ::grpc::ClientContext call;
    call.set_deadline(Soon());
    call.AddMetadata("authorization", std::string(bytes, 'a'));
    v1::VerifyResponse response;
    return stub->Verify(&call, v1::VerifyRequest(), &response).error_code();
  };
  EXPECT_EQ(with_header(7000), ::grpc::StatusCode::OK);
  EXPECT_EQ(with_header(9000), ::grpc::StatusCode::RESOURCE_EXHAUSTED);
}

// One call of the store is under way and waits to be let go; no more may be.
class FullHouseTest : public WireTest {
 protected:
  void SetUp() override {
    door_.On<v1::RevokeRequest, v1::RevokeResponse>(
        kRevoke, door::LaneName::kStore,
        [this](const door::CallContext&, const v1::RevokeRequest&,
               v1::RevokeResponse&) {
          if (!serving_.HasBeenNotified()) serving_.Notify();
          go_on_.WaitForNotification();
          return absl::OkStatus();
        },
        16 << 10, 1);
    ServerOptions options = TcpOptions();
    options.max_calls_in_flight = 1;
    Start(options);
    first_ =
        std::thread([this] { EXPECT_TRUE(Revoke(Connect(Address())).ok()); });
    serving_.WaitForNotification();
  }
  void TearDown() override { LetGo(); }

  void LetGo() {
    if (!go_on_.HasBeenNotified()) go_on_.Notify();
    if (first_.joinable()) first_.join();
  }

  static ::grpc::Status Revoke(
      const std::shared_ptr<::grpc::Channel>& channel) {
    ::grpc::ClientContext call;
    call.set_deadline(Soon());
    v1::RevokeResponse response;
    return v1::TokenService::NewStub(channel)->Revoke(
        &call, v1::RevokeRequest(), &response);
  }

  absl::Notification serving_;
  absl::Notification go_on_;
  std::thread first_;
};

TEST_F(FullHouseTest, CallsOverTheBoundInFlightAreTurnedAwayAtOnce) {
  const auto channel = Connect(Address());
  for (int i = 0; i < 10; ++i) {
    const ::grpc::Status status = Revoke(channel);
    EXPECT_EQ(status.error_code(), ::grpc::StatusCode::RESOURCE_EXHAUSTED);
    EXPECT_EQ(ReasonIn(status), "OVERLOADED");
    google::rpc::RetryInfo retry;
    ASSERT_TRUE(FindDetail(status, retry));
    EXPECT_GT(retry.retry_delay().seconds(), 0);
  }
}

// Many times, because what must not be is a race: the caller has its answer and
// the server still counts the call.
TEST_F(FullHouseTest, WhoHasHeardAnAnswerHasRoomForTheNextCall) {
  LetGo();
  const auto channel = Connect(Address());
  for (int i = 0; i < 2000; ++i) ASSERT_TRUE(Revoke(channel).ok()) << i;
}

TEST_F(FullHouseTest, WhatIsAnsweredAtOnceNeedsNoPlace) {
  const auto channel = Connect(Address());
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(Verify(channel).ok());
}

TEST_F(LimitsTest, AnAnswersDetailsFitIntoAClientsMetadata) {
  door_.On<v1::RevokeRequest, v1::RevokeResponse>(
      kRevoke, door::LaneName::kInline,
      [](const door::CallContext&, const v1::RevokeRequest&,
         v1::RevokeResponse&) {
        return RefuseFields(
            Reason::kArgumentInvalid,
            std::vector<FieldViolation>(200, {"requests.token", "is missing"}));
      });
  Start();
  ::grpc::ClientContext call;
  call.set_deadline(Soon());
  v1::RevokeResponse response;
  const ::grpc::Status status =
      v1::TokenService::NewStub(Connect(Address()))
          ->Revoke(&call, v1::RevokeRequest(), &response);
  EXPECT_EQ(status.error_code(), ::grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(ReasonIn(status), "ARGUMENT_INVALID");
}

}  // namespace
}  // namespace ostiary::rpc

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

TEST_F(LimitsTest, CallsOverTheBoundInFlightAreTurnedAwayAtOnce) {
  absl::Notification serving;
  absl::Notification go_on;
  door_.On<v1::RevokeRequest, v1::RevokeResponse>(
      kRevoke, door::LaneName::kStore,
      [&](const door::CallContext&, const v1::RevokeRequest&,
          v1::RevokeResponse&) {
        serving.Notify();
        go_on.WaitForNotification();
        return absl::OkStatus();
      },
      16 << 10, 1);
  ServerOptions options = TcpOptions();
  options.max_calls_in_flight = 1;
  Start(options);
  std::thread first([&] {
    ::grpc::ClientContext call;
    call.set_deadline(Soon());
    v1::RevokeResponse response;
    EXPECT_TRUE(v1::TokenService::NewStub(Connect(Address()))
                    ->Revoke(&call, v1::RevokeRequest(), &response)
                    .ok());
  });
  serving.WaitForNotification();
  const auto channel = Connect(Address());
  for (int i = 0; i < 10; ++i) {
    const ::grpc::Status status = Verify(channel);
    EXPECT_EQ(status.error_code(), ::grpc::StatusCode::RESOURCE_EXHAUSTED);
    EXPECT_EQ(ReasonIn(status), "OVERLOADED");
    google::rpc::RetryInfo retry;
    ASSERT_TRUE(FindDetail(status, retry));
    EXPECT_GT(retry.retry_delay().seconds(), 0);
  }
  go_on.Notify();
  first.join();
  EXPECT_TRUE(Verify(channel).ok());
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

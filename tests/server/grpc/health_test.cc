#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "grpc/health/v1/health.grpc.pb.h"
#include "tests/server/grpc/wire_test.h"

namespace ostiary::rpc {
namespace {

using ::grpc::health::v1::HealthCheckRequest;
using ::grpc::health::v1::HealthCheckResponse;
using HealthStub = ::grpc::health::v1::Health::Stub;

class HealthTest : public WireTest {
 protected:
  void StartHealth() {
    ServerOptions options = TcpOptions();
    options.health_interval = absl::Milliseconds(5);
    options.max_watches = 2;
    Start(options);
    stub_ = ::grpc::health::v1::Health::NewStub(Connect(Address()));
  }

  ::grpc::Status Check(const std::string& service,
                       HealthCheckResponse& response) {
    ::grpc::ClientContext call;
    call.set_deadline(Soon());
    HealthCheckRequest request;
    request.set_service(service);
    return stub_->Check(&call, request, &response);
  }

  struct Watch {
    ::grpc::ClientContext call;
    std::unique_ptr<::grpc::ClientReader<HealthCheckResponse>> reader;

    // UNKNOWN: the stream has ended.
    HealthCheckResponse::ServingStatus Next() {
      HealthCheckResponse response;
      return reader->Read(&response) ? response.status()
                                     : HealthCheckResponse::UNKNOWN;
    }
  };

  std::unique_ptr<Watch> Open(const std::string& service) {
    auto watch = std::make_unique<Watch>();
    watch->call.set_deadline(Soon());
    HealthCheckRequest request;
    request.set_service(service);
    watch->reader = stub_->Watch(&watch->call, request);
    return watch;
  }

  std::unique_ptr<HealthStub> stub_;
};

TEST_F(HealthTest, EveryServiceIsHealthyWhileTheDoorIsReady) {
  StartHealth();
  for (const char* service :
       {"", "ostiary.v1.TokenService", "grpc.health.v1.Health"}) {
    HealthCheckResponse response;
    ASSERT_TRUE(Check(service, response).ok()) << service;
    EXPECT_EQ(response.status(), HealthCheckResponse::SERVING);
  }
}

TEST_F(HealthTest, NoServiceIsHealthyWhileTheDoorIsNotReady) {
  door_.set_ready(false);
  StartHealth();
  HealthCheckResponse response;
  ASSERT_TRUE(Check("", response).ok());
  EXPECT_EQ(response.status(), HealthCheckResponse::NOT_SERVING);
}

TEST_F(HealthTest, CheckOfAnUnknownServiceIsNotFound) {
  StartHealth();
  HealthCheckResponse response;
  const ::grpc::Status status = Check("no.such.Service", response);
  EXPECT_EQ(status.error_code(), ::grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(ReasonIn(status), "NOT_FOUND");
}

TEST_F(HealthTest, WatchTellsTheStateAndThenEveryChange) {
  StartHealth();
  auto watch = Open("ostiary.v1.TokenService");
  EXPECT_EQ(watch->Next(), HealthCheckResponse::SERVING);
  door_.set_ready(false);
  EXPECT_EQ(watch->Next(), HealthCheckResponse::NOT_SERVING);
  door_.set_ready(true);
  EXPECT_EQ(watch->Next(), HealthCheckResponse::SERVING);
}

TEST_F(HealthTest, WatchOfAnUnknownServiceStaysOpen) {
  StartHealth();
  auto watch = Open("no.such.Service");
  EXPECT_EQ(watch->Next(), HealthCheckResponse::SERVICE_UNKNOWN);
  server_->Drain(absl::Seconds(5));
  EXPECT_EQ(watch->Next(), HealthCheckResponse::UNKNOWN);
}

TEST_F(HealthTest, WatchesEndUnavailableAtDrain) {
  StartHealth();
  auto watch = Open("");
  EXPECT_EQ(watch->Next(), HealthCheckResponse::SERVING);
  const absl::Time start = absl::Now();
  server_->Drain(absl::Seconds(10));
  EXPECT_LT(absl::Now() - start, absl::Seconds(1));
  EXPECT_EQ(watch->Next(), HealthCheckResponse::UNKNOWN);
  const ::grpc::Status status = watch->reader->Finish();
  EXPECT_EQ(status.error_code(), ::grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(ReasonIn(status), "NOT_READY");
}

TEST_F(HealthTest, WatchesOverTheBoundAreTurnedAwayUntilOneEnds) {
  StartHealth();
  auto first = Open("");
  auto second = Open("");
  EXPECT_EQ(first->Next(), HealthCheckResponse::SERVING);
  EXPECT_EQ(second->Next(), HealthCheckResponse::SERVING);
  auto third = Open("");
  EXPECT_EQ(third->Next(), HealthCheckResponse::UNKNOWN);
  EXPECT_EQ(third->reader->Finish().error_code(),
            ::grpc::StatusCode::RESOURCE_EXHAUSTED);
  first->call.TryCancel();
  EXPECT_EQ(first->reader->Finish().error_code(),
            ::grpc::StatusCode::CANCELLED);
  const absl::Time limit = absl::Now() + absl::Seconds(5);
  while (Open("")->Next() != HealthCheckResponse::SERVING)
    ASSERT_LT(absl::Now(), limit);
}

TEST_F(HealthTest, WatchersComeAndGoWhileTheStateChanges) {
  StartHealth();
  std::vector<std::thread> watchers;
  for (int i = 0; i < 4; ++i) {
    watchers.emplace_back([&] {
      for (int j = 0; j < 20; ++j) {
        auto watch = Open("");
        watch->Next();
        watch->call.TryCancel();
        watch->reader->Finish();
      }
    });
  }
  for (int i = 0; i < 50; ++i) {
    door_.set_ready(i % 2 == 0);
    absl::SleepFor(absl::Milliseconds(1));
  }
  for (std::thread& watcher : watchers) watcher.join();
  server_->Drain(absl::Seconds(5));
}

}  // namespace
}  // namespace ostiary::rpc

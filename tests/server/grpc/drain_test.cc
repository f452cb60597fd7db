#include <atomic>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "tests/server/grpc/wire_test.h"

namespace ostiary::rpc {
namespace {

class DrainTest : public WireTest {
 protected:
  // Revoke waits until it is let go.
  DrainTest() {
    door_.On<v1::RevokeRequest, v1::RevokeResponse>(
        kRevoke, door::LaneName::kStore,
        [this](const door::CallContext& context, const v1::RevokeRequest&,
               v1::RevokeResponse& response) {
          serving_.Notify();
          while (
              !go_on_.WaitForNotificationWithTimeout(absl::Milliseconds(1)) &&
              !context.cancelled()) {
          }
          response.set_revision("r1");
          return absl::OkStatus();
        });
  }

  std::thread CallRevoke(::grpc::StatusCode expected) {
    std::thread caller([this, expected] {
      ::grpc::ClientContext call;
      call.set_deadline(Soon());
      v1::RevokeResponse response;
      EXPECT_EQ(v1::TokenService::NewStub(Connect(Address()))
                    ->Revoke(&call, v1::RevokeRequest(), &response)
                    .error_code(),
                expected);
    });
    serving_.WaitForNotification();
    return caller;
  }

  absl::Duration TimeToDrain(absl::Duration patience) {
    const absl::Time start = absl::Now();
    server_->Drain(patience);
    return absl::Now() - start;
  }

  absl::Notification serving_;
  absl::Notification go_on_;
};

TEST_F(DrainTest, AnIdleClientDoesNotHoldTheServer) {
  Start();
  const auto idle = Connect(Address());
  ASSERT_TRUE(Verify(idle).ok());
  EXPECT_LT(TimeToDrain(absl::Seconds(10)), absl::Seconds(1));
}

TEST_F(DrainTest, ACallInFlightGetsItsAnswer) {
  Start();
  const auto idle = Connect(Address());
  ASSERT_TRUE(Verify(idle).ok());
  std::thread caller = CallRevoke(::grpc::StatusCode::OK);
  std::thread releaser([this] {
    absl::SleepFor(absl::Milliseconds(50));
    go_on_.Notify();
  });
  const absl::Duration took = TimeToDrain(absl::Seconds(10));
  EXPECT_GE(took, absl::Milliseconds(40));
  EXPECT_LT(took, absl::Seconds(1));
  releaser.join();
  caller.join();
}

TEST_F(DrainTest, ACallThatOutlastsThePatienceIsCancelled) {
  Start();
  std::thread caller = CallRevoke(::grpc::StatusCode::UNAVAILABLE);
  EXPECT_LT(TimeToDrain(absl::Milliseconds(100)), absl::Seconds(2));
  caller.join();
}

TEST_F(DrainTest, ADrainedServerTakesNoCallsAndDrainsOnce) {
  Start();
  const std::string address = Address();
  server_->Drain(absl::Seconds(1));
  server_->Drain(absl::Seconds(1));
  EXPECT_EQ(Verify(Connect(address)).error_code(),
            ::grpc::StatusCode::UNAVAILABLE);
}

TEST_F(DrainTest, TheLanesAreWaitedFor) {
  std::atomic<int> waits{0};
  ServerOptions options = TcpOptions();
  options.wait_for_lanes = [&] { ++waits; };
  ASSERT_OK_AND_ASSIGN(server_, Server::Start(door_, options));
  server_.reset();
  EXPECT_EQ(waits, 1);
}

// Again and again, because the disaster would be an operation on a queue that
// has just been shut down, which aborts the process.
TEST_F(DrainTest, DrainingUnderLoadHarmsNobody) {
  door_.On<v1::SignUpRequest, v1::SignUpResponse>(
      kSignUp, door::LaneName::kStore,
      [](const door::CallContext&, const v1::SignUpRequest&,
         v1::SignUpResponse&) { return absl::OkStatus(); });
  for (int round = 0; round < 10; ++round) {
    Start();
    std::vector<std::thread> callers;
    for (int i = 0; i < 4; ++i) {
      callers.emplace_back([&, i, channel = Connect(Address())] {
        auto stub = v1::AuthService::NewStub(channel);
        for (bool served = true; served;) {
          if (i % 2 == 0) {
            served = Verify(channel).ok();
            continue;
          }
          ::grpc::ClientContext call;
          call.set_deadline(Soon());
          v1::SignUpResponse response;
          served = stub->SignUp(&call, v1::SignUpRequest(), &response).ok();
        }
      });
    }
    absl::SleepFor(absl::Milliseconds(20));
    EXPECT_LT(TimeToDrain(absl::Seconds(10)), absl::Seconds(2));
    for (std::thread& caller : callers) caller.join();
  }
}

}  // namespace
}  // namespace ostiary::rpc

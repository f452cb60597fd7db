#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "grpcpp/support/sync_stream.h"
#include "tests/server/grpc/wire_test.h"

namespace ostiary::rpc {
namespace {

using ::grpc::StatusCode;
using Stream = ::grpc::ClientReaderWriter<v1::VerifyStreamRequest,
                                          v1::VerifyStreamResponse>;

constexpr char kVerifyStream[] = "ostiary.v1.TokenService/VerifyStream";

class ExchangeTest : public WireTest {
 protected:
  // Answers each token with itself as the reason; "bad" is refused.
  void ServeEchoes(door::LaneName lane = door::LaneName::kInline) {
    door_.OnExchange<v1::VerifyStreamRequest, v1::VerifyStreamResponse>(
        kVerifyStream, lane,
        [this](const door::CallContext& context,
               const v1::VerifyStreamRequest& request,
               v1::VerifyStreamResponse& response) {
          ++served_;
          for (const v1::VerifyRequest& one : request.requests()) {
            if (one.token() == "bad") return RefuseField("requests", "no");
            while (one.token() == "slow" && !context.cancelled())
              absl::SleepFor(absl::Milliseconds(1));
            response.add_responses()->set_reason(one.token());
          }
          return absl::OkStatus();
        });
  }

  static bool Send(Stream& stream, const std::string& token) {
    v1::VerifyStreamRequest request;
    request.add_requests()->set_token(token);
    return stream.Write(request);
  }
  static std::string Receive(Stream& stream) {
    v1::VerifyStreamResponse response;
    if (!stream.Read(&response)) return "(ended)";
    return response.responses_size() == 1 ? response.responses(0).reason()
                                          : "(not one)";
  }

  std::atomic<int> served_{0};
};

TEST_F(ExchangeTest, EachRequestIsAnsweredInOrder) {
  ServeEchoes();
  Start();
  ::grpc::ClientContext call;
  const auto stream =
      v1::TokenService::NewStub(Connect(Address()))->VerifyStream(&call);
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(Send(*stream, "a" + std::to_string(i)));
    EXPECT_EQ(Receive(*stream), "a" + std::to_string(i));
  }
  // Also those that were sent before the first was answered.
  for (int i = 0; i < 50; ++i)
    ASSERT_TRUE(Send(*stream, "b" + std::to_string(i)));
  for (int i = 0; i < 50; ++i)
    EXPECT_EQ(Receive(*stream), "b" + std::to_string(i));
  stream->WritesDone();
  EXPECT_EQ(Receive(*stream), "(ended)");
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(ExchangeTest, ALaneAnswersToo) {
  ServeEchoes(door::LaneName::kStore);
  Start();
  ::grpc::ClientContext call;
  const auto stream =
      v1::TokenService::NewStub(Connect(Address()))->VerifyStream(&call);
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(Send(*stream, std::to_string(i)));
  stream->WritesDone();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(Receive(*stream), std::to_string(i));
  EXPECT_EQ(Receive(*stream), "(ended)");
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(ExchangeTest, ARefusalEndsTheStreamAfterTheAnswersBeforeIt) {
  ServeEchoes();
  Start();
  ::grpc::ClientContext call;
  const auto stream =
      v1::TokenService::NewStub(Connect(Address()))->VerifyStream(&call);
  ASSERT_TRUE(Send(*stream, "a"));
  ASSERT_TRUE(Send(*stream, "bad"));
  Send(*stream, "never answered");
  EXPECT_EQ(Receive(*stream), "a");
  EXPECT_EQ(Receive(*stream), "(ended)");
  EXPECT_EQ(stream->Finish().error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(served_, 2);
}

TEST_F(ExchangeTest, ARequestOverItsBoundEndsTheStream) {
  ServeEchoes();
  Start();
  ::grpc::ClientContext call;
  const auto stream =
      v1::TokenService::NewStub(Connect(Address()))->VerifyStream(&call);
  ASSERT_TRUE(Send(*stream, std::string(20'000, 'x')));
  EXPECT_EQ(Receive(*stream), "(ended)");
  EXPECT_EQ(stream->Finish().error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(served_, 0);
}

TEST_F(ExchangeTest, ACallerWhoGoesIsNoticedByTheLane) {
  ServeEchoes(door::LaneName::kStore);
  Start();
  ::grpc::ClientContext call;
  const auto stream =
      v1::TokenService::NewStub(Connect(Address()))->VerifyStream(&call);
  ASSERT_TRUE(Send(*stream, "slow"));
  while (served_ == 0) absl::SleepFor(absl::Milliseconds(1));
  call.TryCancel();
  EXPECT_EQ(stream->Finish().error_code(), StatusCode::CANCELLED);
  door_.lane().WaitUntilIdle();  // or hangs
}

TEST_F(ExchangeTest, DrainingEndsIdleStreamsAndSaysSo) {
  ServeEchoes();
  Start();
  ::grpc::ClientContext call;
  const auto stream =
      v1::TokenService::NewStub(Connect(Address()))->VerifyStream(&call);
  ASSERT_TRUE(Send(*stream, "a"));
  EXPECT_EQ(Receive(*stream), "a");
  const absl::Time began = absl::Now();
  server_->Drain(absl::Seconds(20));
  EXPECT_LT(absl::Now() - began, absl::Seconds(10));
  EXPECT_EQ(Receive(*stream), "(ended)");
  EXPECT_EQ(stream->Finish().error_code(), StatusCode::UNAVAILABLE);
}

TEST_F(ExchangeTest, MoreStreamsThanMayBeInFlightAreRefused) {
  ServeEchoes();
  ServerOptions options = TcpOptions();
  options.max_calls_in_flight = 2;
  Start(options);
  const auto stub = v1::TokenService::NewStub(Connect(Address()));
  ::grpc::ClientContext first, second, third;
  const auto one = stub->VerifyStream(&first);
  const auto two = stub->VerifyStream(&second);
  for (Stream* stream : {one.get(), two.get()}) {
    ASSERT_TRUE(Send(*stream, "a"));
    EXPECT_EQ(Receive(*stream), "a");
  }
  EXPECT_EQ(stub->VerifyStream(&third)->Finish().error_code(),
            StatusCode::RESOURCE_EXHAUSTED);
  // A stream that ends makes room.
  one->WritesDone();
  EXPECT_TRUE(one->Finish().ok());
  ::grpc::ClientContext fourth;
  const auto four = stub->VerifyStream(&fourth);
  ASSERT_TRUE(Send(*four, "b"));
  EXPECT_EQ(Receive(*four), "b");
}

TEST_F(ExchangeTest, ManyStreamsCancelsAndTheDrainMayMeet) {
  ServeEchoes(door::LaneName::kStore);
  Start();
  const auto stub = v1::TokenService::NewStub(Connect(Address()));
  std::atomic<bool> stop{false};
  std::vector<std::thread> callers;
  for (int t = 0; t < 4; ++t) {
    callers.emplace_back([&, t] {
      for (int i = 0; !stop; ++i) {
        ::grpc::ClientContext call;
        const auto stream = stub->VerifyStream(&call);
        for (int k = 0; k < 5; ++k)
          if (!Send(*stream, "x") || Receive(*stream) != "x") break;
        if ((i + t) % 2 == 0) call.TryCancel();
        stream->WritesDone();
        stream->Finish();
      }
    });
  }
  absl::SleepFor(absl::Milliseconds(300));
  server_->Drain(absl::Seconds(20));
  stop = true;
  for (std::thread& caller : callers) caller.join();
  EXPECT_GT(served_, 0);
}

}  // namespace
}  // namespace ostiary::rpc

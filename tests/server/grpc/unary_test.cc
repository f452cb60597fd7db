#include <atomic>
#include <future>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "grpcpp/generic/generic_stub.h"
#include "tests/server/grpc/wire_test.h"

namespace ostiary::rpc {
namespace {

using UnaryTest = WireTest;

TEST_F(UnaryTest, AnInlineAnswerArrives) {
  Start();
  ::grpc::ClientContext call;
  call.set_deadline(Soon());
  v1::VerifyRequest request;
  request.set_token("ada");
  v1::VerifyResponse response;
  const ::grpc::Status status = v1::TokenService::NewStub(Connect(Address()))
                                    ->Verify(&call, request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_TRUE(response.valid());
  EXPECT_EQ(response.reason(), "ada");
}

TEST_F(UnaryTest, AnAnswerFromALaneArrives) {
  door_.On<v1::SignUpRequest, v1::SignUpResponse>(
      kSignUp, door::LaneName::kStore,
      [](const door::CallContext&, const v1::SignUpRequest& request,
         v1::SignUpResponse& response) {
        response.mutable_account()->set_username(request.username());
        return absl::OkStatus();
      });
  Start();
  ::grpc::ClientContext call;
  call.set_deadline(Soon());
  v1::SignUpRequest request;
  request.set_username("ada");
  v1::SignUpResponse response;
  ASSERT_TRUE(v1::AuthService::NewStub(Connect(Address()))
                  ->SignUp(&call, request, &response)
                  .ok());
  EXPECT_EQ(response.account().username(), "ada");
}

TEST_F(UnaryTest, ARefusalCarriesItsReasonAndItsFields) {
  door_.On<v1::RevokeRequest, v1::RevokeResponse>(
      kRevoke, door::LaneName::kStore,
      [](const door::CallContext&, const v1::RevokeRequest&,
         v1::RevokeResponse&) {
        return RefuseField("target", "expected exactly one");
      });
  Start();
  ::grpc::ClientContext call;
  call.set_deadline(Soon());
  v1::RevokeResponse response;
  const ::grpc::Status status =
      v1::TokenService::NewStub(Connect(Address()))
          ->Revoke(&call, v1::RevokeRequest(), &response);
  EXPECT_EQ(status.error_code(), ::grpc::StatusCode::INVALID_ARGUMENT);
  google::rpc::ErrorInfo info;
  ASSERT_TRUE(FindDetail(status, info));
  EXPECT_EQ(info.reason(), "ARGUMENT_INVALID");
  EXPECT_EQ(info.domain(), "ostiary");
  google::rpc::BadRequest bad_request;
  ASSERT_TRUE(FindDetail(status, bad_request));
  EXPECT_EQ(bad_request.field_violations(0).field(), "target");
}

TEST_F(UnaryTest, WhatTheDoorDidNotWordStaysInside) {
  door_.On<v1::RevokeRequest, v1::RevokeResponse>(
      kRevoke, door::LaneName::kInline,
      [](const door::CallContext&, const v1::RevokeRequest&,
         v1::RevokeResponse&) {
        return absl::InternalError("/var/lib/secret-path");
      });
  Start();
  ::grpc::ClientContext call;
  call.set_deadline(Soon());
  v1::RevokeResponse response;
  const ::grpc::Status status =
      v1::TokenService::NewStub(Connect(Address()))
          ->Revoke(&call, v1::RevokeRequest(), &response);
  EXPECT_EQ(status.error_code(), ::grpc::StatusCode::INTERNAL);
  EXPECT_EQ(status.error_message().find("secret-path"), std::string::npos);
  EXPECT_EQ(status.error_details().find("secret-path"), std::string::npos);
}

TEST_F(UnaryTest, AnAnswerOfTheCallBeforeDoesNotShineThrough) {
  door_.On<v1::RevokeRequest, v1::RevokeResponse>(
      kRevoke, door::LaneName::kInline,
      [](const door::CallContext&, const v1::RevokeRequest& request,
         v1::RevokeResponse& response) {
        if (request.reason() == "first") response.set_revision("r1");
        return absl::OkStatus();
      },
      16 << 10, 1);
  Start();
  auto stub = v1::TokenService::NewStub(Connect(Address()));
  for (const char* reason : {"first", "second", "third"}) {
    ::grpc::ClientContext call;
    call.set_deadline(Soon());
    v1::RevokeRequest request;
    request.set_reason(reason);
    v1::RevokeResponse response;
    ASSERT_TRUE(stub->Revoke(&call, request, &response).ok());
    EXPECT_EQ(response.revision(), request.reason() == "first" ? "r1" : "");
  }
}

TEST_F(UnaryTest, TheContextHoldsWhatTheCallerSent) {
  Captured<door::CallContext> captured;
  door_.On<v1::RevokeRequest, v1::RevokeResponse>(
      kRevoke, door::LaneName::kInline,
      [&](const door::CallContext& context, const v1::RevokeRequest&,
          v1::RevokeResponse&) {
        captured.Set(context);
        return absl::OkStatus();
      });
  Start();
  ::grpc::ClientContext call;
  call.AddMetadata("authorization", "Bearer abc");
  call.AddMetadata("x-forwarded-for", "192.0.2.1");
  const auto deadline = Soon();
  call.set_deadline(deadline);
  v1::RevokeResponse response;
  ASSERT_TRUE(v1::TokenService::NewStub(Connect(Address()))
                  ->Revoke(&call, v1::RevokeRequest(), &response)
                  .ok());
  const door::CallContext seen = captured.Get();
  EXPECT_EQ(seen.listener, door::Listener::kGrpc);
  EXPECT_EQ(seen.peer_address, "127.0.0.1");
  EXPECT_EQ(seen.authorization, "Bearer abc");
  EXPECT_EQ(seen.forwarded_for, "192.0.2.1");
  EXPECT_NE(seen.user_agent.find("grpc-c++"), std::string::npos);
  EXPECT_TRUE(seen.certificate_identities.empty());
  EXPECT_NEAR(absl::ToDoubleSeconds(seen.deadline - absl::FromChrono(deadline)),
              0, 2);
}

TEST_F(UnaryTest, TwoAuthorizationHeadersAreNotOne) {
  Captured<std::string> seen;
  door_.On<v1::RevokeRequest, v1::RevokeResponse>(
      kRevoke, door::LaneName::kInline,
      [&](const door::CallContext& context, const v1::RevokeRequest&,
          v1::RevokeResponse&) {
        seen.Set(context.authorization);
        return absl::OkStatus();
      });
  Start();
  ::grpc::ClientContext call;
  call.set_deadline(Soon());
  call.AddMetadata("authorization", "Bearer checked-by-proxy");
  call.AddMetadata("authorization", "Bearer other");
  v1::RevokeResponse response;
  ASSERT_TRUE(v1::TokenService::NewStub(Connect(Address()))
                  ->Revoke(&call, v1::RevokeRequest(), &response)
                  .ok());
  EXPECT_EQ(seen.Get(), "Bearer checked-by-proxy, Bearer other");
}

TEST_F(UnaryTest, NoDeadlineIsTheInfiniteFuture) {
  Captured<absl::Time> seen;
  door_.On<v1::RevokeRequest, v1::RevokeResponse>(
      kRevoke, door::LaneName::kInline,
      [&](const door::CallContext& context, const v1::RevokeRequest&,
          v1::RevokeResponse&) {
        seen.Set(context.deadline);
        return absl::OkStatus();
      });
  Start();
  ::grpc::ClientContext call;
  v1::RevokeResponse response;
  ASSERT_TRUE(v1::TokenService::NewStub(Connect(Address()))
                  ->Revoke(&call, v1::RevokeRequest(), &response)
                  .ok());
  EXPECT_EQ(seen.Get(), absl::InfiniteFuture());
}

TEST_F(UnaryTest, ALaneSeesThatItsCallerHasGone) {
  absl::Notification serving;
  std::promise<bool> saw_cancel;
  door_.On<v1::RevokeRequest, v1::RevokeResponse>(
      kRevoke, door::LaneName::kStore,
      [&](const door::CallContext& context, const v1::RevokeRequest&,
          v1::RevokeResponse&) {
        serving.Notify();
        const absl::Time limit = absl::Now() + absl::Seconds(10);
        while (!context.cancelled() && absl::Now() < limit)
          absl::SleepFor(absl::Milliseconds(1));
        saw_cancel.set_value(context.cancelled());
        return absl::OkStatus();
      });
  Start();
  ::grpc::ClientContext call;
  std::thread caller([&] {
    v1::RevokeResponse response;
    const ::grpc::Status status =
        v1::TokenService::NewStub(Connect(Address()))
            ->Revoke(&call, v1::RevokeRequest(), &response);
    EXPECT_EQ(status.error_code(), ::grpc::StatusCode::CANCELLED);
  });
  serving.WaitForNotification();
  call.TryCancel();
  EXPECT_TRUE(saw_cancel.get_future().get());
  caller.join();
  EXPECT_TRUE(Verify(Connect(Address())).ok());
}

TEST_F(UnaryTest, AMethodWithoutARowIsRefusedAndNeverHangs) {
  Start();
  ::grpc::ClientContext call;
  call.set_deadline(Soon());
  v1::GetJwksResponse response;
  const ::grpc::Status status =
      v1::KeyService::NewStub(Connect(Address()))
          ->GetJwks(&call, v1::GetJwksRequest(), &response);
  EXPECT_EQ(status.error_code(), ::grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_EQ(ReasonIn(status), "METHOD_UNKNOWN");
}

::grpc::Status CallRaw(const std::shared_ptr<::grpc::Channel>& channel,
                       const std::string& method, const std::string& bytes,
                       std::chrono::system_clock::time_point deadline) {
  ::grpc::GenericStub stub(channel);
  ::grpc::ClientContext call;
  call.set_deadline(deadline);
  ::grpc::CompletionQueue queue;
  ::grpc::Slice slice(bytes);
  auto reader = stub.PrepareUnaryCall(&call, method,
                                      ::grpc::ByteBuffer(&slice, 1), &queue);
  reader->StartCall();
  ::grpc::ByteBuffer response;
  ::grpc::Status status;
  reader->Finish(&response, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  EXPECT_TRUE(queue.Next(&tag, &ok));
  return status;
}

TEST_F(UnaryTest, AMethodThatDoesNotExistIsRefusedWithAReason) {
  Start();
  const auto channel = Connect(Address());
  for (const char* method : {"/ostiary.v1.TokenService/Forge", "/nowhere/X"}) {
    const ::grpc::Status status = CallRaw(channel, method, "", Soon());
    EXPECT_EQ(status.error_code(), ::grpc::StatusCode::UNIMPLEMENTED);
    EXPECT_EQ(ReasonIn(status), "METHOD_UNKNOWN");
  }
}

TEST_F(UnaryTest, BytesThatAreNoMessageAreRefusedAndDoNotEatTheSlot) {
  Start();
  const auto channel = Connect(Address());
  for (int i = 0; i < 20; ++i) {
    const ::grpc::Status status = CallRaw(channel, absl::StrCat("/", kVerify),
                                          "\xff\xff\xff\xff", Soon());
    EXPECT_EQ(status.error_code(), ::grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_EQ(ReasonIn(status), "ARGUMENT_INVALID");
  }
  EXPECT_TRUE(Verify(channel).ok());
}

TEST_F(UnaryTest, FiveHundredCallsAtOnceOnFewSlotsAllSucceed) {
  door_.On<v1::RevokeRequest, v1::RevokeResponse>(
      kRevoke, door::LaneName::kStore,
      [&](const door::CallContext&, const v1::RevokeRequest& request,
          v1::RevokeResponse& response) {
        response.set_revision(request.reason());
        return absl::OkStatus();
      },
      16 << 10, 2);
  ServerOptions options = TcpOptions();
  options.max_concurrent_streams = 500;
  Start(options);
  auto stub = v1::TokenService::NewStub(Connect(Address()));

  struct Pending {
    ::grpc::ClientContext call;
    v1::RevokeResponse response;
    ::grpc::Status status;
    std::unique_ptr<::grpc::ClientAsyncResponseReader<v1::RevokeResponse>>
        reader;
  };
  ::grpc::CompletionQueue queue;
  std::vector<Pending> calls(500);
  for (std::size_t i = 0; i < calls.size(); ++i) {
    v1::RevokeRequest request;
    request.set_reason(absl::StrCat(i));
    calls[i].call.set_deadline(Soon());
    calls[i].reader = stub->AsyncRevoke(&calls[i].call, request, &queue);
    calls[i].reader->Finish(&calls[i].response, &calls[i].status, nullptr);
  }
  for (std::size_t i = 0; i < calls.size(); ++i) {
    void* tag = nullptr;
    bool ok = false;
    ASSERT_TRUE(queue.Next(&tag, &ok));
  }
  for (std::size_t i = 0; i < calls.size(); ++i) {
    EXPECT_TRUE(calls[i].status.ok()) << calls[i].status.error_message();
    EXPECT_EQ(calls[i].response.revision(), absl::StrCat(i));
  }
}

TEST_F(UnaryTest, SeveralQueuesServeTheSame) {
  ServerOptions options = TcpOptions();
  options.queues = 3;
  Start(options);
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] {
      const auto channel = Connect(Address());
      for (int j = 0; j < 50; ++j) EXPECT_TRUE(Verify(channel).ok());
    });
  }
  for (std::thread& caller : callers) caller.join();
}

}  // namespace
}  // namespace ostiary::rpc

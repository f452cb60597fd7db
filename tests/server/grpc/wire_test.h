#ifndef OSTIARY_TESTS_SERVER_GRPC_WIRE_TEST_H_
#define OSTIARY_TESTS_SERVER_GRPC_WIRE_TEST_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "grpcpp/grpcpp.h"
#include "gtest/gtest.h"
#include "ostiary/v1/auth_service.grpc.pb.h"
#include "ostiary/v1/key_service.grpc.pb.h"
#include "ostiary/v1/token_service.grpc.pb.h"
#include "server/grpc/server.h"
#include "tests/server/grpc/fake_door.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace ostiary::rpc {

// Unpacked google.rpc.Status of an answer.
inline google::rpc::Status DetailsOf(const ::grpc::Status& status) {
  google::rpc::Status details;
  EXPECT_TRUE(details.ParseFromString(status.error_details()));
  return details;
}

template <typename Detail>
bool FindDetail(const ::grpc::Status& status, Detail& out) {
  const google::rpc::Status details = DetailsOf(status);
  for (const auto& any : details.details())
    if (any.Is<Detail>()) return any.UnpackTo(&out);
  return false;
}

// ErrorInfo.reason; empty: none.
inline std::string ReasonIn(const ::grpc::Status& status) {
  google::rpc::ErrorInfo info;
  return FindDetail(status, info) ? info.reason() : "";
}

// What a handler saw, for the test to look at.
template <typename T>
class Captured {
 public:
  void Set(const T& value) {
    absl::MutexLock lock(&mutex_);
    value_ = value;
  }
  T Get() const {
    absl::MutexLock lock(&mutex_);
    return value_;
  }

 private:
  mutable absl::Mutex mutex_;
  T value_ ABSL_GUARDED_BY(mutex_);
};

// A server on real sockets in front of a fake door.
class WireTest : public ::testing::Test {
 protected:
  WireTest() {
    door_.On<v1::VerifyRequest, v1::VerifyResponse>(
        kVerify, door::LaneName::kInline,
        [](const door::CallContext&, const v1::VerifyRequest& request,
           v1::VerifyResponse& response) {
          response.set_valid(true);
          response.set_reason(request.token());
          return absl::OkStatus();
        });
  }

  static constexpr char kVerify[] = "ostiary.v1.TokenService/Verify";
  static constexpr char kRevoke[] = "ostiary.v1.TokenService/Revoke";
  static constexpr char kSignUp[] = "ostiary.v1.AuthService/SignUp";

  static ServerOptions TcpOptions() {
    ServerOptions options;
    options.listen = {"127.0.0.1:0"};
    return options;
  }

  void Start(ServerOptions options = TcpOptions()) {
    options.wait_for_lanes = [this] { door_.lane().WaitUntilIdle(); };
    ASSERT_OK_AND_ASSIGN(server_, Server::Start(door_, std::move(options)));
  }

  std::string Address() const {
    return absl::StrCat("127.0.0.1:", server_->ports().front());
  }

  // A connection of its own.
  static std::shared_ptr<::grpc::Channel> Connect(
      const std::string& target,
      const std::shared_ptr<::grpc::ChannelCredentials>& credentials =
          ::grpc::InsecureChannelCredentials()) {
    ::grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return ::grpc::CreateCustomChannel(target, credentials, arguments);
  }

  static ::grpc::Status Verify(const std::shared_ptr<::grpc::Channel>& channel,
                               const std::string& token = "t") {
    ::grpc::ClientContext call;
    call.set_deadline(Soon());
    v1::VerifyRequest request;
    request.set_token(token);
    v1::VerifyResponse response;
    return v1::TokenService::NewStub(channel)->Verify(&call, request,
                                                      &response);
  }

  // A deadline that only a hang meets.
  static std::chrono::system_clock::time_point Soon() {
    return std::chrono::system_clock::now() + std::chrono::seconds(20);
  }

  FakeDoor door_;
  std::unique_ptr<Server> server_;
};

}  // namespace ostiary::rpc

#endif  // OSTIARY_TESTS_SERVER_GRPC_WIRE_TEST_H_

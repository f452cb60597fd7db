#include "server/grpc/message_bytes.h"

#include <gtest/gtest.h>

#include <string>

#include "grpcpp/support/byte_buffer.h"
#include "ostiary/v1/auth_service.pb.h"
#include "ostiary/v1/token_service.pb.h"
#include "server/door/secret_fields.h"
#include "tests/support/status_matchers.h"

namespace ostiary::rpc {
namespace {

const std::string kPassword = "a password of more than 23 bytes";

// A request as it lies in gRPC's memory, which outlives the buffer as it does
// while a connection goes on reading into the rest of it.
class RequestBytes {
 public:
  explicit RequestBytes(std::string bytes) : bytes_(std::move(bytes)) {
    const ::grpc::Slice slice(bytes_.data(), bytes_.size(),
                              ::grpc::Slice::STATIC_SLICE);
    buffer_ = ::grpc::ByteBuffer(&slice, 1);
  }
  ::grpc::ByteBuffer& buffer() { return buffer_; }
  bool Shows(const std::string& text) const {
    return bytes_.find(text) != std::string::npos;
  }

 private:
  std::string bytes_;
  ::grpc::ByteBuffer buffer_;
};

std::string SignIn() {
  v1::SignInWithPasswordRequest request;
  request.set_identifier("ada");
  request.set_password(kPassword);
  return request.SerializeAsString();
}

TEST(MessageBytesTest, APasswordDoesNotStayInTheBufferItCameIn) {
  RequestBytes bytes(SignIn());
  v1::SignInWithPasswordRequest request;
  EXPECT_OK(ParseMessage(bytes.buffer(), 1024, Remains::kAreWiped, request));
  EXPECT_EQ(request.password(), kPassword);
  EXPECT_FALSE(bytes.Shows(kPassword.substr(0, 4)));
}

TEST(MessageBytesTest, NeitherInARequestThatIsRefused) {
  v1::SignInWithPasswordRequest request;
  RequestBytes large(SignIn());
  EXPECT_FALSE(
      ParseMessage(large.buffer(), 8, Remains::kAreWiped, request).ok());
  EXPECT_FALSE(large.Shows(kPassword.substr(0, 4)));
  RequestBytes broken(SignIn() + "\x7f");
  EXPECT_FALSE(
      ParseMessage(broken.buffer(), 1024, Remains::kAreWiped, request).ok());
  EXPECT_FALSE(broken.Shows(kPassword.substr(0, 4)));
  RequestBytes turned_away(SignIn());
  Discard(turned_away.buffer(), Remains::kAreWiped);
  EXPECT_FALSE(turned_away.Shows(kPassword.substr(0, 4)));
}

TEST(MessageBytesTest, WhatHoldsNoSecretIsLeftAlone) {
  RequestBytes bytes(SignIn());
  v1::SignInWithPasswordRequest request;
  EXPECT_OK(ParseMessage(bytes.buffer(), 1024, Remains::kStay, request));
  EXPECT_TRUE(bytes.Shows(kPassword));
}

TEST(SecretFieldsTest, AreFoundInRequestsAndDeepInAnswers) {
  EXPECT_TRUE(door::HoldsSecrets(*v1::RefreshRequest::descriptor()));
  EXPECT_TRUE(door::HoldsSecrets(*v1::RefreshResponse::descriptor()));
  EXPECT_TRUE(door::HoldsSecrets(*v1::SignUpRequest::descriptor()));
  EXPECT_FALSE(door::HoldsSecrets(*v1::VerifyRequest::descriptor()));
  EXPECT_FALSE(door::HoldsSecrets(*v1::VerifyResponse::descriptor()));
}

TEST(SecretFieldsTest, AMessageThatIsUsedAgainKeepsNoToken) {
  v1::RefreshResponse response;
  response.mutable_tokens()->set_refresh_token("ort_" + kPassword);
  const char* const text = response.tokens().refresh_token().data();
  door::WipeTexts(response);
  EXPECT_EQ(std::string(text, 4), std::string(4, '\0'));
  EXPECT_TRUE(response.tokens().refresh_token().empty());
}

}  // namespace
}  // namespace ostiary::rpc

#include "client/cli/failure.h"

#include <string>

#include "gmock/gmock.h"
#include "google/rpc/error_details.pb.h"
#include "gtest/gtest.h"
#include "tests/client/cli/fake_server.h"
#include "tests/client/cli/run_cli.h"

namespace ostiary::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

grpc::Status Refusal(grpc::StatusCode code, const std::string& reason) {
  google::rpc::ErrorInfo info;
  info.set_reason(reason);
  info.set_domain("ostiary");
  return Failure(code, "A sentence.", {&info});
}

struct Expected {
  grpc::StatusCode code;
  const char* reason;
  int exit_code;
};

class ExitCodeTest : public ::testing::TestWithParam<Expected> {};

TEST_P(ExitCodeTest, FollowsTheReason) {
  FakeServer server;
  server.script().failure = Refusal(GetParam().code, GetParam().reason);
  Cli cli;
  cli.in = "password";
  const Ended ended = cli.Run(
      {"sign-in", "ada", "--password-stdin", "--socket", server.socket()});
  EXPECT_EQ(ended.code, GetParam().exit_code);
  EXPECT_EQ(ended.err,
            std::string("error: A sentence. (") + GetParam().reason + ")\n");
  EXPECT_THAT(ended.out, IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(
    All, ExitCodeTest,
    ::testing::Values(
        Expected{grpc::StatusCode::UNAUTHENTICATED, "CREDENTIALS_REJECTED", 1},
        Expected{grpc::StatusCode::UNAUTHENTICATED, "REFRESH_REJECTED", 1},
        Expected{grpc::StatusCode::NOT_FOUND, "NOT_FOUND", 1},
        Expected{grpc::StatusCode::ALREADY_EXISTS, "IDENTIFIER_TAKEN", 1},
        Expected{grpc::StatusCode::INVALID_ARGUMENT, "PASSWORD_REJECTED", 1},
        Expected{grpc::StatusCode::FAILED_PRECONDITION, "KEY_STATE_CONFLICT",
                 1},
        Expected{grpc::StatusCode::ABORTED, "REFRESH_IN_PROGRESS", 1},
        Expected{grpc::StatusCode::INVALID_ARGUMENT, "ARGUMENT_INVALID", 2},
        Expected{grpc::StatusCode::UNAVAILABLE, "NOT_READY", 3},
        Expected{grpc::StatusCode::RESOURCE_EXHAUSTED, "RATE_LIMITED", 3},
        Expected{grpc::StatusCode::UNAUTHENTICATED, "UNAUTHENTICATED", 4},
        Expected{grpc::StatusCode::UNAUTHENTICATED, "ACCESS_TOKEN_REJECTED", 4},
        Expected{grpc::StatusCode::PERMISSION_DENIED, "PERMISSION_DENIED", 4},
        Expected{grpc::StatusCode::INTERNAL, "INTERNAL", 5}));

TEST(FailureTest, WrongFieldsAndTheWaitAreTold) {
  google::rpc::ErrorInfo info;
  info.set_reason("PASSWORD_REJECTED");
  google::rpc::BadRequest bad;
  bad.add_field_violations()->set_field("password");
  bad.mutable_field_violations(0)->set_description("Too easily guessed.");
  bad.add_field_violations()->set_field("email");
  bad.mutable_field_violations(1)->set_description("Not\nan \x1b address.");
  google::rpc::RetryInfo retry;
  retry.mutable_retry_delay()->set_seconds(2);
  retry.mutable_retry_delay()->set_nanos(500000000);
  const absl::Status status = FromRpc(Failure(
      grpc::StatusCode::INVALID_ARGUMENT, "No.", {&info, &bad, &retry}));
  EXPECT_EQ(Describe(status),
            "error: No. (PASSWORD_REJECTED)\n"
            "  password: Too easily guessed.\n"
            "  email: Not\\u000aan \\u001b address.\n"
            "  try again in 2.5s\n");
}

TEST(FailureTest, TheServersSentenceStaysOnOneLine) {
  const absl::Status status =
      FromRpc(grpc::Status(grpc::StatusCode::INTERNAL, "a\nerror: b\x1b[2J"));
  EXPECT_EQ(Describe(status), "error: a\\u000aerror: b\\u001b[2J (INTERNAL)\n");
}

TEST(FailureTest, DetailsThatDoNotParseAreLeftOut) {
  const absl::Status status = FromRpc(
      grpc::Status(grpc::StatusCode::NOT_FOUND, "x", std::string("\xff\xff")));
  EXPECT_EQ(Describe(status), "error: x (NOT_FOUND)\n");
  EXPECT_FALSE(IsServersAnswer(status));
}

TEST(FailureTest, NoAnswerInTimeIsExitCode3) {
  FakeServer server;
  server.script().never_answers = true;
  Cli cli;
  const Ended ended =
      cli.Run({"health", "--socket", server.socket(), "--timeout", "50ms"});
  EXPECT_EQ(ended.code, 3);
  EXPECT_THAT(ended.err, HasSubstr("no answer within 50ms"));
}

TEST(FailureTest, AnUnknownMethodHintsAtAnOlderServer) {
  FakeServer server;
  server.script().failure =
      grpc::Status(grpc::StatusCode::UNIMPLEMENTED, "raw text");
  Cli cli;
  const Ended ended = cli.Run({"server", "info", "--socket", server.socket()});
  EXPECT_EQ(ended.code, 5);
  EXPECT_THAT(ended.err, HasSubstr("not older than this program"));
}

}  // namespace
}  // namespace ostiary::cli

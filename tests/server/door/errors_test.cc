#include "server/door/errors.h"

#include "gmock/gmock.h"
#include "google/rpc/error_details.pb.h"
#include "gtest/gtest.h"
#include "server/base/reason.h"

namespace ostiary::door {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

template <typename Detail>
std::optional<Detail> DetailOf(const google::rpc::Status& status) {
  Detail detail;
  for (const auto& any : status.details()) {
    if (any.UnpackTo(&detail)) return detail;
  }
  return std::nullopt;
}

TEST(Errors, EveryReasonLeavesWithItsCodeItsSentenceAndErrorInfo) {
  for (int i = 0; i <= static_cast<int>(Reason::kCancelled); ++i) {
    const auto reason = static_cast<Reason>(i);
    const google::rpc::Status out = ToRpcStatus(Refuse(reason));
    EXPECT_EQ(out.code(), static_cast<int>(ReasonCode(reason)));
    EXPECT_EQ(out.message(), ReasonSentence(reason));
    const auto info = DetailOf<google::rpc::ErrorInfo>(out);
    ASSERT_TRUE(info.has_value());
    EXPECT_EQ(info->reason(), ReasonName(reason));
    EXPECT_EQ(info->domain(), "ostiary");
    EXPECT_EQ(out.details_size(), 1);
  }
}

TEST(Errors, FieldViolationsLeaveAsBadRequest) {
  const google::rpc::Status out = ToRpcStatus(
      RefuseFields(Reason::kPasswordRejected,
                   {{"password", "is too short"}, {"username", "is \"odd\""}}));
  const auto bad = DetailOf<google::rpc::BadRequest>(out);
  ASSERT_TRUE(bad.has_value());
  ASSERT_EQ(bad->field_violations_size(), 2);
  EXPECT_EQ(bad->field_violations(0).field(), "password");
  EXPECT_EQ(bad->field_violations(0).description(), "is too short");
  EXPECT_EQ(bad->field_violations(1).field(), "username");
}

TEST(Errors, RetryDelayLeavesAsRetryInfo) {
  const google::rpc::Status out =
      ToRpcStatus(RefuseUntil(Reason::kRateLimited, absl::Milliseconds(2500)));
  const auto retry = DetailOf<google::rpc::RetryInfo>(out);
  ASSERT_TRUE(retry.has_value());
  EXPECT_EQ(retry->retry_delay().seconds(), 2);
  EXPECT_EQ(retry->retry_delay().nanos(), 500000000);
}

TEST(Errors, TextOfAStatusThatIsNotOursStaysInside) {
  for (const absl::Status& status :
       {absl::InternalError("secret at /var/db"),
        absl::NotFoundError("row secret"),
        absl::PermissionDeniedError("secret"), absl::DataLossError("secret")}) {
    const google::rpc::Status out = ToRpcStatus(status);
    EXPECT_EQ(out.code(), static_cast<int>(absl::StatusCode::kInternal));
    EXPECT_THAT(out.SerializeAsString(), Not(HasSubstr("secret")));
    EXPECT_EQ(DetailOf<google::rpc::ErrorInfo>(out)->reason(), "INTERNAL");
  }
}

TEST(Errors, UnavailableStoreIsSaidToBeUnavailableAndNoMore) {
  // Unknown: the commit itself failed.
  for (const absl::Status& status :
       {absl::UnavailableError("no disk at /secret"),
        absl::UnknownError("the commit failed at /secret")}) {
    const google::rpc::Status out = ToRpcStatus(status);
    EXPECT_EQ(out.code(), static_cast<int>(absl::StatusCode::kUnavailable));
    EXPECT_EQ(DetailOf<google::rpc::ErrorInfo>(out)->reason(),
              "STORE_UNAVAILABLE");
    EXPECT_THAT(out.SerializeAsString(), Not(HasSubstr("secret")));
  }
}

TEST(Errors, FullStoreIsSaidToBeFullAndNoMore) {
  const google::rpc::Status out =
      ToRpcStatus(absl::ResourceExhaustedError("disk full at /secret"));
  EXPECT_EQ(out.code(), static_cast<int>(absl::StatusCode::kUnavailable));
  EXPECT_EQ(DetailOf<google::rpc::ErrorInfo>(out)->reason(), "STORE_FULL");
  EXPECT_THAT(out.SerializeAsString(), Not(HasSubstr("secret")));
}

TEST(Errors, HttpStatusesAreTheConnectProtocolsOwn) {
  const std::vector<std::tuple<absl::StatusCode, int, std::string>> expected = {
      {absl::StatusCode::kCancelled, 499, "canceled"},
      {absl::StatusCode::kUnknown, 500, "unknown"},
      {absl::StatusCode::kInvalidArgument, 400, "invalid_argument"},
      {absl::StatusCode::kDeadlineExceeded, 504, "deadline_exceeded"},
      {absl::StatusCode::kNotFound, 404, "not_found"},
      {absl::StatusCode::kAlreadyExists, 409, "already_exists"},
      {absl::StatusCode::kPermissionDenied, 403, "permission_denied"},
      {absl::StatusCode::kResourceExhausted, 429, "resource_exhausted"},
      {absl::StatusCode::kFailedPrecondition, 400, "failed_precondition"},
      {absl::StatusCode::kAborted, 409, "aborted"},
      {absl::StatusCode::kOutOfRange, 400, "out_of_range"},
      {absl::StatusCode::kUnimplemented, 501, "unimplemented"},
      {absl::StatusCode::kInternal, 500, "internal"},
      {absl::StatusCode::kUnavailable, 503, "unavailable"},
      {absl::StatusCode::kDataLoss, 500, "data_loss"},
      {absl::StatusCode::kUnauthenticated, 401, "unauthenticated"},
  };
  for (const auto& [code, http, name] : expected) {
    EXPECT_EQ(HttpStatusOf(code), http) << name;
    EXPECT_EQ(ConnectCodeName(code), name);
  }
}

}  // namespace
}  // namespace ostiary::door

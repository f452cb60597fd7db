#include "server/door/errors.h"

#include "absl/time/time.h"
#include "google/rpc/error_details.pb.h"
#include "server/base/reason.h"

namespace ostiary::door {
namespace {

constexpr char kDomain[] = "ostiary";

void AddErrorInfo(const absl::Status& status, google::rpc::Status& out) {
  google::rpc::ErrorInfo info;
  const absl::string_view name = ReasonName(ReasonOf(status));
  info.set_reason(name.data(), name.size());
  info.set_domain(kDomain);
  out.add_details()->PackFrom(info);
}

void AddBadRequest(const absl::Status& status, google::rpc::Status& out) {
  google::rpc::BadRequest bad_request;
  for (const FieldViolation& violation : FieldViolationsOf(status)) {
    auto* field = bad_request.add_field_violations();
    field->set_field(violation.field);
    field->set_description(violation.description);
  }
  if (bad_request.field_violations_size() > 0)
    out.add_details()->PackFrom(bad_request);
}

void AddRetryInfo(const absl::Status& status, google::rpc::Status& out) {
  const absl::Duration delay = RetryAfterOf(status);
  if (delay <= absl::ZeroDuration()) return;
  google::rpc::RetryInfo retry;
  const std::int64_t millis = absl::ToInt64Milliseconds(delay);
  retry.mutable_retry_delay()->set_seconds(millis / 1000);
  retry.mutable_retry_delay()->set_nanos(static_cast<int>(millis % 1000) *
                                         1000000);
  out.add_details()->PackFrom(retry);
}

}  // namespace

google::rpc::Status ToRpcStatus(const absl::Status& status) {
  const Reason reason = ReasonOf(status);
  google::rpc::Status out;
  out.set_code(static_cast<int>(ReasonCode(reason)));
  const absl::string_view sentence =
      HasReason(status) ? status.message() : ReasonSentence(reason);
  out.set_message(sentence.data(), sentence.size());
  AddErrorInfo(status, out);
  AddBadRequest(status, out);
  AddRetryInfo(status, out);
  return out;
}

int HttpStatusOf(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kOk:
      return 200;
    case absl::StatusCode::kCancelled:
      return 499;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kOutOfRange:
    case absl::StatusCode::kFailedPrecondition:
      return 400;
    case absl::StatusCode::kDeadlineExceeded:
      return 504;
    case absl::StatusCode::kNotFound:
      return 404;
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kAborted:
      return 409;
    case absl::StatusCode::kPermissionDenied:
      return 403;
    case absl::StatusCode::kUnauthenticated:
      return 401;
    case absl::StatusCode::kResourceExhausted:
      return 429;
    case absl::StatusCode::kUnimplemented:
      return 501;
    case absl::StatusCode::kUnavailable:
      return 503;
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kDataLoss:
    default:
      return 500;
  }
}

const char* ConnectCodeName(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kCancelled:
      return "canceled";
    case absl::StatusCode::kInvalidArgument:
      return "invalid_argument";
    case absl::StatusCode::kDeadlineExceeded:
      return "deadline_exceeded";
    case absl::StatusCode::kNotFound:
      return "not_found";
    case absl::StatusCode::kAlreadyExists:
      return "already_exists";
    case absl::StatusCode::kPermissionDenied:
      return "permission_denied";
    case absl::StatusCode::kResourceExhausted:
      return "resource_exhausted";
    case absl::StatusCode::kFailedPrecondition:
      return "failed_precondition";
    case absl::StatusCode::kAborted:
      return "aborted";
    case absl::StatusCode::kOutOfRange:
      return "out_of_range";
    case absl::StatusCode::kUnimplemented:
      return "unimplemented";
    case absl::StatusCode::kInternal:
      return "internal";
    case absl::StatusCode::kUnavailable:
      return "unavailable";
    case absl::StatusCode::kDataLoss:
      return "data_loss";
    case absl::StatusCode::kUnauthenticated:
      return "unauthenticated";
    case absl::StatusCode::kOk:
    case absl::StatusCode::kUnknown:
    default:
      return "unknown";
  }
}

}  // namespace ostiary::door

#include "client/cli/failure.h"

#include <optional>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "client/cli/printable.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace ostiary::cli {
namespace {

constexpr char kRpcPayload[] = "ostiary.cli/rpc-status";
constexpr char kUsagePayload[] = "ostiary.cli/usage";

google::rpc::Status RpcStatusOf(const absl::Status& status) {
  google::rpc::Status rpc;
  if (const auto payload = status.GetPayload(kRpcPayload)) {
    rpc.ParseFromString(std::string(*payload));
  }
  return rpc;
}

template <typename Detail>
std::optional<Detail> DetailOf(const absl::Status& status) {
  const google::rpc::Status rpc = RpcStatusOf(status);
  for (const auto& any : rpc.details()) {
    Detail detail;
    if (any.Is<Detail>() && any.UnpackTo(&detail)) return detail;
  }
  return std::nullopt;
}

ExitCode ExitCodeOfInvalidArgument(const absl::Status& status) {
  const std::string reason = ReasonOf(status);
  const bool malformed = reason == "ARGUMENT_INVALID" ||
                         reason == "INVALID_ARGUMENT" ||
                         reason == "REQUEST_TOO_LARGE" || reason == "USAGE";
  return malformed ? ExitCode::kUsage : ExitCode::kNo;
}

ExitCode ExitCodeOfUnauthenticated(const absl::Status& status) {
  const std::string reason = ReasonOf(status);
  const bool answer =
      reason == "CREDENTIALS_REJECTED" || reason == "REFRESH_REJECTED";
  return answer ? ExitCode::kNo : ExitCode::kNotAllowed;
}

void AppendViolations(const absl::Status& status, std::string& text) {
  const auto bad_request = DetailOf<google::rpc::BadRequest>(status);
  if (!bad_request) return;
  for (const auto& violation : bad_request->field_violations()) {
    absl::StrAppend(&text, "  ", Printable(violation.field()), ": ",
                    Printable(violation.description()), "\n");
  }
}

void AppendRetry(const absl::Status& status, std::string& text) {
  const auto retry = DetailOf<google::rpc::RetryInfo>(status);
  if (!retry) return;
  const absl::Duration delay = absl::Seconds(retry->retry_delay().seconds()) +
                               absl::Nanoseconds(retry->retry_delay().nanos());
  absl::StrAppend(&text, "  try again in ", absl::FormatDuration(delay), "\n");
}

}  // namespace

absl::Status UsageError(absl::string_view sentence) {
  absl::Status status = absl::InvalidArgumentError(sentence);
  status.SetPayload(kUsagePayload, absl::Cord("usage"));
  return status;
}

absl::Status NoError(absl::string_view sentence) {
  return absl::FailedPreconditionError(sentence);
}

absl::Status FromRpc(const grpc::Status& status) {
  absl::Status result(static_cast<absl::StatusCode>(status.error_code()),
                      status.error_message());
  google::rpc::Status rpc;
  // A text that does not parse tells nothing; the code and message stay.
  if (rpc.ParseFromString(status.error_details()) && rpc.details_size() > 0) {
    result.SetPayload(kRpcPayload, absl::Cord(status.error_details()));
  }
  return result;
}

bool IsServersAnswer(const absl::Status& status) {
  return DetailOf<google::rpc::ErrorInfo>(status).has_value();
}

std::string ReasonOf(const absl::Status& status) {
  if (status.GetPayload(kUsagePayload)) return "USAGE";
  const auto info = DetailOf<google::rpc::ErrorInfo>(status);
  if (info && !info->reason().empty()) return info->reason();
  return absl::StatusCodeToString(status.code());
}

ExitCode ExitCodeOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return ExitCode::kOk;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kOutOfRange:
      return ExitCodeOfInvalidArgument(status);
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kAborted:
      return ExitCode::kNo;
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kCancelled:
      return ExitCode::kUnavailable;
    case absl::StatusCode::kUnauthenticated:
      return ExitCodeOfUnauthenticated(status);
    case absl::StatusCode::kPermissionDenied:
      return ExitCode::kNotAllowed;
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kDataLoss:
    case absl::StatusCode::kUnimplemented:
    default:
      return ExitCode::kInternal;
  }
}

std::string Describe(const absl::Status& status) {
  std::string text = absl::StrCat("error: ", Printable(status.message()), " (",
                                  Printable(ReasonOf(status)), ")\n");
  AppendViolations(status, text);
  AppendRetry(status, text);
  return text;
}

}  // namespace ostiary::cli

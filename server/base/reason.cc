#include "server/base/reason.h"

#include <array>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace ostiary {
namespace {

struct Row {
  Reason reason;
  absl::string_view name;
  absl::StatusCode code;
  absl::string_view oauth_error;
  absl::string_view sentence;
};

using Code = absl::StatusCode;

// One row per reason, in the order of the enum.
constexpr std::array<Row, 27> kRows = {{
    {Reason::kInternal, "INTERNAL", Code::kInternal, "server_error",
     "Something went wrong on our side."},
    {Reason::kArgumentInvalid, "ARGUMENT_INVALID", Code::kInvalidArgument,
     "invalid_request", "A field of the request is missing or wrong."},
    {Reason::kRequestTooLarge, "REQUEST_TOO_LARGE", Code::kInvalidArgument,
     "invalid_request", "The request is larger than this method accepts."},
    {Reason::kUnauthenticated, "UNAUTHENTICATED", Code::kUnauthenticated,
     "invalid_client",
     "This method needs an access token in the authorization header."},
    {Reason::kAccessTokenRejected, "ACCESS_TOKEN_REJECTED",
     Code::kUnauthenticated, "invalid_token",
     "The access token in the authorization header was rejected."},
    {Reason::kPermissionDenied, "PERMISSION_DENIED", Code::kPermissionDenied,
     "access_denied", "The caller may not call this method."},
    {Reason::kMethodUnknown, "METHOD_UNKNOWN", Code::kUnimplemented,
     "invalid_request", "There is no such method."},
    {Reason::kNotFound, "NOT_FOUND", Code::kNotFound, "invalid_request",
     "There is no such resource, or it is not the caller's."},
    {Reason::kCredentialsRejected, "CREDENTIALS_REJECTED",
     Code::kUnauthenticated, "invalid_grant", "The credentials were rejected."},
    {Reason::kIdentifierTaken, "IDENTIFIER_TAKEN", Code::kAlreadyExists,
     "invalid_request", "The username or the email is already in use."},
    {Reason::kPasswordRejected, "PASSWORD_REJECTED", Code::kInvalidArgument,
     "invalid_request", "The new password is not acceptable."},
    {Reason::kSignUpClosed, "SIGN_UP_CLOSED", Code::kPermissionDenied,
     "access_denied", "Accounts are created by an operator here."},
    {Reason::kAudienceNotAllowed, "AUDIENCE_NOT_ALLOWED",
     Code::kInvalidArgument, "invalid_target",
     "The audience is not one this server issues tokens for."},
    {Reason::kScopeNotAllowed, "SCOPE_NOT_ALLOWED", Code::kInvalidArgument,
     "invalid_scope", "A scope was asked for that cannot be granted."},
    {Reason::kClientUnknown, "CLIENT_UNKNOWN", Code::kUnauthenticated,
     "invalid_client", "There is no such client."},
    {Reason::kRefreshRejected, "REFRESH_REJECTED", Code::kUnauthenticated,
     "invalid_grant", "The refresh token was rejected. Sign in again."},
    {Reason::kRefreshInProgress, "REFRESH_IN_PROGRESS", Code::kAborted,
     "temporarily_unavailable",
     "Another refresh of this session is under way."},
    {Reason::kRevisionNotReached, "REVISION_NOT_REACHED", Code::kUnavailable,
     "temporarily_unavailable",
     "This server has not yet applied that revision."},
    {Reason::kRevisionLost, "REVISION_LOST", Code::kFailedPrecondition,
     "invalid_request", "That revision did not survive a restore."},
    {Reason::kRateLimited, "RATE_LIMITED", Code::kResourceExhausted,
     "temporarily_unavailable", "Too many attempts. Wait before trying again."},
    {Reason::kOverloaded, "OVERLOADED", Code::kResourceExhausted,
     "temporarily_unavailable",
     "The server is busy. Wait before trying again."},
    {Reason::kKeyStateConflict, "KEY_STATE_CONFLICT", Code::kFailedPrecondition,
     "invalid_request", "The signing key is not in a state that allows this."},
    {Reason::kNotReady, "NOT_READY", Code::kUnavailable,
     "temporarily_unavailable", "The server is starting or draining."},
    {Reason::kStoreUnavailable, "STORE_UNAVAILABLE", Code::kUnavailable,
     "temporarily_unavailable", "The store cannot be reached."},
    {Reason::kStoreFull, "STORE_FULL", Code::kUnavailable,
     "temporarily_unavailable",
     "The server's disk is full: only what ends access is done."},
    {Reason::kDeadlineExceeded, "DEADLINE_EXCEEDED", Code::kDeadlineExceeded,
     "temporarily_unavailable",
     "The deadline passed, or could not have been met."},
    {Reason::kCancelled, "CANCELLED", Code::kCancelled,
     "temporarily_unavailable", "The caller cancelled the request."},
}};

constexpr bool RowsFollowTheEnum() {
  for (std::size_t i = 0; i < kRows.size(); ++i) {
    if (static_cast<std::size_t>(kRows[i].reason) != i) return false;
  }
  return static_cast<std::size_t>(Reason::kCancelled) + 1 == kRows.size();
}
static_assert(RowsFollowTheEnum(),
              "one row per reason, in the order of the enum");

constexpr char kReasonPayload[] = "ostiary/reason";
constexpr char kFieldsPayload[] = "ostiary/fields";
constexpr char kRetryPayload[] = "ostiary/retry-after-ms";

// Inside the process only, never on a wire: unit and record separators.
constexpr char kUnit = '\x1f';
constexpr char kRecord = '\x1e';

const Row& RowOf(Reason reason) {
  return kRows[static_cast<std::size_t>(reason)];
}

std::optional<std::string> PayloadOf(const absl::Status& status,
                                     absl::string_view url) {
  const auto payload = status.GetPayload(url);
  if (!payload.has_value()) return std::nullopt;
  return std::string(*payload);
}

}  // namespace

absl::string_view ReasonName(Reason reason) { return RowOf(reason).name; }
absl::StatusCode ReasonCode(Reason reason) { return RowOf(reason).code; }
absl::string_view ReasonSentence(Reason reason) {
  return RowOf(reason).sentence;
}
absl::string_view ReasonOAuthError(Reason reason) {
  return RowOf(reason).oauth_error;
}

absl::Status Refuse(Reason reason) {
  return Refuse(reason, ReasonSentence(reason));
}

absl::Status Refuse(Reason reason, absl::string_view sentence) {
  absl::Status status(ReasonCode(reason), sentence);
  status.SetPayload(kReasonPayload,
                    absl::Cord(absl::StrCat(static_cast<int>(reason))));
  return status;
}

absl::Status RefuseFields(Reason reason,
                          const std::vector<FieldViolation>& violations) {
  std::string sentence(ReasonSentence(reason));
  std::string payload;
  for (const FieldViolation& violation : violations) {
    if (payload.empty()) {
      sentence = absl::StrCat(violation.field, ": ", violation.description);
    } else {
      payload.push_back(kRecord);
    }
    absl::StrAppend(&payload, violation.field, std::string(1, kUnit),
                    violation.description);
  }
  absl::Status status = Refuse(reason, sentence);
  status.SetPayload(kFieldsPayload, absl::Cord(payload));
  return status;
}

absl::Status RefuseField(absl::string_view field,
                         absl::string_view description) {
  return RefuseFields(Reason::kArgumentInvalid,
                      {{std::string(field), std::string(description)}});
}

absl::Status RefuseUntil(Reason reason, absl::Duration retry_after) {
  absl::Status status = Refuse(reason);
  status.SetPayload(
      kRetryPayload,
      absl::Cord(absl::StrCat(absl::ToInt64Milliseconds(retry_after))));
  return status;
}

Reason ReasonOf(const absl::Status& status) {
  const std::optional<std::string> payload = PayloadOf(status, kReasonPayload);
  int index = 0;
  if (payload.has_value() && absl::SimpleAtoi(*payload, &index) && index >= 0 &&
      static_cast<std::size_t>(index) < kRows.size()) {
    return static_cast<Reason>(index);
  }
  switch (status.code()) {
    case Code::kUnavailable:
    case Code::kUnknown:
      return Reason::kStoreUnavailable;
    case Code::kResourceExhausted:
      return Reason::kStoreFull;
    default:
      return Reason::kInternal;
  }
}

bool HasReason(const absl::Status& status) {
  return PayloadOf(status, kReasonPayload).has_value();
}

std::vector<FieldViolation> FieldViolationsOf(const absl::Status& status) {
  std::vector<FieldViolation> violations;
  const std::optional<std::string> payload = PayloadOf(status, kFieldsPayload);
  if (!payload.has_value()) return violations;
  for (const absl::string_view record : absl::StrSplit(*payload, kRecord)) {
    const std::pair<std::string, std::string> parts =
        absl::StrSplit(record, absl::MaxSplits(kUnit, 1));
    violations.push_back({parts.first, parts.second});
  }
  return violations;
}

absl::Duration RetryAfterOf(const absl::Status& status) {
  const std::optional<std::string> payload = PayloadOf(status, kRetryPayload);
  std::int64_t millis = 0;
  if (!payload.has_value() || !absl::SimpleAtoi(*payload, &millis))
    return absl::ZeroDuration();
  return absl::Milliseconds(millis);
}

}  // namespace ostiary

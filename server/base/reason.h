#ifndef OSTIARY_SERVER_BASE_REASON_H_
#define OSTIARY_SERVER_BASE_REASON_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace ostiary {

// Why a call was refused, in the words a caller may branch on. The list is
// part of the contract: a reason is never renamed or given a second meaning.
enum class Reason {
  kInternal,  // something of ours broke; the answer carries an incident id
  kArgumentInvalid,      // a field is missing or wrong; BadRequest says which
  kRequestTooLarge,      // the message is over the method's bound
  kUnauthenticated,      // no caller, where one is needed
  kAccessTokenRejected,  // the caller's own bearer token does not pass
  kPermissionDenied,     // the caller is known and may not
  kMethodUnknown,        // no such method, or it has no row in the policy table
  kNotFound,             // no such account, session or key, or not the caller's
  kCredentialsRejected,  // unknown account, wrong password, disabled: one
                         // answer
  kIdentifierTaken,      // the username or the email belongs to somebody
  kPasswordRejected,    // the new password is too short, too long or too common
  kSignUpClosed,        // accounts are made by operators here
  kAudienceNotAllowed,  // not in --audiences
  kScopeNotAllowed,     // not in --scopes, or wider than the session's grant
  kClientUnknown,       // no such client_id
  kRefreshRejected,     // every refusal of a refresh token
  kRefreshInProgress,   // another attempt with another request_id is being
                        // retried
  kRevisionNotReached,  // min_revision is ahead of what this server has applied
  kRevisionLost,  // min_revision names an epoch's tail that a restore dropped
  kRateLimited,   // too many attempts; RetryInfo says when
  kOverloaded,    // a bounded queue is full; RetryInfo says when
  kKeyStateConflict,  // the key is not in a state that allows this
  kNotReady,          // starting or draining
  kStoreUnavailable,  // the database cannot be reached or written; if the
                      // commit itself failed, the change may survive a crash
  kStoreFull,         // the disk is full: only what ends access is written
  kDeadlineExceeded,  // the caller's deadline cannot be met
  kCancelled,         // the caller went away
};

// "CREDENTIALS_REJECTED": ErrorInfo.reason.
absl::string_view ReasonName(Reason reason);
// The canonical code that goes with it.
absl::StatusCode ReasonCode(Reason reason);
// The one sentence said in public.
absl::string_view ReasonSentence(Reason reason);
// The error of RFC 6749 section 5.2 that goes with it.
absl::string_view ReasonOAuthError(Reason reason);

struct FieldViolation {
  std::string field;        // the proto field's path, as written in the .proto
  std::string description;  // what is wrong and what was expected; no secret
};

// A refusal with `reason`, its code and its public sentence.
absl::Status Refuse(Reason reason);
// The same with a sentence of its own. `sentence` must hold no secret and
// nothing the caller could not know.
absl::Status Refuse(Reason reason, absl::string_view sentence);
// kArgumentInvalid (or kPasswordRejected) about named fields.
absl::Status RefuseFields(Reason reason,
                          const std::vector<FieldViolation>& violations);
absl::Status RefuseField(absl::string_view field,
                         absl::string_view description);
// kRateLimited, kOverloaded or kStoreFull; the caller may come back after
// `retry_after`.
absl::Status RefuseUntil(Reason reason, absl::Duration retry_after);

// What `status` says. A status that did not come from the functions above has
// kInternal, or kStoreUnavailable or kStoreFull where its code says so.
Reason ReasonOf(const absl::Status& status);
// True if the status was made by the functions above: its sentence may leave.
bool HasReason(const absl::Status& status);
std::vector<FieldViolation> FieldViolationsOf(const absl::Status& status);
// Zero if the status names none.
absl::Duration RetryAfterOf(const absl::Status& status);

}  // namespace ostiary

#endif  // OSTIARY_SERVER_BASE_REASON_H_

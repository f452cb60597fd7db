#ifndef OSTIARY_SERVER_DOOR_ERRORS_H_
#define OSTIARY_SERVER_DOOR_ERRORS_H_

#include "absl/status/status.h"
#include "google/rpc/status.pb.h"

namespace ostiary::door {

// The error as it leaves: code, public sentence, google.rpc.ErrorInfo (domain
// "ostiary") and, where they apply, BadRequest and RetryInfo. `status` must
// not be OK. A status without a reason of ours becomes INTERNAL with a constant
// sentence: its own text stays inside.
google::rpc::Status ToRpcStatus(const absl::Status& status);

// The HTTP status that the Connect protocol prescribes for a code.
int HttpStatusOf(absl::StatusCode code);
// "invalid_argument": the code's name in the Connect protocol.
const char* ConnectCodeName(absl::StatusCode code);

}  // namespace ostiary::door

#endif  // OSTIARY_SERVER_DOOR_ERRORS_H_

#ifndef OSTIARY_CLIENT_CLI_FAILURE_H_
#define OSTIARY_CLIENT_CLI_FAILURE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "client/cli/exit_code.h"
#include "grpcpp/support/status.h"

namespace ostiary::cli {

// The command line asks for something that cannot be: exit code 2.
absl::Status UsageError(absl::string_view sentence);
// A clear no that this program found itself: exit code 1.
absl::Status NoError(absl::string_view sentence);

// `status` must not be OK. Keeps google.rpc's ErrorInfo, BadRequest and
// RetryInfo for `Describe`.
absl::Status FromRpc(const grpc::Status& status);

// True if the answer is the server's own and not made up by gRPC on the way.
bool IsServersAnswer(const absl::Status& status);

// The server's reason ("NOT_FOUND"), or the code's name if there is none.
std::string ReasonOf(const absl::Status& status);

// What a status ends the program with. A rejected password or refresh token is
// an answer (1); a caller who may not ask is not (4).
ExitCode ExitCodeOf(const absl::Status& status);

// "error: <sentence> (REASON)", then one indented line for each wrong field
// and for when to try again. Ends in a newline; control characters in what the
// server sent are escaped.
std::string Describe(const absl::Status& status);

}  // namespace ostiary::cli

#endif  // OSTIARY_CLIENT_CLI_FAILURE_H_

#ifndef OSTIARY_CLIENT_CLI_ACCOUNT_NAME_H_
#define OSTIARY_CLIENT_CLI_ACCOUNT_NAME_H_

#include <string>

#include "absl/status/statusor.h"
#include "client/cli/invocation.h"
#include "ostiary/v1/account.pb.h"

namespace ostiary::cli {

// For help texts.
inline constexpr char kAccountHelp[] = "Account id, email or username";

// The account people mean by `name`: an id begins with "acct_", an email holds
// an "@", anything else is a username. The server keeps the three apart too.
absl::StatusOr<v1::Account> FindAccount(Invocation& run,
                                        const std::string& name);

// Only its id, and without asking the server if `name` is one.
absl::StatusOr<std::string> FindAccountId(Invocation& run,
                                          const std::string& name);

}  // namespace ostiary::cli

#endif  // OSTIARY_CLIENT_CLI_ACCOUNT_NAME_H_

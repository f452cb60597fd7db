#ifndef OSTIARY_CLIENT_CLI_PROMPT_H_
#define OSTIARY_CLIENT_CLI_PROMPT_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/cli/secret_text.h"
#include "client/cli/surroundings.h"

namespace ostiary::cli {

enum class SecretSource { kTerminal, kStdin };

// All of stdin without its last line break, at most 64 KiB. Usage errors if it
// is empty, too long, or more than one line: then something else than `what`
// was piped in.
absl::StatusOr<SecretText> ReadSecretFromStdin(absl::string_view what,
                                               Surroundings& surroundings);

// A password as its owner types it. Never from an argument or the environment:
// other users of the machine can read those. A usage error naming
// --password-stdin if nobody can be asked.
absl::StatusOr<SecretText> ReadPassword(SecretSource source,
                                        Surroundings& surroundings);

// A password to be set: asked for twice on a terminal, since nobody sees what
// they type.
absl::StatusOr<SecretText> ReadNewPassword(SecretSource source,
                                           Surroundings& surroundings);

// A token given as an argument, or from stdin if the argument is "-" or the
// source says so. A usage error if both or neither is given.
absl::StatusOr<SecretText> ReadToken(const std::string& argument,
                                     SecretSource source,
                                     Surroundings& surroundings);

enum class Consent { kAsk, kGiven };

// OK if `consent` is given or a person types "yes" or "y". A no is exit code
// 1; that nobody can be asked is a usage error naming --yes.
absl::Status Confirm(Consent consent, absl::string_view question,
                     Surroundings& surroundings);

}  // namespace ostiary::cli

#endif  // OSTIARY_CLIENT_CLI_PROMPT_H_

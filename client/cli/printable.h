#ifndef OSTIARY_CLIENT_CLI_PRINTABLE_H_
#define OSTIARY_CLIENT_CLI_PRINTABLE_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace ostiary::cli {

// `text` fit for a terminal: every control character (C0, DEL, C1), every
// character that reverses the direction of writing, and every byte that is not
// UTF-8 becomes "\u001b" or "\xff". A user agent or display name is written by
// strangers: as escape sequences it could retitle, overwrite or answer for the
// operator's terminal. One-line JSON stays the same JSON: there such characters
// stand inside strings only.
std::string Printable(absl::string_view text);

// How many columns `printable` takes, counting every character as one.
std::size_t WidthOf(absl::string_view printable);

}  // namespace ostiary::cli

#endif  // OSTIARY_CLIENT_CLI_PRINTABLE_H_

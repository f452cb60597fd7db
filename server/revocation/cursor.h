#ifndef OSTIARY_SERVER_REVOCATION_CURSOR_H_
#define OSTIARY_SERVER_REVOCATION_CURSOR_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "storage/rows.h"

namespace ostiary::revocation {

// A place in the feed as its watchers are told it: "cur_" and hexadecimal
// digits of the epoch, the sequence and the running hash up to it. Not a secret
// and not a proof.
std::string FormatCursor(const storage::LedgerHead& position);
// nullopt for anything FormatCursor did not make.
std::optional<storage::LedgerHead> ParseCursor(absl::string_view text);

}  // namespace ostiary::revocation

#endif  // OSTIARY_SERVER_REVOCATION_CURSOR_H_

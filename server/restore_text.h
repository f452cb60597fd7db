#ifndef OSTIARY_SERVER_RESTORE_TEXT_H_
#define OSTIARY_SERVER_RESTORE_TEXT_H_

#include <string>

#include "absl/status/status.h"
#include "server/restore.h"

// What a restore tells people and scripts.
namespace ostiary {

// What was done, how many must sign in again, and where the list is.
std::string RestoreText(const RestoreReport& report);

// The same with every session, as one JSON object in a line.
std::string RestoreJson(const RestoreReport& report);

// Writes RestoreJson to a new file, mode 0600: it names people.
absl::Status WriteRestoreReport(const RestoreReport& report,
                                const std::string& path);

}  // namespace ostiary

#endif  // OSTIARY_SERVER_RESTORE_TEXT_H_

#ifndef OSTIARY_SERVER_KEY_PRIVATE_FILE_H_
#define OSTIARY_SERVER_KEY_PRIVATE_FILE_H_

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace ostiary::key {

// Small files that belong to this user alone. Errors name the file and what is
// wrong, never its content.

// The whole file. kNotFound if there is none; kFailedPrecondition if it is not
// a regular file, is longer than `limit` bytes, belongs to somebody else than
// us or root, or lets group or others read or write it.
absl::StatusOr<std::string> ReadPrivateFile(const std::string& path,
                                            std::size_t limit);

// Makes `path` with mode 0600. After a crash it is there whole or not at all.
// kAlreadyExists if the file was there: it is left alone.
absl::Status CreatePrivateFile(const std::string& path,
                               absl::string_view content);

// Appends and returns once it is on the disk; the file is made (mode 0600) if
// it is missing.
absl::Status AppendToPrivateFile(const std::string& path,
                                 absl::string_view content);

}  // namespace ostiary::key

#endif  // OSTIARY_SERVER_KEY_PRIVATE_FILE_H_

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

// Puts a file with mode 0600 in the place of the one at `path`. After a crash
// the old one or the new one is there, whole. kFailedPrecondition, and nothing
// has changed, if `path` is a link (what it names is somebody else's to
// replace) or its folder may not be written.
absl::Status ReplacePrivateFile(const std::string& path,
                                absl::string_view content);

// Removes what a crash inside ReplacePrivateFile may have left.
void DropDraftOf(const std::string& path);

// Returns once the file and its name are on the disk; a file system that has
// no disk counts as one that is in step.
absl::Status SyncPrivateFile(const std::string& path);

}  // namespace ostiary::key

#endif  // OSTIARY_SERVER_KEY_PRIVATE_FILE_H_

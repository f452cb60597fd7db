#ifndef OSTIARY_SERVER_DATA_DIR_H_
#define OSTIARY_SERVER_DATA_DIR_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace ostiary {

// The directory that is this server's alone while this object lives: database,
// keys, operator socket, mark. Whoever can enter it is the operator, so it is
// 0700 and ours or it is not used; and two servers on one store would each
// acknowledge what the other cannot see, so a lock is held.
//
// Open it before anything is bound: gRPC takes over a socket path from a
// running server without a word.
class DataDir {
 public:
  // Makes the directory (0700; its parent must exist) or checks the one that
  // is there, and takes the lock. kFailedPrecondition: somebody else holds the
  // lock (the message names the process), the directory is not 0700, not ours
  // or a link; kUnavailable: the system refused. Each message says what to do.
  static absl::StatusOr<DataDir> Open(const std::string& path);

  ~DataDir();
  DataDir(DataDir&& other) noexcept;
  DataDir& operator=(DataDir&&) = delete;
  DataDir(const DataDir&) = delete;
  DataDir& operator=(const DataDir&) = delete;

  const std::string& path() const { return path_; }

 private:
  DataDir(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}

  std::string path_;
  int lock_;  // the lock file's descriptor; -1 once moved from
};

// Where things lie unless an option says otherwise.
std::string DefaultStorePath(absl::string_view data_dir);
std::string DefaultSocketPath(absl::string_view data_dir);
std::string DefaultKeyEncryptionKeyPath(absl::string_view data_dir);
// Where backups go that are given no path.
std::string BackupFolder(absl::string_view data_dir);

// Beside the key-encryption key and never in a backup: what a restored database
// must not be able to forget.
std::string MarkPath(absl::string_view key_encryption_key_file);
std::string RevokedKeysPath(absl::string_view key_encryption_key_file);

// A Unix socket's path has at most 107 bytes; the system's own error for a
// longer one, and gRPC's, says nothing of the kind.
absl::Status CheckSocketPath(absl::string_view path);

}  // namespace ostiary

#endif  // OSTIARY_SERVER_DATA_DIR_H_

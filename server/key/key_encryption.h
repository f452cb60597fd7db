#ifndef OSTIARY_SERVER_KEY_KEY_ENCRYPTION_H_
#define OSTIARY_SERVER_KEY_KEY_ENCRYPTION_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "server/key/key_encryption_key.h"
#include "server/key/key_encryption_key_file.h"
#include "storage/store.h"

namespace ostiary::key {

// One key-encryption key as the file and the store know it.
struct EncryptionKeyInfo {
  enum class State {
    kSeals,    // the first of the file: whatever is sealed now
    kOpens,    // in the file, behind the first: nothing new is sealed under it
    kMissing,  // rows are sealed under it, and the file does not hold it
  };
  std::string id;
  State state = State::kSeals;
  int sealed_rows = 0;
};

// What a rotation came to.
struct EncryptionRotation {
  std::vector<EncryptionKeyInfo> keys;  // the one that seals first
  int sealed_anew = 0;                  // rows
  // Why keys that seal nothing any more are still in the file: it is not ours
  // to write. Ok: there are none.
  absl::Status left_in_file;
};

// The change of the key-encryption key, in steps of which each leaves a file
// that opens every row, whenever the process ends:
//
// 1. a new key goes in front of the file, and the file to the disk;
// 2. one transaction seals every row anew under it;
// 3. once that is committed, the keys that seal nothing leave the file.
//
// Finish does 2 and 3 at every start, so what a crash broke off is done, and
// so an operator who writes the file himself (who put a key in front, or the
// key of an old backup behind) needs no command.
//
// Thread-safe; one rotation at a time.
class KeyEncryption {
 public:
  // `store` and `kek` must outlive this; `kek` came from the file `path`.
  KeyEncryption(storage::Store& store, KeyEncryptionKey& kek, std::string path);

  // kFailedPrecondition names every key that rows are sealed under and the file
  // does not hold; nothing has changed then. Cheap if nothing is to be done.
  absl::StatusOr<EncryptionRotation> Finish(absl::Time now);

  // Makes a new key and seals with it. If there is something to finish first
  // (an interrupted rotation; a key that the operator put in front of the
  // file) that is all it does.
  //
  // Refusals: kKeyStateConflict with a sentence if the file cannot be read or
  // replaced, or lacks a key that rows are sealed under. Any other error is
  // the store's; running it again goes on where it broke off. `audit` says who
  // asks; action, outcome, time and detail are filled in here.
  absl::StatusOr<EncryptionRotation> Rotate(const storage::AuditRow& audit,
                                            absl::Time now);

  absl::StatusOr<std::vector<EncryptionKeyInfo>> List() const;

 private:
  using Keys = KeyEncryptionKey::Keys;

  absl::Status TakeFile() ABSL_EXCLUSIVE_LOCKS_REQUIRED(rotating_);
  absl::Status PutNewInFront() ABSL_EXCLUSIVE_LOCKS_REQUIRED(rotating_);
  absl::StatusOr<EncryptionRotation> Complete(const storage::AuditRow& audit,
                                              absl::Time now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(rotating_);
  absl::StatusOr<int> SealAllAnew(const storage::AuditRow& audit,
                                  absl::Time now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(rotating_);
  absl::Status DropOldKeys() ABSL_EXCLUSIVE_LOCKS_REQUIRED(rotating_);

  storage::Store& store_;
  KeyEncryptionKey& kek_;
  const KeyEncryptionKeyFile file_;
  // Held while the store works: rotations are rare, and two of them could
  // drop each other's keys.
  absl::Mutex rotating_;
};

}  // namespace ostiary::key

#endif  // OSTIARY_SERVER_KEY_KEY_ENCRYPTION_H_

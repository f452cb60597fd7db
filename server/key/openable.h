#ifndef OSTIARY_SERVER_KEY_OPENABLE_H_
#define OSTIARY_SERVER_KEY_OPENABLE_H_

#include "absl/status/status.h"
#include "server/key/key_encryption_key.h"
#include "storage/store.h"

namespace ostiary::key {

// Whether every key in the store opens under `kek`: asked of a backup before it
// takes the store's place. Fails as KeyEncryptionKey::Open does, naming the
// key.
absl::Status CheckOpenable(storage::Store& store, const KeyEncryptionKey& kek);

}  // namespace ostiary::key

#endif  // OSTIARY_SERVER_KEY_OPENABLE_H_

#ifndef OSTIARY_SERVER_KEY_REVOKE_ALL_H_
#define OSTIARY_SERVER_KEY_REVOKE_ALL_H_

#include <cstddef>

#include "absl/status/statusor.h"
#include "server/key/revoked_key_file.h"
#include "storage/store.h"

namespace ostiary::key {

// Writes every signing key of the store that is not revoked yet into `file`,
// so that the next KeyRing::Load revokes them all and makes a new one. For a
// store that no key ring is at work on. Returns how many they are.
absl::StatusOr<std::size_t> RevokeAllAtNextLoad(storage::Store& store,
                                                const RevokedKeyFile& file);

}  // namespace ostiary::key

#endif  // OSTIARY_SERVER_KEY_REVOKE_ALL_H_

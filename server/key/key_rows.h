#ifndef OSTIARY_SERVER_KEY_KEY_ROWS_H_
#define OSTIARY_SERVER_KEY_KEY_ROWS_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "client/jwt/jwk.h"
#include "server/key/key_encryption_key.h"
#include "server/key/signing_key.h"
#include "storage/rows.h"

// Signing keys as rows. What a row seals is what its state needs: the private
// part while the key signs or may come to sign, the public part once it only
// verifies, nothing once it is revoked. KeyRow::public_jwk is for people; no
// key is published from it, because a database writer could put a key of his
// own there.
namespace ostiary::key {

// The purpose of the keys that sign access tokens. Lives on disk.
constexpr absl::string_view kAccessPurpose = "access";

// A prepared row for `key`.
absl::StatusOr<storage::KeyRow> NewKeyRow(const KeyEncryptionKey& kek,
                                          const SigningKey& key,
                                          absl::Time now);

// The private key of a prepared or active row. kDataLoss, kFailedPrecondition
// as KeyEncryptionKey::Open; the message names the key.
absl::StatusOr<SigningKey> OpenSigningKey(const KeyEncryptionKey& kek,
                                          const storage::KeyRow& row);

// The public key of a prepared, active or retired row; fails likewise.
absl::StatusOr<jwt::PublicJwk> OpenPublicKey(const KeyEncryptionKey& kek,
                                             const storage::KeyRow& row);

// Forgets the private part of a prepared or active row; its public part
// remains, sealed. Fails as OpenSigningKey does, the row untouched.
absl::Status DropPrivatePart(const KeyEncryptionKey& kek, storage::KeyRow& row);

// Seals anew, under the key that seals now, what any row of the table seals;
// false if that is so already, or if it seals nothing. Fails as
// KeyEncryptionKey::Open does, the row untouched.
absl::StatusOr<bool> SealAnew(const KeyEncryptionKey& kek,
                              storage::KeyRow& row);

}  // namespace ostiary::key

#endif  // OSTIARY_SERVER_KEY_KEY_ROWS_H_

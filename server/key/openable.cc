#include "server/key/openable.h"

#include "absl/strings/str_cat.h"
#include "server/key/key_rows.h"
#include "server/key/lifecycle.h"
#include "server/key/symmetric_keys.h"

namespace ostiary::key {
namespace {

absl::Status CheckSigningKey(const KeyEncryptionKey& kek,
                             const storage::KeyRow& row) {
  // Nothing is left of it to open.
  if (row.state == kStateRevoked) return absl::OkStatus();
  return OpenPublicKey(kek, row).status();
}

absl::Status CheckSymmetricKey(const KeyEncryptionKey& kek,
                               const storage::KeyRow& row) {
  const SealLabel label{row.purpose, row.key_id, row.algorithm};
  const auto opened = kek.Open(label, row.sealed);
  if (opened.ok()) return absl::OkStatus();
  return absl::Status(
      opened.status().code(),
      absl::StrCat("key ", row.key_id, ": ", opened.status().message()));
}

}  // namespace

absl::Status CheckOpenable(storage::Store& store, const KeyEncryptionKey& kek) {
  return store.Read([&](storage::ReadTx& tx) -> absl::Status {
    for (const absl::string_view purpose :
         {kAccessPurpose, kRefreshPurpose, kIdentifierHashPurpose,
          kDecoyPurpose}) {
      const auto rows = tx.keys().List(purpose);
      if (!rows.ok()) return rows.status();
      for (const storage::KeyRow& row : *rows) {
        absl::Status opens = purpose == kAccessPurpose
                                 ? CheckSigningKey(kek, row)
                                 : CheckSymmetricKey(kek, row);
        if (!opens.ok()) return opens;
      }
    }
    return absl::OkStatus();
  });
}

}  // namespace ostiary::key

#include "server/key/revoke_all.h"

#include <vector>

#include "server/key/key_rows.h"
#include "server/key/lifecycle.h"

namespace ostiary::key {

absl::StatusOr<std::size_t> RevokeAllAtNextLoad(storage::Store& store,
                                                const RevokedKeyFile& file) {
  using Rows = std::vector<storage::KeyRow>;
  const auto rows = storage::ReadValue<Rows>(store, [](storage::ReadTx& tx) {
    return tx.keys().List(kAccessPurpose);
  });
  if (!rows.ok()) return rows.status();
  const auto known = file.Read();
  if (!known.ok()) return known.status();
  std::size_t revoked = 0;
  for (const storage::KeyRow& row : *rows) {
    if (row.state == kStateRevoked || known->contains(row.key_id)) continue;
    if (auto s = file.Append(row.key_id); !s.ok()) return s;
    ++revoked;
  }
  return revoked;
}

}  // namespace ostiary::key

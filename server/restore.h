#ifndef OSTIARY_SERVER_RESTORE_H_
#define OSTIARY_SERVER_RESTORE_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "server/base/log.h"
#include "server/config.h"

namespace ostiary {

struct RestoreReport {
  std::uint32_t epoch = 0;    // the new one
  std::int64_t sequence = 0;  // of the row that ends all older tokens
  std::int64_t accounts_signed_out = 0;
};

// `ostiaryd restore`: takes over a store that went back in time (protocol.md
// 5).
//
// Begins an epoch above everything seen, so that tokens minted from now on
// outrank every revocation made before; ends all access tokens issued until
// now, because a revocation of one may have been lost with the store's tail;
// with --sessions=end signs every account out too; and writes the new mark.
absl::StatusOr<RestoreReport> Restore(const Config& config, Logger& logger);

}  // namespace ostiary

#endif  // OSTIARY_SERVER_RESTORE_H_

#ifndef OSTIARY_SERVER_RESTORE_H_
#define OSTIARY_SERVER_RESTORE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "server/base/log.h"
#include "server/config.h"
#include "server/restored_sessions.h"
#include "storage/open_store.h"

namespace ostiary {

struct RestoreReport {
  std::uint32_t epoch = 0;    // the new one
  std::int64_t sequence = 0;  // of the row that ends all older tokens
  RestoredSessions choice = RestoredSessions::kEnd;
  // With --from: the file, and where the database that was there is now (empty:
  // there was none).
  std::string from;
  std::optional<storage::ImportedFile> imported;
  std::string set_aside;
  // Whether that database could be asked which sessions it knew, with what is
  // wrong with it if not.
  bool asked_the_one_before = false;
  std::string why_not_asked;
  SessionFates sessions;
  // Until when the machine's clock had been ahead; InfinitePast: it was not.
  absl::Time clock_was_at = absl::InfinitePast();
  // Signing keys that were revoked for it.
  std::size_t revoked_keys = 0;
};

// `ostiaryd restore`: puts a backup in the place of the store, or takes over a
// store that somebody else put there (protocol.md 5).
//
// Begins an epoch above everything seen, so that tokens minted from now on
// outrank every revocation made before; ends all access tokens issued until
// now, because a revocation of one may have been lost with the store's tail;
// with --sessions=end signs every account out too; and writes the new mark. If
// the machine's clock had been ahead, tokens of that time would come into force
// when it comes, later than that row reaches: all signing keys are revoked.
//
// With --from everything is done to a copy, which then takes the store's place
// in one step: an error before that leaves store and mark as they were. The
// store that was there is kept. What it knows to have ended since the backup
// ends in the restored one too, as far as it can still be read.
//
// kFailedPrecondition: a server runs on the data directory; the file is no
// database of Ostiary, of a newer release, or sealed under another
// key-encryption key. kDataLoss: it is damaged.
absl::StatusOr<RestoreReport> Restore(const Config& config, Logger& logger);

}  // namespace ostiary

#endif  // OSTIARY_SERVER_RESTORE_H_

#ifndef OSTIARY_SERVER_REVOCATION_PAST_EPOCHS_H_
#define OSTIARY_SERVER_REVOCATION_PAST_EPOCHS_H_

#include <cstdint>
#include <map>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/store.h"

namespace ostiary::revocation {

// For each epoch that a restore has ended, the last sequence of it that the
// restored store still had. A ticket from before it is honoured; one from the
// lost tail is not.
using PastEpochs = std::map<std::uint32_t, std::int64_t>;

// Remembers where the epoch that is about to end stands, in the transaction
// that begins the next.
absl::Status RecordPastEpoch(storage::WriteTx& tx,
                             const storage::LedgerHead& survived);

absl::StatusOr<PastEpochs> LoadPastEpochs(storage::Store& store);

}  // namespace ostiary::revocation

#endif  // OSTIARY_SERVER_REVOCATION_PAST_EPOCHS_H_

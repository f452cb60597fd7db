#ifndef OSTIARY_SERVER_DOOR_WATCH_FRAMES_H_
#define OSTIARY_SERVER_DOOR_WATCH_FRAMES_H_

#include <vector>

#include "absl/time/time.h"
#include "client/jwt/key_set.h"
#include "server/door/subscription.h"
#include "server/revocation/revocation_set.h"
#include "storage/rows.h"

// The frames of RevocationService.Watch, serialized.
namespace ostiary::door {

using Frame = Subscription::Frame;

enum class SnapshotForm {
  kReadable,  // every entry with its whole id
  kCompact,   // tokens and sessions as fingerprint sets
};

Frame KeySetFrame(const jwt::KeySet& keys);

// What is revoked at `head`, in parts of some hundred kilobytes; the last one
// says so. `set` must have applied `head`; `as_of` was read before it.
std::vector<Frame> SnapshotFrames(const revocation::RevocationSet& set,
                                  const storage::LedgerHead& head,
                                  absl::Time as_of, SnapshotForm form);

// The rows after `from` up to and with `to`. `as_of` is InfinitePast where the
// caller is not brought up to the head.
Frame DeltaFrame(const std::vector<storage::LedgerRow>& rows, std::int64_t from,
                 const storage::LedgerHead& to, absl::Time as_of);

Frame HeartbeatFrame(const storage::LedgerHead& head, absl::Time as_of);

}  // namespace ostiary::door

#endif  // OSTIARY_SERVER_DOOR_WATCH_FRAMES_H_

#ifndef OSTIARY_CLIENT_CPP_FOLLOWER_H_
#define OSTIARY_CLIENT_CPP_FOLLOWER_H_

#include "absl/time/time.h"
#include "client/cpp/knowledge.h"
#include "ostiary/v1/revocation_service.pb.h"

namespace ostiary::client {

// Applies the frames of one stream to what is known. Never un-revokes, and
// never believes to have seen what it has not: a gap, a frame it cannot read
// and an entry of a kind it does not know end the stream, and the knowledge
// grows stale until another one closes the gap.
//
// Not thread-safe; one for each stream.
class Follower {
 public:
  explicit Follower(Knowledge& knowledge) : knowledge_(knowledge) {}

  enum class Step {
    kAdvanced,  // knowledge is newer than before
    kHeard,     // nothing wrong, nothing newer
    kAbandon,   // open another stream from the own cursor
  };
  // `uptime`: when the frame arrived.
  Step Take(const v1::WatchResponse& frame, absl::Duration uptime);

 private:
  Step TakeKeySet(const v1::RevocationKeySet& keys);
  Step TakeSnapshot(const v1::RevocationSnapshot& snapshot,
                    absl::Duration uptime);
  Step TakeDelta(const v1::RevocationDelta& delta, absl::Duration uptime);
  Step TakeHeartbeat(const v1::RevocationHeartbeat& heartbeat,
                     absl::Duration uptime);

  Knowledge& knowledge_;
  // Whether a frame of this stream has spoken of our own position.
  bool in_step_ = false;
};

}  // namespace ostiary::client

#endif  // OSTIARY_CLIENT_CPP_FOLLOWER_H_

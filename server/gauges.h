#ifndef OSTIARY_SERVER_GAUGES_H_
#define OSTIARY_SERVER_GAUGES_H_

#include <memory>
#include <vector>

#include "server/base/clock.h"
#include "server/base/lane.h"
#include "server/base/metrics.h"
#include "server/door/revocation_feed.h"
#include "server/key/key_ring.h"
#include "server/password/hash_workers.h"
#include "server/revocation/revocation_set.h"
#include "server/token/verified_token_cache.h"
#include "storage/store.h"

namespace ostiary {

// The rooms whose figures are asked for when the metrics are rendered.
struct GaugeSources {
  const Clock& clock;
  const storage::Store& store;
  const key::KeyRing& keys;
  const revocation::RevocationSet& revocations;
  const token::VerifiedTokenCache& cache;
  const password::HashWorkers& hash_workers;
  const Lane& store_lane;
  const Lane& password_lane;
  const door::RevocationFeed& feed;
};

// The gauges live as long as the handles, and the sources must outlive them.
std::vector<std::unique_ptr<Metrics::Callback>> RegisterGauges(
    Metrics& metrics, const GaugeSources& sources);

}  // namespace ostiary

#endif  // OSTIARY_SERVER_GAUGES_H_

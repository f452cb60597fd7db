#ifndef OSTIARY_SERVER_LOADING_H_
#define OSTIARY_SERVER_LOADING_H_

#include <cstddef>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/jwt/verifier.h"
#include "server/base/certificates.h"
#include "server/base/metrics.h"
#include "server/base/random.h"
#include "server/config.h"
#include "server/foundation.h"
#include "server/key/key_ring.h"
#include "server/key/symmetric_keys.h"
#include "server/revocation/feed_log.h"
#include "server/revocation/past_epochs.h"
#include "server/revocation/revocation_set.h"
#include "server/session/serving_time.h"
#include "server/status_list/list_book.h"
#include "server/status_list/sweep.h"
#include "server/token/access_token_minter.h"
#include "storage/store.h"

namespace ostiary {

// Revocations that a watcher may have missed and still go on from its place;
// further behind, it gets a snapshot.
inline constexpr std::size_t kFeedRows = 16384;

// What the store's writer tells; it outlives the store.
struct Aftermath {
  revocation::RevocationSet revocations;
  revocation::FeedLog feed_log{kFeedRows};
  status_list::ListBook status_lists;
  status_list::Sweep sweep;
  session::ServingTime serving_time;
  Metrics metrics;
  LatencyHistogram& commit_seconds =
      metrics.FindLatency("ostiary_store_commit_seconds",
                          "How long a group of writes took to become durable.");
  Counter& operations =
      metrics.FindCounter("ostiary_store_operations_total",
                          "Writes made durable, in however many groups.");

  storage::StoreListener Listener();
};

// What is loaded from the store before anything else can be built.
struct Loaded {
  std::unique_ptr<key::KeyRing> keys;
  key::SymmetricKeys refresh_keys;
  key::SymmetricKeys identifier_keys;
  key::SymmetricKeys decoy_keys;
  absl::Duration access_ceiling;
  revocation::PastEpochs past_epochs;
  std::unique_ptr<CertificateStore> certificates;  // null: no TLS
  token::AccessTokenMinter minter;
  jwt::Verifier verifier;
};

// Loads the ledger, the keys and what else must be in memory before the first
// call. Errors name what an operator must look at.
absl::StatusOr<Loaded> Load(const Config& config, Foundation& foundation,
                            Aftermath& aftermath, Random& random);

}  // namespace ostiary

#endif  // OSTIARY_SERVER_LOADING_H_

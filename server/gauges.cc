#include "server/gauges.h"

#include <string>
#include <utility>

namespace ostiary {

std::vector<std::unique_ptr<Metrics::Callback>> RegisterGauges(
    Metrics& metrics, const GaugeSources& sources) {
  std::vector<std::unique_ptr<Metrics::Callback>> gauges;
  for (const Lane* lane : {&sources.store_lane, &sources.password_lane}) {
    const MetricLabels labels = {{"lane", lane->name()}};
    gauges.push_back(metrics.AddGaugeCallback(
        "ostiary_lane_waiting", "Calls that wait for a thread of the lane.",
        labels, [lane] { return static_cast<double>(lane->waiting()); }));
    gauges.push_back(metrics.AddGaugeCallback(
        "ostiary_lane_running", "Calls that run in the lane.", labels,
        [lane] { return static_cast<double>(lane->running()); }));
  }
  const auto gauge = [&](absl::string_view name, absl::string_view help,
                         Metrics::Read read) {
    gauges.push_back(metrics.AddGaugeCallback(name, help, {}, std::move(read)));
  };
  const auto counter = [&](absl::string_view name, absl::string_view help,
                           Metrics::Read read) {
    gauges.push_back(
        metrics.AddCounterCallback(name, help, {}, std::move(read)));
  };
  gauge("ostiary_hash_queued", "Password hashes that wait for a core.",
        [sources] {
          return static_cast<double>(sources.hash_workers.figures().queued);
        });
  gauge(
      "ostiary_hash_memory_bytes", "Memory that running password hashes take.",
      [sources] {
        return static_cast<double>(sources.hash_workers.figures().memory_bytes);
      });
  counter("ostiary_hashes_total", "Password hashes computed.", [sources] {
    return static_cast<double>(sources.hash_workers.figures().completed);
  });
  counter("ostiary_hashes_refused_total",
          "Password hashes refused before they began.", [sources] {
            return static_cast<double>(sources.hash_workers.figures().refused);
          });
  counter("ostiary_verify_cache_hits_total",
          "Tokens whose signature was known good.", [sources] {
            return static_cast<double>(sources.cache.counts().hits);
          });
  counter("ostiary_verify_cache_misses_total",
          "Tokens whose signature had to be checked.", [sources] {
            return static_cast<double>(sources.cache.counts().misses);
          });
  gauge("ostiary_store_full",
        "1 while the disk is full and only what ends access is written.",
        [sources] { return sources.store.disk_room().full ? 1.0 : 0.0; });
  gauge("ostiary_store_reserve_bytes",
        "Room on the disk that is kept for what ends access.", [sources] {
          return static_cast<double>(sources.store.disk_room().reserve_bytes);
        });
  gauge("ostiary_live_revocations", "Revocations that are being remembered.",
        [sources] { return static_cast<double>(sources.revocations.size()); });
  gauge("ostiary_revocation_sequence", "The newest revocation applied.",
        [sources] {
          return static_cast<double>(sources.revocations.applied().sequence);
        });
  gauge("ostiary_watchers", "Services that watch revocations.", [sources] {
    return static_cast<double>(sources.feed.figures().watchers);
  });
  counter("ostiary_feed_snapshots_total",
          "Snapshots made for services that watch revocations.", [sources] {
            return static_cast<double>(sources.feed.figures().snapshots);
          });
  counter("ostiary_state_regressions_total",
          "Watchers that had been told more than the ledger holds.", [sources] {
            return static_cast<double>(sources.feed.figures().regressions);
          });
  for (const auto& [state, name] :
       {std::pair{key::KeyState::kPrepared, "prepared"},
        std::pair{key::KeyState::kActive, "active"},
        std::pair{key::KeyState::kRetired, "retired"}}) {
    gauges.push_back(metrics.AddGaugeCallback(
        "ostiary_signing_keys", "Signing keys, by state.", {{"state", name}},
        [sources, state = state] {
          return static_cast<double>(sources.keys.Snapshot()->Count(state));
        }));
  }
  gauge("ostiary_signing_key_age_seconds",
        "How long the active key has been signing.", [sources] {
          return absl::ToDoubleSeconds(sources.clock.Now() -
                                       sources.keys.Snapshot()->active_since());
        });
  return gauges;
}

}  // namespace ostiary

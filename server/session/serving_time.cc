#include "server/session/serving_time.h"

#include <algorithm>

namespace ostiary::session {
namespace {

constexpr std::size_t kPausesKept = 64;

}  // namespace

void ServingTime::AddPause(absl::Time from, absl::Time to) {
  if (to <= from) return;
  MutexLock lock(&mutex_);
  // Pauses never overlap, or a moment would be taken off twice. The new one may
  // reach further back than the last one that was told of: a start commits
  // before it knows how long the server was down.
  auto it = pauses_.begin();
  while (it != pauses_.end() && it->to < from) ++it;
  while (it != pauses_.end() && it->from <= to) {
    from = std::min(from, it->from);
    to = std::max(to, it->to);
    it = pauses_.erase(it);
  }
  pauses_.insert(it, {from, to});
  if (pauses_.size() > kPausesKept) pauses_.pop_front();
}

absl::Duration ServingTime::Elapsed(absl::Time since, absl::Time now) const {
  absl::Duration elapsed = now - since;
  MutexLock lock(&mutex_);
  for (const Pause& pause : pauses_) {
    const absl::Duration overlap =
        std::min(pause.to, now) - std::max(pause.from, since);
    if (overlap > absl::ZeroDuration()) elapsed -= overlap;
  }
  return std::max(elapsed, absl::ZeroDuration());
}

}  // namespace ostiary::session

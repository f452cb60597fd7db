#include "client/cpp/knowledge.h"

#include <algorithm>
#include <utility>

#include "client/cpp/patience.h"

namespace ostiary::client {
namespace {

// Whether a signature checked with `before` would be found good with `after`.
bool KeepsAllKeys(const jwt::KeySet& before, const jwt::KeySet& after) {
  for (const jwt::VerifyingKey& key : before.keys()) {
    const jwt::VerifyingKey* still = after.Find(key.kid());
    if (still == nullptr || still->jwk() != key.jwk()) return false;
  }
  return true;
}

}  // namespace

Knowledge::Keys Knowledge::keys() const {
  const std::lock_guard lock(mutex_);
  return keys_;
}

void Knowledge::ReplaceKeys(jwt::KeySet keys) {
  const std::lock_guard lock(mutex_);
  if (!KeepsAllKeys(keys_.set, keys)) losses_ = ++keys_.losses;
  keys_.set = std::move(keys);
  keys_.known = true;
}

std::optional<Position> Knowledge::position() const {
  const std::lock_guard lock(mutex_);
  return position_;
}

void Knowledge::MoveTo(Position position) {
  const std::lock_guard lock(mutex_);
  MoveToLocked(std::move(position));
  changed_.notify_all();
}

void Knowledge::Freshen(absl::Time as_of, absl::Duration uptime) {
  const std::lock_guard lock(mutex_);
  FreshenLocked(as_of, uptime);
  changed_.notify_all();
}

void Knowledge::Advance(Position position, absl::Time as_of,
                        absl::Duration uptime) {
  const std::lock_guard lock(mutex_);
  MoveToLocked(std::move(position));
  FreshenLocked(as_of, uptime);
  changed_.notify_all();
}

void Knowledge::MoveToLocked(Position position) {
  const auto [epoch, sequence] = position.revision;
  std::int64_t& reached = reached_.try_emplace(epoch, sequence).first->second;
  reached = std::max(reached, sequence);
  position_ = std::move(position);
}

Knowledge::Reached Knowledge::reached() const {
  const std::lock_guard lock(mutex_);
  return reached_;
}

void Knowledge::Remember(const Reached& reached) {
  const std::lock_guard lock(mutex_);
  reached_ = reached;
}

Arrival Knowledge::HasReachedLocked(
    const revocation::Revision& revision) const {
  const auto reached = reached_.find(revision.epoch);
  if (reached != reached_.end() && reached->second >= revision.sequence) {
    return Arrival::kReached;
  }
  const bool past = position_ && revision.epoch < position_->revision.epoch;
  return past ? Arrival::kLost : Arrival::kTimeout;
}

Arrival Knowledge::HasReached(const revocation::Revision& revision) const {
  const std::lock_guard lock(mutex_);
  return HasReachedLocked(revision);
}

Arrival Knowledge::WaitFor(const revocation::Revision& revision,
                           absl::Duration timeout) const {
  std::unique_lock lock(mutex_);
  const auto settled = [&] {
    return waiting_is_over_ || HasReachedLocked(revision) != Arrival::kTimeout;
  };
  AwaitFor(changed_, lock, timeout, settled);
  return HasReachedLocked(revision);
}

bool Knowledge::WaitUntil(absl::FunctionRef<bool()> condition,
                          absl::Duration timeout) const {
  std::unique_lock lock(mutex_);
  const auto settled = [&] { return waiting_is_over_ || condition(); };
  AwaitFor(changed_, lock, timeout, settled);
  return condition();
}

void Knowledge::StopWaiting() {
  const std::lock_guard lock(mutex_);
  waiting_is_over_ = true;
  changed_.notify_all();
}

void Knowledge::FreshenLocked(absl::Time as_of, absl::Duration uptime) {
  const std::int64_t nanos = absl::ToUnixNanos(as_of);
  if (nanos <= as_of_nanos_) return;
  as_of_nanos_ = nanos;
  arrival_nanos_ = absl::ToInt64Nanoseconds(uptime);
}

absl::Time Knowledge::as_of() const {
  const std::int64_t nanos = as_of_nanos_;
  return nanos == kNoTime ? absl::InfinitePast() : absl::FromUnixNanos(nanos);
}

absl::Duration Knowledge::Staleness(absl::Time now,
                                    absl::Duration uptime) const {
  if (stays_fresh_) return absl::ZeroDuration();
  const std::int64_t arrival = arrival_nanos_;
  const std::int64_t as_of = as_of_nanos_;
  if (as_of == kNoTime) return absl::InfiniteDuration();
  return std::max({now - absl::FromUnixNanos(as_of),
                   uptime - absl::Nanoseconds(arrival), absl::ZeroDuration()});
}

}  // namespace ostiary::client

#include "client/cpp/follower.h"

#include <cstdint>
#include <limits>
#include <string>

#include "client/cpp/wire.h"

namespace ostiary::client {
namespace {

using Step = Follower::Step;

// The sequence of a position; -1, where nobody stands, if it is none.
std::int64_t SequenceOf(std::uint64_t number) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
  return number <= kMost ? static_cast<std::int64_t>(number) : -1;
}

bool AddAll(const google::protobuf::RepeatedPtrField<v1::RevocationEntry>& all,
            revocation::RevokedSet& revoked) {
  for (const v1::RevocationEntry& entry : all) {
    if (!AddEntry(entry, revoked).ok()) return false;
  }
  return true;
}

}  // namespace

Step Follower::Take(const v1::WatchResponse& frame, absl::Duration uptime) {
  switch (frame.frame_case()) {
    case v1::WatchResponse::kKeySet:
      return TakeKeySet(frame.key_set());
    case v1::WatchResponse::kSnapshot:
      return TakeSnapshot(frame.snapshot(), uptime);
    case v1::WatchResponse::kDelta:
      return TakeDelta(frame.delta(), uptime);
    case v1::WatchResponse::kHeartbeat:
      return TakeHeartbeat(frame.heartbeat(), uptime);
    case v1::WatchResponse::FRAME_NOT_SET:
      break;
  }
  return Step::kHeard;  // a kind of frame from the future says nothing of ours
}

Step Follower::TakeKeySet(const v1::RevocationKeySet& keys) {
  const auto key_set = KeySetOf(keys);
  if (!key_set.ok()) return Step::kAbandon;
  knowledge_.ReplaceKeys(*key_set);
  return Step::kHeard;
}

Step Follower::TakeSnapshot(const v1::RevocationSnapshot& snapshot,
                            absl::Duration uptime) {
  in_step_ = false;
  if (!AddAll(snapshot.entries(), knowledge_.revoked())) return Step::kAbandon;
  for (const v1::FingerprintSet& set : snapshot.fingerprint_sets()) {
    if (!AddFingerprints(set, knowledge_.revoked()).ok()) return Step::kAbandon;
  }
  if (!snapshot.last()) return Step::kHeard;
  const auto as_of = TimeOf(snapshot.as_of());
  const std::int64_t sequence = SequenceOf(snapshot.sequence());
  if (!as_of.ok() || sequence < 0) return Step::kAbandon;
  knowledge_.Advance({{snapshot.epoch(), sequence}, snapshot.cursor()}, *as_of,
                     uptime);
  in_step_ = true;
  return Step::kAdvanced;
}

Step Follower::TakeDelta(const v1::RevocationDelta& delta,
                         absl::Duration uptime) {
  const auto position = knowledge_.position();
  const std::int64_t from = SequenceOf(delta.from());
  const std::int64_t to = SequenceOf(delta.to());
  if (!position || from < 0 || to < from ||
      delta.epoch() != position->revision.epoch) {
    return Step::kAbandon;
  }
  if (from != position->revision.sequence) {
    const bool duplicate = to <= position->revision.sequence;
    return duplicate ? Step::kHeard : Step::kAbandon;
  }
  const auto as_of = TimeOf(delta.as_of());
  if (!as_of.ok() || !AddAll(delta.entries(), knowledge_.revoked())) {
    return Step::kAbandon;
  }
  knowledge_.Advance({{delta.epoch(), to}, delta.cursor()}, *as_of, uptime);
  in_step_ = true;
  return Step::kAdvanced;
}

Step Follower::TakeHeartbeat(const v1::RevocationHeartbeat& heartbeat,
                             absl::Duration uptime) {
  const auto position = knowledge_.position();
  const std::int64_t sequence = SequenceOf(heartbeat.sequence());
  const auto as_of = TimeOf(heartbeat.as_of());
  if (sequence < 0 || !as_of.ok()) return Step::kAbandon;
  if (!position ||
      position->revision != revocation::Revision{heartbeat.epoch(), sequence}) {
    // Once in step, the stream cannot be elsewhere unless frames were lost.
    return in_step_ ? Step::kAbandon : Step::kHeard;
  }
  knowledge_.Advance({position->revision, heartbeat.cursor()}, *as_of, uptime);
  in_step_ = true;
  return Step::kAdvanced;
}

}  // namespace ostiary::client

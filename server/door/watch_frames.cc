#include "server/door/watch_frames.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "absl/types/span.h"
#include "client/revocation/fingerprint.h"
#include "client/revocation/fingerprint_set.h"
#include "ostiary/v1/revocation_service.pb.h"
#include "server/door/messages.h"
#include "server/revocation/cursor.h"

namespace ostiary::door {
namespace {

using revocation::Fingerprint;
using revocation::LiveRow;
using storage::LedgerKind;

// A frame stays well below the 4 MiB that clients take by default.
constexpr int kEntriesInPart = 2000;
constexpr std::size_t kFingerprintsInPart = 50000;
// Rows that may be forgotten at about the same time share a set: more sets
// would take more bits an entry.
constexpr std::int64_t kMostGroups = 32;

Frame Serialize(const v1::WatchResponse& response) {
  return std::make_shared<const std::string>(response.SerializeAsString());
}

std::uint64_t Unsigned(std::int64_t sequence) {
  return static_cast<std::uint64_t>(sequence);
}

LiveRow AsLive(const storage::LedgerRow& row) {
  return {row.kind, row.key, row.min_generation, row.issued_before,
          row.expire_time};
}

void ToEntry(const LiveRow& row, v1::RevocationEntry& out) {
  const std::string key(row.key.data(), row.key.size());
  switch (row.kind) {
    case LedgerKind::kToken:
      out.set_token_id(key);
      break;
    case LedgerKind::kSession:
      out.set_session_id(key);
      break;
    case LedgerKind::kAccount:
      out.mutable_account()->set_account_id(key);
      out.mutable_account()->set_min_generation(row.min_generation);
      break;
    case LedgerKind::kClient:
      out.mutable_client()->set_client_id(key);
      SetTime(row.issued_before,
              *out.mutable_client()->mutable_issued_before());
      break;
    case LedgerKind::kKey:
      out.set_key_id(key);
      break;
    case LedgerKind::kAll:
      SetTime(row.issued_before, *out.mutable_all()->mutable_issued_before());
      break;
  }
  if (row.forget_time != absl::InfiniteFuture())
    SetTime(row.forget_time, *out.mutable_forget_time());
}

// Collects parts and cuts them off when they are large enough.
class SnapshotWriter {
 public:
  explicit SnapshotWriter(const storage::LedgerHead& head) : head_(head) {
    Begin();
  }

  void Add(const LiveRow& row) {
    ToEntry(row, *snapshot().add_entries());
    if (snapshot().entries_size() >= kEntriesInPart) Cut();
  }

  void Add(absl::Span<const Fingerprint> rising, absl::Time forget_time) {
    auto encoded = revocation::EncodeFingerprints(rising);
    if (!encoded.ok()) return;  // not for rising numbers of this room's making
    v1::FingerprintSet& set = *snapshot().add_fingerprint_sets();
    SetTime(forget_time, *set.mutable_forget_time());
    set.set_count(encoded->count);
    set.set_low_bits(encoded->low_bits);
    set.set_lows(std::move(encoded->lows));
    set.set_highs(std::move(encoded->highs));
    fingerprints_ += rising.size();
    if (fingerprints_ >= kFingerprintsInPart) Cut();
  }

  std::vector<Frame> Finish(absl::Time as_of) {
    snapshot().set_last(true);
    SetTime(as_of, *snapshot().mutable_as_of());
    snapshot().set_cursor(revocation::FormatCursor(head_));
    Cut();
    return std::move(frames_);
  }

 private:
  v1::RevocationSnapshot& snapshot() { return *part_.mutable_snapshot(); }

  void Begin() {
    part_.Clear();
    snapshot().set_epoch(head_.epoch);
    snapshot().set_sequence(Unsigned(head_.sequence));
    fingerprints_ = 0;
  }

  void Cut() {
    frames_.push_back(Serialize(part_));
    Begin();
  }

  const storage::LedgerHead head_;
  v1::WatchResponse part_;
  std::size_t fingerprints_ = 0;
  std::vector<Frame> frames_;
};

// The token and session rows, by the minute from which they may be forgotten.
class FingerprintGroups {
 public:
  // False: the row is of another kind.
  bool Take(const LiveRow& row) {
    if (row.kind != LedgerKind::kToken && row.kind != LedgerKind::kSession)
      return false;
    const Fingerprint fingerprint = row.kind == LedgerKind::kToken
                                        ? Fingerprint::OfToken(row.key)
                                        : Fingerprint::OfSession(row.key);
    minutes_[absl::ToUnixSeconds(row.forget_time) / 60].push_back(fingerprint);
    return true;
  }

  void WriteTo(SnapshotWriter& writer) {
    if (minutes_.empty()) return;
    const std::int64_t span =
        minutes_.rbegin()->first - minutes_.begin()->first + 1;
    const std::int64_t width = (span + kMostGroups - 1) / kMostGroups;
    while (!minutes_.empty()) {
      const std::int64_t last = minutes_.begin()->first + width - 1;
      WriteGroup(last, writer);
    }
  }

 private:
  // All minutes up to `last` as one group, forgotten with the last of them.
  void WriteGroup(std::int64_t last, SnapshotWriter& writer) {
    std::vector<Fingerprint> group;
    std::int64_t minute = 0;
    while (!minutes_.empty() && minutes_.begin()->first <= last) {
      minute = minutes_.begin()->first;
      const std::vector<Fingerprint>& more = minutes_.begin()->second;
      group.insert(group.end(), more.begin(), more.end());
      minutes_.erase(minutes_.begin());
    }
    std::sort(group.begin(), group.end());
    group.erase(std::unique(group.begin(), group.end()), group.end());
    const absl::Span<const Fingerprint> all(group);
    for (std::size_t at = 0; at < all.size(); at += kFingerprintsInPart) {
      writer.Add(all.subspan(at, kFingerprintsInPart),
                 absl::FromUnixSeconds(minute * 60));
    }
  }

  std::map<std::int64_t, std::vector<Fingerprint>> minutes_;
};

}  // namespace

Frame KeySetFrame(const jwt::KeySet& keys) {
  v1::WatchResponse response;
  v1::RevocationKeySet& set = *response.mutable_key_set();
  for (const jwt::VerifyingKey& key : keys.keys())
    ToMessage(key.jwk(), *set.add_keys());
  return Serialize(response);
}

std::vector<Frame> SnapshotFrames(const revocation::RevocationSet& set,
                                  const storage::LedgerHead& head,
                                  absl::Time as_of, SnapshotForm form) {
  SnapshotWriter writer(head);
  FingerprintGroups fingerprints;
  set.VisitLive([&](const LiveRow& row) {
    if (form == SnapshotForm::kCompact && fingerprints.Take(row)) return;
    writer.Add(row);
  });
  fingerprints.WriteTo(writer);
  return writer.Finish(as_of);
}

Frame DeltaFrame(const std::vector<storage::LedgerRow>& rows, std::int64_t from,
                 const storage::LedgerHead& to, absl::Time as_of) {
  v1::WatchResponse response;
  v1::RevocationDelta& delta = *response.mutable_delta();
  delta.set_epoch(to.epoch);
  delta.set_from(Unsigned(from));
  delta.set_to(Unsigned(to.sequence));
  for (const storage::LedgerRow& row : rows)
    ToEntry(AsLive(row), *delta.add_entries());
  if (as_of != absl::InfinitePast()) SetTime(as_of, *delta.mutable_as_of());
  delta.set_cursor(revocation::FormatCursor(to));
  return Serialize(response);
}

Frame HeartbeatFrame(const storage::LedgerHead& head, absl::Time as_of) {
  v1::WatchResponse response;
  v1::RevocationHeartbeat& heartbeat = *response.mutable_heartbeat();
  heartbeat.set_epoch(head.epoch);
  heartbeat.set_sequence(Unsigned(head.sequence));
  SetTime(as_of, *heartbeat.mutable_as_of());
  heartbeat.set_cursor(revocation::FormatCursor(head));
  return Serialize(response);
}

}  // namespace ostiary::door

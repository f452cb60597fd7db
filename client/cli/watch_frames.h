#ifndef OSTIARY_CLIENT_CLI_WATCH_FRAMES_H_
#define OSTIARY_CLIENT_CLI_WATCH_FRAMES_H_

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>

#include "absl/status/status.h"
#include "client/cli/output.h"
#include "ostiary/v1/revocation_service.pb.h"

namespace ostiary::cli {

// Tells what the frames of a feed say, a line for each; the parts of a snapshot
// make one line together. Knows where in the feed that leads.
class FrameTeller {
 public:
  enum class Heartbeats { kTold, kLeftOut };
  FrameTeller(Format format, Heartbeats heartbeats, std::ostream& out)
      : format_(format), heartbeats_(heartbeats), out_(out) {}

  // To be called before the frames of another stream.
  void BeginStream() { entries_of_snapshot_ = 0; }
  // DATA_LOSS for a delta or heartbeat that does not follow what was told
  // before: it is not told, and the stream is to be begun anew from `cursor`.
  absl::Status Tell(const v1::WatchResponse& frame);

  // Of the last frame that was told; empty before the first.
  const std::string& cursor() const { return cursor_; }

 private:
  struct Position {
    std::uint32_t epoch;
    std::uint64_t sequence;
    friend bool operator==(const Position&, const Position&) = default;
  };

  absl::Status TellKeys(const v1::RevocationKeySet& keys);
  absl::Status TellSnapshot(const v1::RevocationSnapshot& part);
  absl::Status TellDelta(const v1::RevocationDelta& delta);
  absl::Status TellHeartbeat(const v1::RevocationHeartbeat& heartbeat);
  absl::Status CheckFollows(const Position& from) const;
  void MoveTo(const Position& position, const std::string& cursor);

  const Format format_;
  const Heartbeats heartbeats_;
  std::ostream& out_;
  std::uint64_t entries_of_snapshot_ = 0;
  std::optional<Position> position_;
  std::string cursor_;
};

// An entry for people: "session sess_..., until 2026-01-01T00:00:00Z".
std::string EntryText(const v1::RevocationEntry& entry);

}  // namespace ostiary::cli

#endif  // OSTIARY_CLIENT_CLI_WATCH_FRAMES_H_

#include "client/cli/watch_frames.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <sstream>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "client/cli/printable.h"

namespace ostiary::cli {
namespace {

// More in one line is for programs: --output json has them all.
constexpr int kEntriesTold = 20;

std::string TimeText(const google::protobuf::Timestamp& time) {
  return absl::FormatTime(
      "%Y-%m-%dT%H:%M:%E3SZ",
      absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos()),
      absl::UTCTimeZone());
}

std::string TargetText(const v1::RevocationEntry& entry) {
  using Entry = v1::RevocationEntry;
  switch (entry.target_case()) {
    case Entry::kTokenId:
      return absl::StrCat("token ", entry.token_id());
    case Entry::kSessionId:
      return absl::StrCat("session ", entry.session_id());
    case Entry::kAccount:
      return absl::StrCat("account ", entry.account().account_id(),
                          " below generation ",
                          entry.account().min_generation());
    case Entry::kClient:
      return absl::StrCat("client ", entry.client().client_id(),
                          " issued until ",
                          TimeText(entry.client().issued_before()));
    case Entry::kKeyId:
      return absl::StrCat("key ", entry.key_id());
    case Entry::kAll:
      return absl::StrCat("all issued until ",
                          TimeText(entry.all().issued_before()));
    case Entry::TARGET_NOT_SET:
      break;
  }
  return "something that this program does not know";
}

template <typename Frame>
std::string PlaceText(const Frame& frame, std::uint64_t sequence) {
  return absl::StrCat("epoch ", frame.epoch(), ", sequence ", sequence,
                      ", as of ", TimeText(frame.as_of()));
}

void TellLine(absl::string_view kind, absl::string_view text,
              std::ostream& out) {
  out << Printable(absl::StrCat(
             kind,
             std::string(11 - std::min<std::size_t>(kind.size(), 10), ' '),
             text))
      << '\n'
      << std::flush;
}

template <typename Frame>
boost::json::object JsonOf(const char* kind, const Frame& frame,
                           std::uint64_t sequence) {
  return {{"frame", kind},
          {"epoch", frame.epoch()},
          {"sequence", sequence},
          {"as_of", TimeText(frame.as_of())},
          {"cursor", frame.cursor()}};
}

void TellJson(const boost::json::object& json, std::ostream& out) {
  out << Printable(boost::json::serialize(json)) << '\n' << std::flush;
}

absl::Status AppendEntry(const v1::RevocationEntry& entry,
                         boost::json::array& entries) {
  std::ostringstream json;
  if (auto status = WriteJson(entry, json); !status.ok()) return status;
  entries.push_back(boost::json::parse(json.str()));
  return absl::OkStatus();
}

}  // namespace

std::string EntryText(const v1::RevocationEntry& entry) {
  return absl::StrCat(
      TargetText(entry),
      entry.has_forget_time()
          ? absl::StrCat(", until ", TimeText(entry.forget_time()))
          : ", for ever");
}

absl::Status FrameTeller::Tell(const v1::WatchResponse& frame) {
  switch (frame.frame_case()) {
    case v1::WatchResponse::kKeySet:
      return TellKeys(frame.key_set());
    case v1::WatchResponse::kSnapshot:
      return TellSnapshot(frame.snapshot());
    case v1::WatchResponse::kDelta:
      return TellDelta(frame.delta());
    case v1::WatchResponse::kHeartbeat:
      return TellHeartbeat(frame.heartbeat());
    case v1::WatchResponse::FRAME_NOT_SET:
      break;
  }
  return absl::OkStatus();  // of a later version
}

absl::Status FrameTeller::TellKeys(const v1::RevocationKeySet& keys) {
  std::vector<std::string> ids;
  for (const auto& key : keys.keys()) ids.push_back(key.kid());
  if (format_ == Format::kTable) {
    TellLine("keys", absl::StrJoin(ids, ", "), out_);
    return absl::OkStatus();
  }
  boost::json::array names(ids.begin(), ids.end());
  TellJson({{"frame", "key_set"}, {"key_ids", std::move(names)}}, out_);
  return absl::OkStatus();
}

absl::Status FrameTeller::TellSnapshot(const v1::RevocationSnapshot& part) {
  entries_of_snapshot_ += static_cast<std::uint64_t>(part.entries_size());
  for (const auto& set : part.fingerprint_sets()) {
    entries_of_snapshot_ += set.count();
  }
  if (!part.last()) return absl::OkStatus();
  const std::uint64_t entries = std::exchange(entries_of_snapshot_, 0);
  MoveTo({part.epoch(), part.sequence()}, part.cursor());
  if (format_ == Format::kTable) {
    TellLine("snapshot",
             absl::StrCat(PlaceText(part, part.sequence()), ": ", entries,
                          entries == 1 ? " entry" : " entries"),
             out_);
    return absl::OkStatus();
  }
  boost::json::object json = JsonOf("snapshot", part, part.sequence());
  json["entries"] = entries;
  TellJson(json, out_);
  return absl::OkStatus();
}

absl::Status FrameTeller::TellDelta(const v1::RevocationDelta& delta) {
  const absl::Status follows = CheckFollows({delta.epoch(), delta.from()});
  if (!follows.ok()) return follows;
  MoveTo({delta.epoch(), delta.to()}, delta.cursor());
  if (format_ == Format::kTable) {
    std::vector<std::string> texts;
    for (const auto& entry : delta.entries()) {
      if (texts.size() == kEntriesTold) break;
      texts.push_back(EntryText(entry));
    }
    if (delta.entries_size() > kEntriesTold) {
      texts.push_back(
          absl::StrCat("and ", delta.entries_size() - kEntriesTold, " more"));
    }
    TellLine("delta",
             absl::StrCat(PlaceText(delta, delta.to()), ": ",
                          absl::StrJoin(texts, "; ")),
             out_);
    return absl::OkStatus();
  }
  boost::json::array entries;
  for (const auto& entry : delta.entries()) {
    if (auto status = AppendEntry(entry, entries); !status.ok()) return status;
  }
  boost::json::object json = JsonOf("delta", delta, delta.to());
  json["from"] = delta.from();
  json["entries"] = std::move(entries);
  TellJson(json, out_);
  return absl::OkStatus();
}

absl::Status FrameTeller::TellHeartbeat(
    const v1::RevocationHeartbeat& heartbeat) {
  const Position position{heartbeat.epoch(), heartbeat.sequence()};
  const absl::Status follows = CheckFollows(position);
  if (!follows.ok()) return follows;
  MoveTo(position, heartbeat.cursor());
  if (heartbeats_ == Heartbeats::kLeftOut) return absl::OkStatus();
  if (format_ == Format::kTable) {
    TellLine("heartbeat", PlaceText(heartbeat, heartbeat.sequence()), out_);
  } else {
    TellJson(JsonOf("heartbeat", heartbeat, heartbeat.sequence()), out_);
  }
  return absl::OkStatus();
}

// Where a stream that continues from a cursor begins is not known to us: its
// first frame says so.
absl::Status FrameTeller::CheckFollows(const Position& from) const {
  if (!position_ || *position_ == from) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat("the feed goes on at epoch ", from.epoch, ", sequence ",
                   from.sequence, " and this program stands at epoch ",
                   position_->epoch, ", sequence ", position_->sequence));
}

void FrameTeller::MoveTo(const Position& position, const std::string& cursor) {
  position_ = position;
  cursor_ = cursor;
}

}  // namespace ostiary::cli

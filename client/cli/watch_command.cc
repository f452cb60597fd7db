// watch.

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "client/cli/failure.h"
#include "client/cli/interrupt.h"
#include "client/cli/printable.h"
#include "client/cli/registry.h"
#include "client/cli/watch_frames.h"
#include "client/cli/watch_stream.h"

namespace ostiary::cli {
namespace {

// How often an interrupt is looked for.
constexpr absl::Duration kGlance = absl::Milliseconds(50);
// The server says something every second: a stream that is silent for longer
// is dead, even if nobody said so.
constexpr absl::Duration kSilence = absl::Seconds(5);
constexpr absl::Duration kShortestPause = absl::Milliseconds(100);
constexpr absl::Duration kLongestPause = absl::Seconds(10);

struct WatchFlags {
  std::string cursor;
  std::string duration;
  bool no_heartbeats = false;
  bool no_reconnect = false;
};

absl::Duration Uptime() {
  return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

// Whether coming again can help.
bool MayPass(const absl::Status& status) {
  return ExitCodeOf(status) == ExitCode::kUnavailable ||
         absl::IsDataLoss(status);
}

class Watch {
 public:
  Watch(Invocation& run, const WatchFlags& flags, const Connection& connection,
        std::optional<absl::Duration> limit)
      : flags_(flags),
        connection_(connection),
        teller_(run.format(),
                flags.no_heartbeats ? FrameTeller::Heartbeats::kLeftOut
                                    : FrameTeller::Heartbeats::kTold,
                run.out()),
        surroundings_(run.surroundings()) {
    if (limit) ends_ = Uptime() + *limit;
  }

  absl::StatusOr<ExitCode> Run() {
    absl::Duration pause = kShortestPause;
    for (;;) {
      const absl::Status ended = FollowOneStream();
      if (IsOver()) return Leave();
      if (flags_.no_reconnect || !has_heard_ || !MayPass(ended)) return ended;
      surroundings_.err << "coming again: " << Printable(ended.message())
                        << '\n'
                        << std::flush;
      pause = stream_has_spoken_ ? kShortestPause
                                 : std::min(pause * 2, kLongestPause);
      Pause(pause);
      if (IsOver()) return Leave();
    }
  }

 private:
  bool IsOver() const {
    return interrupt_.arrived() || (ends_ && Uptime() >= *ends_) ||
           !surroundings_.out;
  }

  std::string Cursor() const {
    return teller_.cursor().empty() ? flags_.cursor : teller_.cursor();
  }

  // OK if it is over; else why the stream was left.
  absl::Status FollowOneStream() {
    using Read = WatchStream::Read;
    WatchStream stream(connection_, Cursor());
    teller_.BeginStream();
    stream_has_spoken_ = false;
    absl::Duration heard = Uptime();
    while (!IsOver()) {
      switch (stream.Next(kGlance)) {
        case Read::kFrame: {
          heard = Uptime();
          has_heard_ = stream_has_spoken_ = true;
          const absl::Status told = teller_.Tell(stream.frame());
          if (!told.ok()) return told;
          break;
        }
        case Read::kNothingYet:
          if (Uptime() - heard >= kSilence) {
            return absl::UnavailableError(
                absl::StrCat("the server has said nothing for ",
                             absl::FormatDuration(kSilence)));
          }
          break;
        case Read::kEnded:
          return WhyEnded(stream.Finish());
      }
    }
    return absl::OkStatus();
  }

  absl::Status WhyEnded(const grpc::Status& status) const {
    if (status.ok()) {
      return absl::UnavailableError("the server has ended the stream");
    }
    return connection_.Explain(status);
  }

  void Pause(absl::Duration pause) const {
    const absl::Duration until = Uptime() + pause;
    while (!IsOver() && Uptime() < until) absl::SleepFor(kGlance);
  }

  ExitCode Leave() const {
    if (interrupt_.arrived() && !Cursor().empty()) {
      surroundings_.err << "to continue: --cursor " << Printable(Cursor())
                        << '\n';
    }
    return ExitCode::kOk;
  }

  const WatchFlags& flags_;
  const Connection& connection_;
  FrameTeller teller_;
  Surroundings& surroundings_;
  const Interrupt interrupt_;
  std::optional<absl::Duration> ends_;
  bool has_heard_ = false;  // any frame, ever
  bool stream_has_spoken_ = false;
};

absl::StatusOr<ExitCode> RunWatch(Invocation& run, const WatchFlags& flags) {
  std::optional<absl::Duration> limit;
  if (!flags.duration.empty()) {
    const auto parsed =
        ParseDurationFlag("--duration", flags.duration, absl::Milliseconds(1),
                          absl::Hours(24 * 365));
    if (!parsed.ok()) return parsed.status();
    limit = *parsed;
  }
  const absl::StatusOr<Connection*> connection = run.connection();
  if (!connection.ok()) return connection.status();
  return Watch(run, flags, **connection, limit).Run();
}

}  // namespace

void AddWatchCommand(Registry& registry) {
  auto flags = std::make_shared<WatchFlags>();
  CLI::App& command = registry.Add(
      registry.root(), "watch",
      "Follows the feed of revocations that services follow: the keys, how "
      "many entries there are, then a line for every change and every sign of "
      "life. Comes again when the connection is lost; Ctrl-C ends it with exit "
      "code 0.",
      "ostiary watch\n"
      "  ostiary watch --duration 10s --no-heartbeats --output json",
      [flags](Invocation& run) { return RunWatch(run, *flags); });
  command.add_option("--cursor", flags->cursor,
                     "Continue from there instead of from a snapshot");
  command.add_option("--duration", flags->duration, "End after that long")
      ->type_name("DURATION");
  command.add_flag("--no-heartbeats", flags->no_heartbeats,
                   "Tell only what changes");
  command.add_flag("--no-reconnect", flags->no_reconnect,
                   "End with an error when the connection is lost");
}

}  // namespace ostiary::cli

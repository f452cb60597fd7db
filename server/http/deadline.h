#ifndef OSTIARY_SERVER_HTTP_DEADLINE_H_
#define OSTIARY_SERVER_HTTP_DEADLINE_H_

#include <chrono>
#include <memory>

#include "absl/time/time.h"
#include "server/http/asio.h"
#include "server/http/stream.h"

namespace ostiary::http {

// Closes a stream when its time is up. One deadline at a time: a new one
// replaces the old.
//
// Every request moves the deadline several times and nearly always away, so
// the timer is left as it is then: when it rings too early it is set again.
//
// Not thread-safe: used on the server's own thread.
class Deadline {
 public:
  Deadline(const Executor& executor, const std::shared_ptr<Stream>& stream)
      : state_(std::make_shared<State>(executor, stream)) {}

  void Set(absl::Duration from_now) {
    state_->due = std::chrono::steady_clock::now() + SteadyTime(from_now);
    if (state_->due < state_->rings_at) Arm(state_);
  }

  void Clear() { state_->due = kNever; }

 private:
  using Time = std::chrono::steady_clock::time_point;
  static constexpr Time kNever = Time::max();

  struct State {
    State(const Executor& executor, const std::shared_ptr<Stream>& watched)
        : timer(executor), stream(watched) {}

    Timer timer;
    const std::weak_ptr<Stream> stream;
    Time due = kNever;
    Time rings_at = kNever;  // kNever: not armed
  };

  static void Arm(const std::shared_ptr<State>& state) {
    state->rings_at = state->due;
    state->timer.expires_at(state->due);  // cancels the wait before it
    state->timer.async_wait(
        [weak = std::weak_ptr<State>(state)](error_code ec) {
          const auto still = weak.lock();
          if (still != nullptr && !ec) Ring(still);
        });
  }

  static void Ring(const std::shared_ptr<State>& state) {
    // A wait that had rung before it could be cancelled: another is under way.
    const Time now = std::chrono::steady_clock::now();
    if (now < state->rings_at) return;
    state->rings_at = kNever;
    if (state->due == kNever) return;
    if (now < state->due) return Arm(state);
    state->due = kNever;
    if (const auto stream = state->stream.lock()) stream->Close();
  }

  const std::shared_ptr<State> state_;
};

}  // namespace ostiary::http

#endif  // OSTIARY_SERVER_HTTP_DEADLINE_H_

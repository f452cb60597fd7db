#ifndef OSTIARY_SERVER_HTTP_DEADLINE_H_
#define OSTIARY_SERVER_HTTP_DEADLINE_H_

#include <cstdint>
#include <memory>

#include "absl/time/time.h"
#include "server/http/asio.h"
#include "server/http/stream.h"

namespace ostiary::http {

// Closes a stream when its time is up. One deadline at a time: a new one
// replaces the old.
//
// Not thread-safe: used on the server's own thread.
class Deadline {
 public:
  Deadline(const Executor& executor, const std::shared_ptr<Stream>& stream)
      : timer_(executor), state_(std::make_shared<State>(State{stream, 0})) {}

  void Set(absl::Duration from_now) {
    Clear();
    timer_.expires_after(SteadyTime(from_now));
    timer_.async_wait([state = std::weak_ptr<State>(state_),
                       turn = state_->turn](error_code ec) {
      if (!ec) CloseIfStill(turn, state.lock());
    });
  }

  void Clear() {
    ++state_->turn;
    timer_.cancel();
  }

 private:
  struct State {
    std::weak_ptr<Stream> stream;
    // A timer that has already rung cannot be cancelled; its turn has passed.
    std::uint64_t turn;
  };

  static void CloseIfStill(std::uint64_t turn,
                           const std::shared_ptr<State>& state) {
    if (state == nullptr || state->turn != turn) return;
    if (const auto stream = state->stream.lock()) stream->Close();
  }

  Timer timer_;
  const std::shared_ptr<State> state_;
};

}  // namespace ostiary::http

#endif  // OSTIARY_SERVER_HTTP_DEADLINE_H_

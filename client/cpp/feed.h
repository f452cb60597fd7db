#ifndef OSTIARY_CLIENT_CPP_FEED_H_
#define OSTIARY_CLIENT_CPP_FEED_H_

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>

#include "absl/time/time.h"
#include "client/cpp/knowledge.h"
#include "client/cpp/link.h"
#include "grpcpp/client_context.h"
#include "ostiary/options.h"

namespace ostiary::client {

// The thread that follows RevocationService.Watch, and comes again whenever
// the stream ends, breaks, falls silent or has a gap. Thread-safe.
class Feed {
 public:
  // All references must outlive the feed. `housekeeping` is called on the
  // feed's thread, after frames and at least every ten seconds.
  Feed(Link& link, Knowledge& knowledge, const TimeSource& time,
       absl::Duration silence_limit, LogSink log,
       std::function<void()> housekeeping);
  // Closes.
  ~Feed();

  // Ends the stream and the thread; waits for it.
  void Close();

  bool connected() const { return connected_; }
  std::uint64_t reconnects() const { return reconnects_; }

 private:
  enum class End {
    kOrderly,   // by the server, after frames
    kBroken,    // any other way
    kRejected,  // UNAUTHENTICATED, PERMISSION_DENIED
  };
  class Stream;

  void Run();
  End Watch();
  End Follow(Stream& stream);
  absl::Duration PauseAfter(End end);
  // False if it was closed meanwhile.
  bool Pause(absl::Duration duration);
  bool closing() const;

  Link& link_;
  Knowledge& knowledge_;
  const TimeSource& time_;
  const absl::Duration silence_limit_;
  const LogSink log_;
  const std::function<void()> housekeeping_;

  std::atomic<bool> connected_ = false;
  std::atomic<std::uint64_t> reconnects_ = 0;
  int failures_ = 0;          // in a row; the thread's own
  mutable std::mutex mutex_;  // guards the next two
  bool closing_ = false;
  grpc::ClientContext* call_ = nullptr;
  std::condition_variable changed_;
  std::mutex joining_;  // guards the thread
  std::thread thread_;
};

}  // namespace ostiary::client

#endif  // OSTIARY_CLIENT_CPP_FEED_H_

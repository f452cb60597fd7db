#ifndef OSTIARY_CLIENT_CPP_FEED_H_
#define OSTIARY_CLIENT_CPP_FEED_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
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
  int failures_ = 0;  // in a row; the thread's own
  mutable absl::Mutex mutex_;
  bool closing_ ABSL_GUARDED_BY(mutex_) = false;
  grpc::ClientContext* call_ ABSL_GUARDED_BY(mutex_) = nullptr;
  absl::Mutex joining_;
  std::thread thread_ ABSL_GUARDED_BY(joining_);
};

}  // namespace ostiary::client

#endif  // OSTIARY_CLIENT_CPP_FEED_H_

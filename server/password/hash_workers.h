#ifndef OSTIARY_SERVER_PASSWORD_HASH_WORKERS_H_
#define OSTIARY_SERVER_PASSWORD_HASH_WORKERS_H_

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/base/clock.h"

namespace ostiary::password {

// For whom a piece of hashing is done, and what it takes.
struct HashRequest {
  std::size_t memory_bytes = 0;
  // No hash is begun that cannot be expected to end before this.
  absl::Time deadline = absl::InfiniteFuture();
  // Asked once, on the worker's thread, before the hash begins. Empty: nobody
  // can go away.
  std::function<bool()> cancelled = {};
};

// Where hashing runs. An interface so that a test can watch what is asked of
// it.
//
// Thread-safe.
class HashLane {
 public:
  virtual ~HashLane() = default;
  // Runs `work` and returns OK once it has ended. Any other status: `work` was
  // never begun.
  virtual absl::Status Run(const HashRequest& request,
                           absl::FunctionRef<void()> work) = 0;
};

// A fixed number of threads at the lowest priority, behind a short queue: a
// flood of sign-ins is answered "busy" at once and leaves Verify alone (at
// nice 0 these threads raise its p99 sevenfold, measured).
//
// Thread-safe.
class HashWorkers final : public HashLane {
 public:
  struct Options {
    std::size_t threads = 1;  // best one per core
    // How many may wait. With one hash at 20 ms, 64 on one thread wait 1.3 s.
    std::size_t queue_limit = 64;
    // What running hashes may take together. A single one that asks for more
    // runs alone.
    std::size_t memory_budget_bytes = std::size_t{256} * 1024 * 1024;
    // Assumed until the first one has been measured.
    absl::Duration expected_cost = absl::Milliseconds(30);
  };
  // One thread per core.
  static Options ForThisMachine();

  // `clock` outlives this.
  HashWorkers(const Options& options, const Clock& clock);
  // Stops, and returns once every Run has. No Run may begin any more.
  ~HashWorkers() override;
  HashWorkers(const HashWorkers&) = delete;
  HashWorkers& operator=(const HashWorkers&) = delete;

  // Blocks the caller. Refuses before hashing:
  //   kOverloaded        the queue is full, or the deadline would pass while
  //                      waiting in it; says when to come back
  //   kDeadlineExceeded  the deadline is too near even for an idle machine, or
  //                      came too near while waiting
  //   kCancelled         the caller went away while waiting
  //   kNotReady          stopping
  absl::Status Run(const HashRequest& request,
                   absl::FunctionRef<void()> work) override;

  // Refuses what waits and what comes with kNotReady, and returns once what
  // runs has ended. For one thread to call.
  void Stop();

  // For metrics.
  struct Figures {
    std::size_t queued = 0;
    std::size_t running = 0;
    std::size_t memory_bytes = 0;  // of what runs
    std::int64_t completed = 0;
    std::int64_t refused = 0;  // for any of the reasons above
    absl::Duration average_cost;
  };
  Figures figures() const;

 private:
  struct Job;

  absl::Status AdmitLocked(Job& job) const;
  absl::Duration ExpectedWaitLocked() const;
  bool FrontFitsLocked() const;
  absl::Status WhyNotBegin(const Job& job, absl::Duration average) const;
  void Work();
  void FinishLocked(Job& job, absl::Status status);
  void Measure(absl::Duration took);

  const Options options_;
  const std::size_t thread_count_;
  const Clock& clock_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;  // the queue, the memory, or stopping_
  // Guarded by mutex_, down to `threads_`.
  std::deque<Job*> queue_;  // on the stacks of their callers
  std::size_t running_ = 0;
  std::size_t memory_ = 0;
  std::int64_t completed_ = 0;
  std::int64_t refused_ = 0;
  absl::Duration average_;
  bool stopping_ = false;
  std::size_t callers_ = 0;  // inside Run

  std::vector<std::thread> threads_;
};

}  // namespace ostiary::password

#endif  // OSTIARY_SERVER_PASSWORD_HASH_WORKERS_H_

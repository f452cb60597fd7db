#ifndef OSTIARY_SERVER_BASE_LANE_H_
#define OSTIARY_SERVER_BASE_LANE_H_

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/functional/any_invocable.h"

namespace ostiary {

// A pool of threads behind a bounded queue, so that one kind of work cannot
// starve another (design.md 6). Threads are started when work finds none that
// sleeps, and stay: a server that waits for its first call has not paid for
// the ones it may need at its busiest.
//
// Thread-safe.
class Lane {
 public:
  using Work = absl::AnyInvocable<void()>;

  // At most `capacity` pieces of work wait, `threads` (at least 1) of them run
  // at once, at `niceness` above the process's own (0 to 19).
  Lane(std::string name, int threads, std::size_t capacity, int niceness = 0);
  // Finishes what waits, then joins.
  ~Lane();
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  // False if the queue is full: the work was not taken and should be refused.
  [[nodiscard]] bool TrySubmit(Work work);

  // Returns when nothing waits and nothing runs. Work may be submitted
  // meanwhile; who drains stops submitting first.
  void WaitUntilIdle();

  const std::string& name() const { return name_; }
  std::size_t waiting() const;
  std::size_t running() const;

 private:
  void Run();
  // Requires the lock.
  void StartThread();

  const std::string name_;
  const std::size_t most_threads_;
  const std::size_t capacity_;
  const int niceness_;
  mutable std::mutex mutex_;
  std::condition_variable work_or_stop_;
  std::condition_variable idle_;
  // Guarded by mutex_, down to `threads_`.
  std::deque<Work> queue_;
  std::size_t running_ = 0;
  // Threads that wait for work, also those just woken for some that is queued.
  std::size_t sleeping_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace ostiary

#endif  // OSTIARY_SERVER_BASE_LANE_H_

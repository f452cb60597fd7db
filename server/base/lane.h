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

// A fixed pool of threads behind a bounded queue, so that one kind of work
// cannot starve another (design.md 6).
//
// Thread-safe.
class Lane {
 public:
  using Work = absl::AnyInvocable<void()>;

  // At most `capacity` pieces of work wait; the threads run at `niceness`
  // above the process's own (0 to 19).
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
  void Run(int niceness);

  const std::string name_;
  const std::size_t capacity_;
  mutable std::mutex mutex_;
  std::condition_variable work_or_stop_;
  std::condition_variable idle_;
  // Guarded by mutex_, down to `threads_`.
  std::deque<Work> queue_;
  std::size_t running_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace ostiary

#endif  // OSTIARY_SERVER_BASE_LANE_H_

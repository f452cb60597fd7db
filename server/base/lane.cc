#include "server/base/lane.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <utility>

namespace ostiary {

Lane::Lane(std::string name, int threads, std::size_t capacity, int niceness)
    : name_(std::move(name)), capacity_(capacity) {
  threads_.reserve(static_cast<std::size_t>(threads));
  for (int i = 0; i < threads; ++i) {
    threads_.emplace_back([this, niceness] { Run(niceness); });
  }
}

Lane::~Lane() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  work_or_stop_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

bool Lane::TrySubmit(Work work) {
  {
    std::lock_guard lock(mutex_);
    if (stopping_ || queue_.size() >= capacity_) return false;
    queue_.push_back(std::move(work));
  }
  work_or_stop_.notify_one();
  return true;
}

void Lane::WaitUntilIdle() {
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return queue_.empty() && running_ == 0; });
}

std::size_t Lane::waiting() const {
  std::lock_guard lock(mutex_);
  return queue_.size();
}

std::size_t Lane::running() const {
  std::lock_guard lock(mutex_);
  return running_;
}

void Lane::Run(int niceness) {
  if (niceness > 0) {
    // On Linux the priority is a thread's own. Failing to be nice is no
    // reason not to work.
    (void)setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)),
                      niceness);
  }
  for (;;) {
    Work work;
    {
      std::unique_lock lock(mutex_);
      work_or_stop_.wait(lock, [this] { return !queue_.empty() || stopping_; });
      if (queue_.empty()) return;
      work = std::move(queue_.front());
      queue_.pop_front();
      ++running_;
    }
    work();
    work = nullptr;  // what it holds is let go before it counts as done
    std::lock_guard lock(mutex_);
    --running_;
    if (queue_.empty() && running_ == 0) idle_.notify_all();
  }
}

}  // namespace ostiary

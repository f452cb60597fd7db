#include "server/base/lane.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <system_error>
#include <utility>

#include "server/base/wiping.h"

namespace ostiary {

Lane::Lane(std::string name, int threads, std::size_t capacity, int niceness)
    : name_(std::move(name)),
      most_threads_(static_cast<std::size_t>(threads)),
      capacity_(capacity),
      niceness_(niceness) {
  std::lock_guard lock(mutex_);
  // Room for all: growing must not fail later on.
  threads_.reserve(most_threads_);
  StartThread();
}

void Lane::StartThread() {
  threads_.emplace_back([this] { Run(); });
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
    if (queue_.size() > sleeping_ && threads_.size() < most_threads_) {
      try {
        StartThread();
      } catch (const std::system_error&) {
        // No more threads to be had: those there are do the work.
      }
    }
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

void Lane::Run() {
  const WipingScope wiping;
  if (niceness_ > 0) {
    // On Linux the priority is a thread's own. Failing to be nice is no
    // reason not to work.
    (void)setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)),
                      niceness_);
  }
  for (;;) {
    Work work;
    {
      std::unique_lock lock(mutex_);
      ++sleeping_;
      work_or_stop_.wait(lock, [this] { return !queue_.empty() || stopping_; });
      --sleeping_;
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

#include "server/password/hash_workers.h"

#include <malloc.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "server/base/reason.h"
#include "server/base/wiping.h"
#include "server/password/kept_memory.h"

namespace ostiary::password {
namespace {

constexpr int kLowestPriority = 19;
// How much of the average one new measurement replaces.
constexpr double kNewest = 0.1;
constexpr absl::Duration kShortestRetry = absl::Milliseconds(100);

// Threads of Linux have a niceness each. If it fails, hashing merely competes.
void YieldToEverythingElse() {
  const auto self = static_cast<id_t>(syscall(SYS_gettid));
  (void)setpriority(PRIO_PROCESS, self, kLowestPriority);
}

// A hash's memory is kept only while hashing goes on: an idle server is small.
constexpr std::chrono::seconds kKeepMemory{2};

// A hash that maps memory of its own, or the first one, holds the lock of the
// process's memory map meanwhile: at the lowest priority and on busy cores for
// long. Whoever grows or trims a heap waits for that lock, Verify's thread too
// (for 150 ms at a time, measured). So heaps are given back in large pieces
// only, and what they allocate comes from them.
void KeepHeapsMapped() {
#if defined(__GLIBC__)
  mallopt(M_TRIM_THRESHOLD, 16 * 1024 * 1024);
  mallopt(M_MMAP_THRESHOLD, 4 * 1024 * 1024);
#endif
}

}  // namespace

struct HashWorkers::Job {
  const HashRequest& request;
  absl::FunctionRef<void()> work;
  // Nothing was before it. Such a job is begun as long as its deadline has not
  // passed: were it refused for the average cost, one slow hash could raise the
  // average above every deadline, and no new one would ever bring it down.
  bool found_lane_idle = false;
  std::condition_variable finished;
  std::optional<absl::Status> status;  // guarded by mutex_
};

HashWorkers::Options HashWorkers::ForThisMachine() {
  Options options;
  options.threads = std::max(1u, std::thread::hardware_concurrency());
  options.queue_limit = 64 * options.threads;
  options.memory_budget_bytes =
      std::max(options.memory_budget_bytes,
               options.threads * std::size_t{64} * 1024 * 1024);
  return options;
}

HashWorkers::HashWorkers(const Options& options, const Clock& clock)
    : options_(options),
      thread_count_(std::max<std::size_t>(1, options.threads)),
      clock_(clock),
      average_(options.expected_cost) {
  KeepHeapsMapped();
  threads_.reserve(thread_count_);
  for (std::size_t i = 0; i < thread_count_; ++i) {
    threads_.emplace_back([this] { Work(); });
  }
}

void HashWorkers::Stop() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
    for (Job* job : queue_) FinishLocked(*job, Refuse(Reason::kNotReady));
    queue_.clear();
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

HashWorkers::~HashWorkers() {
  Stop();
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [this] { return callers_ == 0; });
}

absl::Status HashWorkers::Run(const HashRequest& request,
                              absl::FunctionRef<void()> work) {
  Job job{request, work, false, {}, std::nullopt};
  std::unique_lock<std::mutex> lock(mutex_);
  ++callers_;
  absl::Status status = AdmitLocked(job);
  if (status.ok()) {
    queue_.push_back(&job);
    changed_.notify_one();
    job.finished.wait(lock, [&job] { return job.status.has_value(); });
    status = *std::move(job.status);
  }
  if (!status.ok()) ++refused_;
  if (--callers_ == 0) changed_.notify_all();  // the destructor may wait
  return status;
}

absl::Status HashWorkers::AdmitLocked(Job& job) const {
  if (stopping_) return Refuse(Reason::kNotReady);
  const absl::Time now = clock_.Now();
  job.found_lane_idle = queue_.empty() && running_ == 0;
  const absl::Time deadline = job.request.deadline;
  const absl::Duration needed =
      job.found_lane_idle ? absl::ZeroDuration() : average_;
  if (now + needed >= deadline) return Refuse(Reason::kDeadlineExceeded);
  if (job.found_lane_idle) return absl::OkStatus();
  const absl::Duration wait = ExpectedWaitLocked();
  if (queue_.size() >= options_.queue_limit ||
      now + wait + average_ > deadline) {
    return RefuseUntil(Reason::kOverloaded, std::max(wait, kShortestRetry));
  }
  return absl::OkStatus();
}

absl::Duration HashWorkers::ExpectedWaitLocked() const {
  const std::size_t ahead = queue_.size() + running_;
  return average_ * static_cast<std::int64_t>(ahead / thread_count_);
}

bool HashWorkers::FrontFitsLocked() const {
  if (queue_.empty()) return false;
  return running_ == 0 || memory_ + queue_.front()->request.memory_bytes <=
                              options_.memory_budget_bytes;
}

void HashWorkers::Work() {
  const WipingScope wiping;
  YieldToEverythingElse();
  KeptMemory memory_kept;
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    const auto something = [this] { return stopping_ || FrontFitsLocked(); };
    if (!memory_kept.empty() &&
        !changed_.wait_for(lock, kKeepMemory, something)) {
      memory_kept.Release();
    }
    changed_.wait(lock, something);
    if (stopping_) return;
    Job& job = *queue_.front();
    queue_.pop_front();
    const std::size_t memory = job.request.memory_bytes;
    const absl::Duration average = average_;
    ++running_;
    memory_ += memory;
    lock.unlock();
    // The caller waits for FinishLocked: `job` lives until then.
    absl::Status status = WhyNotBegin(job, average);
    absl::Duration took;
    if (status.ok()) {
      const absl::Time begin = clock_.Now();
      const KeptMemory::Lending lending(memory_kept);
      job.work();
      took = clock_.Now() - begin;
    }
    lock.lock();
    --running_;
    memory_ -= memory;
    if (status.ok()) Measure(took);
    FinishLocked(job, std::move(status));
    changed_.notify_all();  // memory was given back
  }
}

absl::Status HashWorkers::WhyNotBegin(const Job& job,
                                      absl::Duration average) const {
  if (job.request.cancelled && job.request.cancelled()) {
    return Refuse(Reason::kCancelled);
  }
  const absl::Duration needed =
      job.found_lane_idle ? absl::ZeroDuration() : average;
  if (clock_.Now() + needed >= job.request.deadline) {
    return Refuse(Reason::kDeadlineExceeded);
  }
  return absl::OkStatus();
}

void HashWorkers::FinishLocked(Job& job, absl::Status status) {
  job.status = std::move(status);
  // Under the lock: once it is released the caller may destroy `job`.
  job.finished.notify_one();
}

void HashWorkers::Measure(absl::Duration took) {
  ++completed_;
  average_ = completed_ == 1 ? took : average_ + (took - average_) * kNewest;
}

HashWorkers::Figures HashWorkers::figures() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return {queue_.size(), running_, memory_, completed_, refused_, average_};
}

}  // namespace ostiary::password

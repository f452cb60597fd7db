#include "server/password/hash_workers.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <memory>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/base/reason.h"
#include "tests/support/status_matchers.h"

namespace ostiary::password {
namespace {

constexpr absl::Duration kCost = absl::Milliseconds(20);

HashWorkers::Options OneThread(std::size_t queue_limit) {
  HashWorkers::Options options;
  options.threads = 1;
  options.queue_limit = queue_limit;
  options.memory_budget_bytes = 100;
  options.expected_cost = kCost;
  return options;
}

// Hashing that lasts until it is let go.
class Gate {
 public:
  void Pass() {
    entered_.set_value();
    opened_.get_future().wait();
  }
  void WaitUntilEntered() { entered_.get_future().wait(); }
  void Open() { opened_.set_value(); }

 private:
  std::promise<void> entered_;
  std::promise<void> opened_;
};

class HashWorkersTest : public ::testing::Test {
 protected:
  ~HashWorkersTest() override {
    for (std::thread& caller : callers_) caller.join();
  }

  void Start(std::size_t queue_limit) {
    workers_ = std::make_unique<HashWorkers>(OneThread(queue_limit), clock_);
  }
  // A caller on a thread of its own.
  void RunAside(HashRequest request, std::function<void()> work,
                absl::Status* result = nullptr) {
    callers_.emplace_back([this, request, work, result] {
      const absl::Status status = workers_->Run(request, [&work] { work(); });
      if (result != nullptr) *result = status;
    });
  }
  void OccupyTheThread() {
    RunAside({}, [this] { gate_.Pass(); });
    gate_.WaitUntilEntered();
  }
  void WaitUntilQueued(std::size_t count) {
    while (workers_->figures().queued < count) std::this_thread::yield();
  }
  void JoinCallers() {
    for (std::thread& caller : callers_) caller.join();
    callers_.clear();
  }
  absl::Time In(absl::Duration delay) { return clock_.Now() + delay; }

  ManualClock clock_{absl::FromUnixSeconds(1767225600)};
  Gate gate_;
  std::vector<std::thread> callers_;
  std::unique_ptr<HashWorkers> workers_;
};

TEST_F(HashWorkersTest, WorkRunsAtTheLowestPriority) {
  Start(4);
  int niceness = 0;
  ASSERT_OK(workers_->Run({}, [&] {
    niceness =
        getpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)));
  }));
  EXPECT_EQ(niceness, 19);
  EXPECT_EQ(workers_->figures().completed, 1);
}

TEST_F(HashWorkersTest, AFullQueueRefusesAtOnceAndSaysWhenToComeBack) {
  Start(1);
  OccupyTheThread();
  RunAside({}, [] {});
  WaitUntilQueued(1);

  bool began = false;
  const absl::Status refused = workers_->Run({}, [&] { began = true; });
  EXPECT_EQ(ReasonOf(refused), Reason::kOverloaded);
  EXPECT_GE(RetryAfterOf(refused), absl::Milliseconds(100));
  gate_.Open();
  JoinCallers();
  EXPECT_FALSE(began);
  EXPECT_EQ(workers_->figures().completed, 2);
  EXPECT_EQ(workers_->figures().refused, 1);
}

TEST_F(HashWorkersTest, ADeadlineThatWouldPassInTheQueueIsRefusedUnhashed) {
  Start(8);
  OccupyTheThread();
  bool began = false;
  // One hash is ahead: 40 ms are needed.
  const absl::Status refused = workers_->Run(
      {.deadline = In(absl::Milliseconds(39))}, [&] { began = true; });
  EXPECT_EQ(ReasonOf(refused), Reason::kOverloaded);
  gate_.Open();
  JoinCallers();
  EXPECT_FALSE(began);
}

TEST_F(HashWorkersTest, ADeadlineNearerThanOneHashIsRefusedAsSuch) {
  Start(8);
  OccupyTheThread();
  EXPECT_EQ(
      ReasonOf(workers_->Run({.deadline = In(absl::Milliseconds(19))}, [] {})),
      Reason::kDeadlineExceeded);
  gate_.Open();
}

TEST_F(HashWorkersTest, APassedDeadlineIsRefusedByAnIdleLaneToo) {
  Start(8);
  EXPECT_EQ(
      ReasonOf(workers_->Run({.deadline = In(absl::ZeroDuration())}, [] {})),
      Reason::kDeadlineExceeded);
}

TEST_F(HashWorkersTest, OneSlowHashDoesNotCloseTheLaneForEver) {
  Start(8);
  ASSERT_OK(workers_->Run({}, [&] { clock_.Advance(absl::Seconds(30)); }));
  ASSERT_EQ(workers_->figures().average_cost, absl::Seconds(30));
  for (int i = 0; i < 100; ++i) {
    ASSERT_OK(workers_->Run({.deadline = In(absl::Seconds(1))},
                            [&] { clock_.Advance(kCost); }));
  }
  EXPECT_LT(workers_->figures().average_cost, absl::Milliseconds(100));
}

TEST_F(HashWorkersTest, ADeadlineThatPassedInTheQueueIsRefusedUnhashed) {
  Start(8);
  OccupyTheThread();
  bool began = false;
  absl::Status status;
  RunAside(
      {.deadline = In(absl::Milliseconds(100))}, [&] { began = true; },
      &status);
  WaitUntilQueued(1);
  clock_.Advance(absl::Milliseconds(90));
  gate_.Open();
  JoinCallers();
  EXPECT_EQ(ReasonOf(status), Reason::kDeadlineExceeded);
  EXPECT_FALSE(began);
}

TEST_F(HashWorkersTest, ACallerWhoWentAwayIsNotHashedFor) {
  Start(8);
  OccupyTheThread();
  bool began = false;
  absl::Status status;
  std::atomic<bool> gone{false};
  RunAside(
      {.cancelled = [&] { return gone.load(); }}, [&] { began = true; },
      &status);
  WaitUntilQueued(1);
  gone = true;
  gate_.Open();
  JoinCallers();
  EXPECT_EQ(ReasonOf(status), Reason::kCancelled);
  EXPECT_FALSE(began);
}

TEST_F(HashWorkersTest, StoppingRefusesWhatWaitsAndEndsWhatRuns) {
  Start(8);
  OccupyTheThread();
  absl::Status status;
  RunAside(
      {}, [] {}, &status);
  WaitUntilQueued(1);
  std::thread opener([&] {
    while (workers_->figures().queued > 0) std::this_thread::yield();
    gate_.Open();
  });
  // What a destructor does, while the object can still be asked.
  workers_->Stop();
  opener.join();
  JoinCallers();
  EXPECT_EQ(ReasonOf(status), Reason::kNotReady);
  EXPECT_EQ(ReasonOf(workers_->Run({}, [] {})), Reason::kNotReady);
  EXPECT_EQ(workers_->figures().completed, 1);
}

TEST(HashWorkersMemoryTest, RunningHashesStayWithinTheBudget) {
  ManualClock clock(absl::FromUnixSeconds(1767225600));
  HashWorkers workers({.threads = 4,
                       .queue_limit = 100,
                       .memory_budget_bytes = 100,
                       .expected_cost = kCost},
                      clock);
  std::atomic<int> together{0};
  std::atomic<int> most{0};
  std::vector<std::thread> callers;
  for (int i = 0; i < 24; ++i) {
    callers.emplace_back([&] {
      EXPECT_OK(workers.Run({.memory_bytes = 40}, [&] {
        const int now = ++together;
        int seen = most.load();
        while (seen < now && !most.compare_exchange_weak(seen, now)) {
        }
        std::this_thread::yield();
        --together;
      }));
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_LE(most.load(), 2);
  EXPECT_EQ(workers.figures().completed, 24);
  EXPECT_EQ(workers.figures().memory_bytes, 0u);
}

TEST(HashWorkersMemoryTest, AHashOverTheBudgetRunsAlone) {
  ManualClock clock(absl::FromUnixSeconds(1767225600));
  HashWorkers workers(OneThread(4), clock);
  EXPECT_OK(workers.Run({.memory_bytes = 1000}, [] {}));
}

}  // namespace
}  // namespace ostiary::password

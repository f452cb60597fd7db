#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/door/feed_fixture.h"

// Many threads at once; run under ThreadSanitizer and AddressSanitizer too.
namespace ostiary::door {
namespace {

using ::ostiary::testing::FeedFixture;
using ::ostiary::testing::TestWatcher;

class FeedRaces : public FeedFixture {};

// A revocation, and when its caller knew that it was done.
struct Acknowledged {
  std::int64_t sequence;
  absl::Time time;
};
// What a watcher knew when.
struct Known {
  std::uint64_t sequence;
  absl::Time as_of;
};

// The promise everything else stands on (protocol.md 5).
TEST_F(FeedRaces, WhatWasAcknowledgedBeforeAsOfHasBeenSent) {
  constexpr int kWriters = 3, kReaders = 4, kEach = 400;
  const SystemClock clock;
  options_.heartbeat = absl::Milliseconds(3);
  options_.window = absl::Microseconds(200);
  MakeLedger(50);  // some will fall out of it
  StartWith(clock);
  std::vector<std::vector<Acknowledged>> acknowledged(kWriters);
  std::vector<std::vector<Known>> known(kReaders);
  std::vector<std::jthread> threads;
  for (int w = 0; w < kWriters; ++w) {
    threads.emplace_back([&, w] {
      for (int i = 0; i < kEach; ++i) {
        const auto head = Commit(absl::StrCat(w, "-", i));
        acknowledged[w].push_back({head.sequence, clock.Now()});
        if (i % 8 == 0) absl::SleepFor(absl::Microseconds(300));
      }
    });
  }
  for (int r = 0; r < kReaders; ++r) {
    threads.emplace_back([&, r] {
      auto watcher = Watch(
          "", r % 2 == 0 ? SnapshotForm::kCompact : SnapshotForm::kReadable);
      while (watcher->reader.position != kWriters * kEach ||
             watcher->reader.heartbeats < 3) {
        watcher->Await();
        if (HasFailure()) return;
        if (watcher->reader.position.has_value())
          known[r].push_back(
              {*watcher->reader.position, watcher->reader.as_of});
        if (r == 1) absl::SleepFor(absl::Milliseconds(2));  // slow
      }
      for (int w = 0; w < kWriters; ++w) {
        for (int i = 0; i < kEach; ++i)
          EXPECT_TRUE(watcher->reader.HitsToken(absl::StrCat(w, "-", i)));
      }
    });
  }
  threads.clear();
  // The last sequence acknowledged before each time.
  std::vector<Acknowledged> all;
  for (const auto& some : acknowledged)
    all.insert(all.end(), some.begin(), some.end());
  std::sort(all.begin(), all.end(), [](const auto& one, const auto& other) {
    return one.time < other.time;
  });
  int broken = 0, compared = 0;
  for (const auto& frames : known) {
    for (const Known& frame : frames) {
      for (const Acknowledged& one : all) {
        if (one.time >= frame.as_of) break;
        ++compared;
        if (static_cast<std::uint64_t>(one.sequence) > frame.sequence) ++broken;
      }
    }
  }
  EXPECT_GT(compared, 0);
  EXPECT_EQ(broken, 0);
}

// What the wake function uses is gone when the subscription is.
TEST_F(FeedRaces, NobodyIsWokenAfterLeaving) {
  options_.heartbeat = absl::Milliseconds(1);
  options_.window = absl::ZeroDuration();
  Start();
  std::atomic<bool> over{false};
  std::jthread writer([&] {
    for (int i = 0; !over; ++i) Commit(absl::StrCat("t", i % 100));
  });
  std::vector<std::jthread> comers;
  for (int c = 0; c < 3; ++c) {
    comers.emplace_back([&, c] {
      v1::WatchRequest request;
      request.set_compact(c == 0);
      for (int i = 0; i < 300; ++i) {
        auto wakes = std::make_unique<std::atomic<int>>(0);
        auto subscription =
            feed_->Subscribe(request, [&count = *wakes] { ++count; });
        ASSERT_OK(subscription);
        for (int pulls = 0; pulls < i % 5; ++pulls)
          EXPECT_OK((*subscription)->Next());
        subscription->reset();
        wakes.reset();
      }
    });
  }
  comers.clear();
  over = true;
  writer.join();
  EXPECT_EQ(feed_->figures().watchers, 0u);
}

TEST_F(FeedRaces, AFeedMayEndWhileASnapshotIsMade) {
  CommitMany(3000);
  for (int i = 0; i < 20; ++i) {
    Start();
    v1::WatchRequest request;
    request.set_compact(i % 2 == 0);
    auto subscription = feed_->Subscribe(request, [] {});
    ASSERT_OK(subscription);
    EXPECT_OK((*subscription)->Next());
    EXPECT_OK((*subscription)->Next());  // asks for the snapshot
    subscription->reset();
    feed_.reset();
  }
}

}  // namespace
}  // namespace ostiary::door

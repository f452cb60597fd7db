#ifndef OSTIARY_TESTS_CLIENT_CPP_FAKE_TIME_H_
#define OSTIARY_TESTS_CLIENT_CPP_FAKE_TIME_H_

#include <atomic>
#include <cstdint>

#include "absl/time/time.h"
#include "ostiary/time_source.h"

namespace ostiary::client::testing {

// Stands still until a test moves it. Thread-safe.
class FakeTime final : public TimeSource {
 public:
  absl::Time Now() const override { return absl::FromUnixNanos(now_.load()); }
  absl::Duration Uptime() const override {
    return absl::Nanoseconds(uptime_.load());
  }

  void Advance(absl::Duration duration) {
    AdvanceUptime(duration);
    SetWallClock(Now() + duration);
  }
  void AdvanceUptime(absl::Duration duration) {
    uptime_ += absl::ToInt64Nanoseconds(duration);
  }
  void SetWallClock(absl::Time now) { now_ = absl::ToUnixNanos(now); }

 private:
  std::atomic<std::int64_t> now_ = 1'800'000'000'000'000'000;
  std::atomic<std::int64_t> uptime_ = 1'000'000'000'000;
};

}  // namespace ostiary::client::testing

#endif  // OSTIARY_TESTS_CLIENT_CPP_FAKE_TIME_H_

#include "ostiary/time_source.h"

#include <chrono>

#include "absl/time/clock.h"

namespace ostiary {
namespace {

class MachineTime final : public TimeSource {
 public:
  absl::Time Now() const override { return absl::Now(); }
  absl::Duration Uptime() const override {
    return absl::FromChrono(
        std::chrono::steady_clock::now().time_since_epoch());
  }
};

}  // namespace

const TimeSource& TimeSource::OfMachine() {
  static const MachineTime* const time = new MachineTime;
  return *time;
}

}  // namespace ostiary

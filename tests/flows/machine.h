#ifndef OSTIARY_TESTS_FLOWS_MACHINE_H_
#define OSTIARY_TESTS_FLOWS_MACHINE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "server/mark_file.h"
#include "server/upkeep.h"
#include "tests/flows/house.h"

namespace ostiary::testing {

// What the server makes of the machine's clock.
enum class Sense {
  kShipped,       // as SystemClock does
  kFollowsWall,   // faulty: whatever the wall clock says
  kWaitsForWall,  // faulty: stands still until the wall clock has caught up
  kForgetsLeaps,  // faulty: does not tell of them
};

// A machine whose wall clock can be set and frozen.
class MachineClock final : public Clock {
 public:
  explicit MachineClock(Sense sense = Sense::kShipped) : sense_(sense) {
    Boot(absl::InfinitePast());
  }

  absl::Time Now() const override;
  absl::Duration Leapt() const override;

  // A new process; it knows that it was `floor` once.
  void Boot(absl::Time floor);
  void Pass(absl::Duration real) {
    reading_.steady += absl::ToInt64Nanoseconds(real);
    if (!frozen_) Set(real);
  }
  void Set(absl::Duration by) { reading_.wall += absl::ToInt64Nanoseconds(by); }
  void Freeze() { frozen_ = true; }
  void Thaw() { frozen_ = false; }

  absl::Time wall() const { return absl::FromUnixNanos(reading_.wall); }

 private:
  const Sense sense_;
  ClockReading reading_{1'700'000'000'250'000'000, 5'000'000'000};
  bool frozen_ = false;
  std::unique_ptr<OnwardTime> time_;
  mutable absl::Time last_ = absl::InfinitePast();
};

// A machine with the house in it and its housekeeper.
class Machine {
 public:
  explicit Machine(HouseOptions options = {}, Sense sense = Sense::kShipped);

  // Real time, by the watch of whoever waits; the housekeeper does its work.
  void Pass(absl::Duration real);
  // Switches off and on again, as main.cc does; `meanwhile` moves the clock.
  // Not OK if the server refuses to start: it is off then.
  absl::Status Restart(const std::function<void()>& meanwhile);
  MachineClock clock;
  House house;

 private:
  void HireHousekeeper();
  void KeepHouse();

  const MarkFile mark_file_;
  std::optional<Upkeep> upkeep_;
};

}  // namespace ostiary::testing

#endif  // OSTIARY_TESTS_FLOWS_MACHINE_H_

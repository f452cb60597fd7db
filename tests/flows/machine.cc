#include "tests/flows/machine.h"

#include <algorithm>
#include <utility>

#include "tests/support/status_matchers.h"

namespace ostiary::testing {
namespace {

// Between two looks of the housekeeper, so that a day does not take for ever.
constexpr absl::Duration kLookEvery = absl::Minutes(11);

HouseOptions Under(const Clock& clock, HouseOptions options) {
  options.other_clock = &clock;
  return options;
}

}  // namespace

absl::Time MachineClock::Now() const {
  if (sense_ == Sense::kFollowsWall) return wall();
  if (sense_ == Sense::kWaitsForWall) return last_ = std::max(last_, wall());
  return time_->At(reading_);
}

absl::Duration MachineClock::Leapt() const {
  if (sense_ == Sense::kForgetsLeaps) return absl::ZeroDuration();
  return time_->Leapt(reading_);
}

void MachineClock::Boot(absl::Time floor) {
  time_ = std::make_unique<OnwardTime>(floor, reading_);
}

Machine::Machine(HouseOptions options, Sense sense)
    : clock(sense),
      house(Under(clock, std::move(options))),
      mark_file_(house.dir.File("mark")) {
  HireHousekeeper();
}

void Machine::HireHousekeeper() {
  Rooms& rooms = *house.operator->();
  upkeep_.emplace(Upkeep::Rooms{rooms.clock, *rooms.store, *rooms.keys,
                                rooms.aftermath->revocations, mark_file_,
                                rooms.aftermath->status_lists,
                                rooms.aftermath->sweep, nullptr, rooms.logger});
  EXPECT_OK(upkeep_->WriteMark());
}

void Machine::Pass(absl::Duration real) {
  while (real > absl::ZeroDuration()) {
    const absl::Duration step = std::min(real, kLookEvery);
    clock.Pass(step);
    real -= step;
    KeepHouse();
  }
}

void Machine::KeepHouse() {
  upkeep_->ApplyKeySchedule();
  upkeep_->ForgetWhatHasEnded();
}

absl::Status Machine::Restart(const std::function<void()>& meanwhile) {
  EXPECT_OK(upkeep_->WriteMark());  // as it is each second
  upkeep_.reset();
  absl::Status allowed = absl::OkStatus();
  house.RestartAfter([&] {
    meanwhile();
    const auto mark = mark_file_.Read();
    ASSERT_OK(mark);
    ASSERT_TRUE(mark->has_value());
    allowed = CheckAgainstMark(**mark, (*mark)->epoch, (*mark)->sequence,
                               clock.wall());
    clock.Boot((*mark)->time);
  });
  HireHousekeeper();
  return allowed;
}

}  // namespace ostiary::testing

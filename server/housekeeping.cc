#include "server/housekeeping.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "server/base/wiping.h"

namespace ostiary {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

}  // namespace

Housekeeping::Housekeeping(std::vector<Chore> chores)
    : chores_(std::move(chores)), thread_([this] { Run(); }) {}

Housekeeping::~Housekeeping() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_.notify_all();
  thread_.join();
}

void Housekeeping::Run() {
  const WipingScope wiping;
  std::vector<SteadyTime> due;
  const SteadyTime began = std::chrono::steady_clock::now();
  for (const Chore& chore : chores_) {
    due.push_back(began + absl::ToChronoNanoseconds(chore.every));
  }
  while (!chores_.empty()) {
    const auto next = std::min_element(due.begin(), due.end());
    {
      std::unique_lock lock(mutex_);
      if (stop_.wait_until(lock, *next, [this] { return stopping_; })) return;
    }
    const Chore& chore = chores_[static_cast<std::size_t>(next - due.begin())];
    chore.run();
    *next = std::chrono::steady_clock::now() +
            absl::ToChronoNanoseconds(chore.every);
  }
}

}  // namespace ostiary

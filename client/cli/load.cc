#include "client/cli/load.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <deque>
#include <utility>

#include "absl/time/clock.h"

namespace ostiary::cli {
namespace {

// How often an interrupt is looked for while nothing happens.
constexpr absl::Duration kGlance = absl::Milliseconds(50);
constexpr absl::Duration kPatience = absl::Seconds(2);
// After a failure, before the lane calls again: a server that is gone answers
// at once, and errors would become a storm.
constexpr absl::Duration kRest = absl::Milliseconds(10);

// Not the wall clock: it can be set while calls are timed.
absl::Duration Uptime() {
  return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

class Load {
 public:
  Load(const LoadPlan& plan, const std::vector<std::unique_ptr<Lane>>& lanes,
       const Interrupt& interrupt,
       const std::function<void(const LoadSecond&)>& on_second)
      : plan_(plan), interrupt_(interrupt), on_second_(on_second) {
    for (const auto& lane : lanes) {
      slots_.push_back(std::make_unique<Slot>(*lane));
      idle_.push_back(slots_.back().get());
    }
  }

  ~Load() {
    queue_.Shutdown();
    void* tag = nullptr;
    bool ok = false;
    while (queue_.Next(&tag, &ok)) {
    }
  }

  LoadResult Run() {
    began_ = second_began_ = next_due_ = Uptime();
    for (now_ = began_; !IsOver(); Wait()) BeginWhatIsDue();
    Close();
    return std::move(result_);
  }

 private:
  struct Slot {
    explicit Slot(Lane& the_lane) : lane(the_lane) {}

    Lane& lane;
    enum { kIdle, kCalling, kTidyingUp } state = kIdle;
    // When the call began, or should have.
    absl::Duration since;
  };

  bool IsOver() {
    if (interrupt_.arrived()) result_.interrupted = true;
    const bool nobody_left = busy_ == 0 && idle_.empty() && resting_.empty();
    return result_.interrupted || nobody_left ||
           now_ - began_ >= plan_.duration;
  }

  absl::Duration Interval() const { return absl::Seconds(1) / *plan_.rate; }

  void BeginWhatIsDue() {
    for (; !resting_.empty() && resting_.front().until <= now_;
         resting_.pop_front()) {
      idle_.push_back(resting_.front().slot);
    }
    while (!idle_.empty() && (!plan_.rate || next_due_ <= now_)) {
      Slot& slot = *idle_.back();
      idle_.pop_back();
      slot.since = plan_.rate && lanes_were_short_ ? next_due_ : now_;
      if (plan_.rate) next_due_ += Interval();
      slot.state = Slot::kCalling;
      ++busy_;
      slot.lane.Begin(queue_, &slot);
    }
    lanes_were_short_ = plan_.rate && next_due_ <= now_;
  }

  // Until a call has ended, something is due, or it is time to look around.
  void Wait() {
    absl::Duration limit = kGlance;
    limit = std::min(limit, began_ + plan_.duration - now_);
    if (plan_.rate && !idle_.empty()) {
      limit = std::min(limit, next_due_ - now_);
    }
    if (!resting_.empty()) {
      limit = std::min(limit, resting_.front().until - now_);
    }
    TakeEnded(limit);
  }

  void TakeEnded(absl::Duration limit) {
    using Next = grpc::CompletionQueue::NextStatus;
    const auto deadline =
        absl::ToChronoTime(absl::Now() + std::max(limit, absl::ZeroDuration()));
    void* tag = nullptr;
    bool ok = false;
    const Next next = queue_.AsyncNext(&tag, &ok, deadline);
    now_ = Uptime();
    if (next == Next::GOT_EVENT) Take(*static_cast<Slot*>(tag));
    TellSecond();
  }

  void Take(Slot& slot) {
    --busy_;
    if (slot.state == Slot::kTidyingUp) {
      slot.lane.EndTidyUp();
    } else {
      const std::optional<CallFailure> failure = slot.lane.End();
      Count(failure, now_ - slot.since);
      if (slot.lane.TidiesEachTime() && TidyUp(slot)) return;
      slot.state = Slot::kIdle;
      if (!slot.lane.CanGoOn()) return;
      if (failure) return resting_.push_back({now_ + kRest, &slot});
    }
    slot.state = Slot::kIdle;
    idle_.push_back(&slot);
  }

  bool TidyUp(Slot& slot) {
    if (!slot.lane.BeginTidyUp(queue_, &slot)) return false;
    slot.state = Slot::kTidyingUp;
    ++busy_;
    return true;
  }

  void Count(const std::optional<CallFailure>& failure,
             absl::Duration latency) {
    // What this program cut off says nothing about the server.
    if (failure && cancelled_ && failure->code == "CANCELLED") return;
    result_.elapsed = now_ - began_;
    if (!failure) {
      result_.latencies.Add(latency);
      second_.Add(latency);
      return;
    }
    ++result_.failed;
    ++second_failed_;
    LoadResult::Count& count =
        result_.failures[{failure->code, failure->reason}];
    count.exit_code = failure->exit_code;
    ++count.times;
  }

  void TellSecond() {
    if (now_ - second_began_ < absl::Seconds(1)) return;
    on_second_({now_ - began_, now_ - second_began_, second_, second_failed_});
    second_began_ = now_;
    second_.Clear();
    second_failed_ = 0;
  }

  void Close() {
    const absl::Duration closed = now_;
    if (plan_.rate && next_due_ < closed) {
      result_.not_begun = static_cast<std::uint64_t>(
          std::floor(absl::FDivDuration(closed - next_due_, Interval())));
    }
    while (busy_ > 0) {
      TakeEnded(kGlance);
      if (interrupt_.arrived()) result_.interrupted = true;
      if (result_.interrupted && now_ - closed > kPatience) CancelAll();
    }
    for (const auto& slot : slots_) TidyUp(*slot);
    while (busy_ > 0) TakeEnded(kGlance);
  }

  void CancelAll() {
    if (std::exchange(cancelled_, true)) return;
    for (const auto& slot : slots_) {
      if (slot->state == Slot::kCalling) slot->lane.Cancel();
    }
  }

  const LoadPlan& plan_;
  const Interrupt& interrupt_;
  const std::function<void(const LoadSecond&)>& on_second_;
  grpc::CompletionQueue queue_;
  std::vector<std::unique_ptr<Slot>> slots_;
  std::vector<Slot*> idle_;  // that can go on
  struct Resting {
    absl::Duration until;
    Slot* slot;
  };
  std::deque<Resting> resting_;
  std::size_t busy_ = 0;
  absl::Duration now_;
  absl::Duration began_;
  absl::Duration next_due_;
  bool lanes_were_short_ = false;
  bool cancelled_ = false;
  absl::Duration second_began_;
  Latencies second_;
  std::uint64_t second_failed_ = 0;
  LoadResult result_;
};

}  // namespace

LoadResult RunLoad(const LoadPlan& plan,
                   const std::vector<std::unique_ptr<Lane>>& lanes,
                   const Interrupt& interrupt,
                   const std::function<void(const LoadSecond&)>& on_second) {
  return Load(plan, lanes, interrupt, on_second).Run();
}

}  // namespace ostiary::cli

#include "server/grpc/wake_list.h"

#include <algorithm>
#include <vector>

#include "grpc/support/time.h"
#include "server/grpc/handover.h"
#include "server/grpc/stream_call.h"

namespace ostiary::rpc {
namespace {

using Frame = door::Subscription::Frame;

// After so many, whatever else the queue has brought comes first: a thousand
// streams would hold a Verify up for ten milliseconds.
constexpr std::size_t kAtATime = 32;

}  // namespace

void WakeList::Add(StreamCall& call) {
  absl::MutexLock lock(&mutex_);
  waiting_.push_back(&call);
  if (!rings_) Ring();
}

void WakeList::Ring() {
  rings_ = true;
  // Long past: "now" is rounded up to the next millisecond.
  alarm_.Set(&queue_, gpr_inf_past(GPR_CLOCK_MONOTONIC), on_rung_.Tag());
}

void WakeList::OnRung(bool) {
  std::vector<StreamCall*> calls;
  {
    absl::MutexLock lock(&mutex_);
    const auto count =
        static_cast<std::ptrdiff_t>(std::min(kAtATime, waiting_.size()));
    calls.assign(waiting_.begin(), waiting_.begin() + count);
    waiting_.erase(waiting_.begin(), waiting_.begin() + count);
    // Before anybody is told: a call may be the last to hold the queue open.
    rings_ = false;
    if (!waiting_.empty()) Ring();
  }
  for (StreamCall* call : calls) call->OnWoken();
}

const ::grpc::Slice& WakeList::BytesOf(const Frame& frame) {
  if (frame == frame_) return bytes_;
  auto* const kept = new Frame(frame);
  HandOver(kept);  // the library lets go of it on a thread of its own
  bytes_ = ::grpc::Slice(
      const_cast<char*>(frame->data()), frame->size(),
      [](void* user_data) {
        TakeUp(user_data);
        delete static_cast<Frame*>(user_data);
      },
      kept);
  frame_ = frame;
  return bytes_;
}

}  // namespace ostiary::rpc

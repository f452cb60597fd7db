#include "server/grpc/unary_call.h"

#include "absl/time/time.h"
#include "server/base/reason.h"
#include "server/base/secret.h"
#include "server/grpc/call_context.h"

namespace ostiary::rpc {
namespace {

// What a caller that was turned away waits: the calls in front of it take
// milliseconds.
constexpr absl::Duration kRetryAfterOverload = absl::Seconds(1);

}  // namespace

CallSlots::CallSlots(const Method& method, Traffic& traffic,
                     ::grpc::ServerCompletionQueue& queue, Make make)
    : method_(method),
      traffic_(traffic),
      queue_(queue),
      make_(std::move(make)),
      most_calls_(static_cast<std::size_t>(method.slots + traffic.bound())) {}

CallSlots::~CallSlots() = default;

void CallSlots::Fill() {
  while (armed_ < method_.slots) {
    UnaryCall* call = FindFree();
    if (call == nullptr) return;  // TakeBack comes here again
    if (!traffic_.Join()) {
      free_.push_back(call);
      return;
    }
    ++armed_;
    call->Arm();
  }
}

void CallSlots::TakeBack(UnaryCall& call) {
  free_.push_back(&call);
  Fill();
  // Last: once everybody has left, the queue may be closed.
  traffic_.Leave();
}

UnaryCall* CallSlots::FindFree() {
  if (!free_.empty()) {
    UnaryCall* call = free_.back();
    free_.pop_back();
    return call;
  }
  if (calls_.size() >= most_calls_) return nullptr;
  calls_.push_back(make_(*this));
  return calls_.back().get();
}

UnaryCall::UnaryCall(CallSlots& slots)
    : slots_(slots),
      watches_caller_(slots.method().answering == Answering::kLane) {
  if (watches_caller_)
    context_.cancelled = [this] { return cancelled_.load(); };
}

void UnaryCall::Arm() {
  stage_ = Stage::kArmed;
  finished_ = caller_done_ = false;
  cancelled_ = false;
  call_.emplace();
  if (watches_caller_) call_->AsyncNotifyWhenDone(on_caller_done_.Tag());
  Accept(*call_, Tag());
}

void UnaryCall::Proceed(bool ok) {
  if (stage_ == Stage::kFinishing) {
    // Whether the answer got through or not, the call is over.
    finished_ = true;
    RecycleWhenOver();
    return;
  }
  slots_.Disarmed();
  if (!ok) {
    // The server shuts down. Never matched, so no other event will come.
    GiveBack();
    return;
  }
  stage_ = Stage::kServing;
  slots_.Fill();
  Serve();
}

absl::Status UnaryCall::Admit() {
  const std::size_t bytes = Request().ByteSizeLong();
  if (!slots_.traffic().Begin())
    return RefuseUntil(Reason::kOverloaded, kRetryAfterOverload);
  if (bytes > slots_.method().max_request_bytes)
    return Refuse(Reason::kRequestTooLarge);
  return absl::OkStatus();
}

void UnaryCall::Serve() {
  if (absl::Status s = Admit(); !s.ok()) return Answer(s);
  FillCallContext(*call_, context_);
  slots_.method().serve(context_, Request(), Response(),
                        [this](const absl::Status& status) { Answer(status); });
}

void UnaryCall::Answer(const absl::Status& status) {
  // Before Finish: from there on, this belongs to the polling thread again.
  stage_ = Stage::kFinishing;
  if (watches_caller_) HandOver(&on_caller_done_);
  Finish(status.ok() ? ::grpc::Status::OK : ToGrpcStatus(status), Tag());
}

void UnaryCall::OnCallerDone(bool) {
  if (call_->IsCancelled()) cancelled_ = true;
  caller_done_ = true;
  RecycleWhenOver();
}

void UnaryCall::RecycleWhenOver() {
  if (!finished_ || (watches_caller_ && !caller_done_)) return;
  slots_.traffic().End();
  GiveBack();
}

void UnaryCall::GiveBack() {
  Clear();
  call_.reset();
  Wipe(context_.authorization);
  slots_.TakeBack(*this);
}

}  // namespace ostiary::rpc

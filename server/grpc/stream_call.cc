#include "server/grpc/stream_call.h"

#include <utility>

#include "server/base/reason.h"
#include "server/grpc/call_context.h"
#include "server/grpc/handover.h"
#include "server/grpc/wake_list.h"

namespace ostiary::rpc {
namespace {

using Frame = door::Subscription::Frame;

}  // namespace

StreamMethod::StreamMethod(RawService& service, int index, int slots,
                           Begin begin)
    : service_(service),
      index_(index),
      slots_(slots),
      begin_(std::move(begin)) {}

void StreamMethod::Arm(Traffic& traffic, ::grpc::ServerCompletionQueue& queue) {
  WakeList& wake_list = wake_lists_.emplace_back(queue);
  for (int i = 0; i < slots_; ++i)
    StreamCall::Arm(*this, traffic, queue, wake_list);
}

void StreamMethod::Drain() {
  absl::MutexLock lock(&mutex_);
  draining_ = true;
  for (StreamCall* call : open_) call->End(Refuse(Reason::kNotReady));
}

bool StreamMethod::Add(StreamCall& call) {
  absl::MutexLock lock(&mutex_);
  if (draining_) return false;
  open_.insert(&call);
  return true;
}

void StreamMethod::Remove(StreamCall& call) {
  absl::MutexLock lock(&mutex_);
  open_.erase(&call);
}

void StreamCall::Arm(StreamMethod& method, Traffic& traffic,
                     ::grpc::ServerCompletionQueue& queue,
                     WakeList& wake_list) {
  if (!traffic.Join()) return;
  auto* call = new StreamCall(method, traffic, queue, wake_list);
  call->call_.AsyncNotifyWhenDone(call->on_caller_done_.Tag());
  method.service_.RequestStream(method.index_, call->call_, call->request_,
                                call->stream_, queue, call->on_matched_.Tag());
}

StreamCall::StreamCall(StreamMethod& method, Traffic& traffic,
                       ::grpc::ServerCompletionQueue& queue,
                       WakeList& wake_list)
    : method_(method),
      traffic_(traffic),
      queue_(queue),
      wake_list_(wake_list) {}

void StreamCall::End(const absl::Status& status) {
  absl::MutexLock lock(&mutex_);
  if (!end_.has_value()) end_ = status;
  Advance();
}

void StreamCall::OnMatched(bool ok) {
  if (!ok) return Delete();  // the server shuts down; no other event will come
  Arm(method_, traffic_, queue_, wake_list_);
  if (!method_.Add(*this)) return End(Refuse(Reason::kNotReady));
  if (absl::Status s = Begin(); !s.ok()) return End(s);
  absl::MutexLock lock(&mutex_);
  Advance();
}

absl::Status StreamCall::Begin() {
  auto subscription = method_.begin_(call_, request_, [this] { Wake(); });
  if (!subscription.ok()) return subscription.status();
  absl::MutexLock lock(&mutex_);
  subscription_ = *std::move(subscription);
  return absl::OkStatus();
}

void StreamCall::Wake() {
  absl::MutexLock lock(&mutex_);
  // While a write is under way its end will ask for the next one.
  if (in_wake_list_ || writing_ || finishing_ || caller_done_) return;
  in_wake_list_ = true;
  wake_list_.Add(*this);
}

void StreamCall::OnWoken() {
  bool over = false;
  {
    absl::MutexLock lock(&mutex_);
    in_wake_list_ = false;
    Advance();
    over = IsOver();
  }
  if (over) Delete();
}

void StreamCall::OnWritten(bool) {
  bool over = false;
  {
    absl::MutexLock lock(&mutex_);
    writing_ = false;
    Advance();
    over = IsOver();
  }
  if (over) Delete();
}

void StreamCall::OnFinished(bool) {
  bool over = false;
  {
    absl::MutexLock lock(&mutex_);
    finished_ = true;
    over = IsOver();
  }
  if (over) Delete();
}

void StreamCall::OnCallerDone(bool) {
  method_.Remove(*this);
  std::unique_ptr<door::Subscription> subscription;
  {
    absl::MutexLock lock(&mutex_);
    caller_done_ = true;
    subscription = std::move(subscription_);
  }
  subscription.reset();  // from here on, nobody else holds this
  bool over = false;
  {
    absl::MutexLock lock(&mutex_);
    over = IsOver();
  }
  if (over) Delete();
}

void StreamCall::Advance() {
  if (writing_ || finishing_ || caller_done_) return;
  if (!end_.has_value()) {
    if (subscription_ == nullptr) return;
    const absl::StatusOr<Frame> frame = subscription_->Next();
    if (frame.ok()) {
      if (*frame != nullptr) Write(*frame);
      return;
    }
    end_ = frame.status();
  }
  Finish();
}

void StreamCall::Write(const Frame& frame) {
  writing_ = true;
  stream_.Write(::grpc::ByteBuffer(&wake_list_.BytesOf(frame), 1),
                on_written_.Tag());
}

void StreamCall::Finish() {
  finishing_ = true;
  HandOver(&on_caller_done_);
  stream_.Finish(ToGrpcStatus(*end_), on_finished_.Tag());
}

bool StreamCall::IsOver() const {
  return caller_done_ && !in_wake_list_ && !writing_ && finishing_ == finished_;
}

void StreamCall::Delete() {
  Traffic& traffic = traffic_;
  delete this;
  traffic.Leave();
}

}  // namespace ostiary::rpc

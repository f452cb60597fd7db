#include "server/grpc/unary_call.h"

#include <utility>

#include "server/base/secret.h"

namespace ostiary::rpc {
namespace {

// The calls that a burst has added keep no more than this. Larger buffers
// would stay with each of them for ever.
constexpr std::size_t kKeptBytes = 4096;
// As many calls as may be served, answers that may be unread, and as many
// answers that were given up and that gRPC has not let go of.
constexpr int kPlaces = 3;

}  // namespace

CallSlots::CallSlots(const Method& method, Traffic& traffic,
                     ::grpc::ServerCompletionQueue& queue)
    : method_(method),
      traffic_(traffic),
      queue_(queue),
      most_calls_(
          static_cast<std::size_t>(method.slots + kPlaces * traffic.bound())) {}

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
  const bool in_a_burst =
      calls_.size() >= static_cast<std::size_t>(method_.slots);
  calls_.push_back(std::make_unique<UnaryCall>(
      *this, in_a_burst ? kKeptBytes : method_.max_request_bytes));
  return calls_.back().get();
}

UnaryCall::UnaryCall(CallSlots& slots, std::size_t kept_bytes)
    : slots_(slots),
      method_(slots.method()),
      kept_bytes_(kept_bytes),
      watches_caller_(method_.answering == Answering::kLane),
      request_(method_.new_request()),
      reply_{method_.new_response()} {
  if (watches_caller_)
    context_.cancelled = [this] { return cancelled_.load(); };
}

void UnaryCall::Arm() {
  stage_ = Stage::kArmed;
  finished_ = caller_done_ = false;
  cancelled_ = false;
  call_.emplace();
  if (watches_caller_) call_->AsyncNotifyWhenDone(on_caller_done_.Tag());
  Accept();
}

void UnaryCall::Accept() {
  writer_.emplace(&*call_);
  method_.service->RequestUnary(method_.index, *call_, request_bytes_, *writer_,
                                slots_.queue(), Tag());
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

// A call that is answered before another begins is never one of many. It must
// not be refused because a slow disk has filled the places with writes.
absl::Status UnaryCall::Begin() {
  return watches_caller_ ? slots_.traffic().Begin() : absl::OkStatus();
}

absl::Status UnaryCall::Admit() {
  if (absl::Status s = Begin(); !s.ok()) {
    request_bytes_.Clear();
    return s;
  }
  request_size_ = request_bytes_.Length();
  return ParseMessage(request_bytes_, method_.max_request_bytes, *request_);
}

void UnaryCall::Serve() {
  if (absl::Status s = Admit(); !s.ok()) return Answer(std::move(s));
  FillCallContext(*call_, method_.asked, context_);
  method_.serve(context_, *request_, reply_,
                [this](absl::Status status) { Answer(std::move(status)); });
}

void UnaryCall::Answer(absl::Status status) {
  if (status.ok()) status = SerializeReply(reply_, response_bytes_);
  // Before Finish: from there on, this belongs to the polling thread again.
  stage_ = Stage::kFinishing;
  if (watches_caller_) HandOver(&on_caller_done_);
  if (watches_caller_) slots_.traffic().End();
  slots_.traffic().unread().Add(*call_, unread_);
  Finish(status);
}

void UnaryCall::Finish(const absl::Status& status) {
  void* const tag = Tag();
  if (status.ok()) {
    writer_->Finish(response_bytes_, ::grpc::Status::OK, tag);
  } else {
    writer_->FinishWithError(ToGrpcStatus(status), tag);
  }
}

void UnaryCall::OnCallerDone(bool) {
  if (call_->IsCancelled()) cancelled_ = true;
  caller_done_ = true;
  RecycleWhenOver();
}

void UnaryCall::RecycleWhenOver() {
  if (!finished_ || (watches_caller_ && !caller_done_)) return;
  slots_.traffic().unread().Remove(unread_);
  GiveBack();
}

void UnaryCall::GiveBack() {
  writer_.reset();
  call_.reset();
  Recycle(method_.new_request, request_size_, kept_bytes_, request_);
  if (reply_.encoded.empty()) {
    Recycle(method_.new_response, response_bytes_.Length(), kept_bytes_,
            reply_.message);
  } else {
    Recycle(kept_bytes_, reply_.encoded);
  }
  response_bytes_.Clear();
  Wipe(context_.authorization);
  slots_.TakeBack(*this);
}

}  // namespace ostiary::rpc

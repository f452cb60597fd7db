#include "server/grpc/exchange_call.h"

#include <utility>

#include "server/base/reason.h"
#include "server/base/secret.h"
#include "server/grpc/call_context.h"
#include "server/grpc/handover.h"
#include "server/grpc/message_bytes.h"

namespace ostiary::rpc {
namespace {

// An open stream waits long for its next request, and keeps no more than this
// meanwhile.
constexpr std::size_t kKeptBytes = 4096;

}  // namespace

void ExchangeMethod::Arm(Traffic& traffic,
                         ::grpc::ServerCompletionQueue& queue) {
  for (int i = 0; i < method_.slots; ++i)
    ExchangeCall::Arm(*this, traffic, queue);
}

void ExchangeMethod::Drain() {
  absl::MutexLock lock(&mutex_);
  draining_ = true;
  for (ExchangeCall* call : open_) call->End(Refuse(Reason::kNotReady));
}

absl::Status ExchangeMethod::Add(ExchangeCall& call, int most) {
  absl::MutexLock lock(&mutex_);
  if (draining_) return Refuse(Reason::kNotReady);
  if (open_.size() >= static_cast<std::size_t>(most)) return Busy();
  open_.insert(&call);
  return absl::OkStatus();
}

void ExchangeMethod::Remove(ExchangeCall& call) {
  absl::MutexLock lock(&mutex_);
  open_.erase(&call);
}

void ExchangeCall::Arm(ExchangeMethod& method, Traffic& traffic,
                       ::grpc::ServerCompletionQueue& queue) {
  if (!traffic.Join()) return;
  auto* call = new ExchangeCall(method, traffic, queue);
  call->call_.AsyncNotifyWhenDone(call->on_caller_done_.Tag());
  call->method_.service->RequestExchange(call->method_.index, call->call_,
                                         call->stream_, queue,
                                         call->on_matched_.Tag());
}

ExchangeCall::ExchangeCall(ExchangeMethod& exchanges, Traffic& traffic,
                           ::grpc::ServerCompletionQueue& queue)
    : exchanges_(exchanges),
      method_(exchanges.method_),
      traffic_(traffic),
      queue_(queue),
      request_(method_.new_request()),
      reply_{method_.new_response()} {
  context_.cancelled = [this] { return cancelled_.load(); };
}

void ExchangeCall::End(const absl::Status& status) {
  absl::MutexLock lock(&mutex_);
  if (end_.has_value()) return;
  end_ = status;
  if (stage_ == Stage::kReading) Finish(status);
}

void ExchangeCall::OnMatched(bool ok) {
  // The server shuts down; no other event will come.
  if (!ok) return DeleteIf(true);
  Arm(exchanges_, traffic_, queue_);
  FillCallContext(call_, method_.asked, context_);
  const absl::Status added = exchanges_.Add(*this, traffic_.bound());
  absl::MutexLock lock(&mutex_);
  if (!added.ok() && !end_.has_value()) end_ = added;
  Read();
}

void ExchangeCall::Read() {
  if (end_.has_value()) return Finish(*end_);
  stage_ = Stage::kReading;
  reading_ = true;
  stream_.Read(&bytes_, on_read_.Tag());
}

void ExchangeCall::OnRead(bool ok) {
  bool over = false;
  {
    absl::MutexLock lock(&mutex_);
    reading_ = false;
    over = IsOver();
    if (stage_ != Stage::kReading) {
      ok = false;  // ended meanwhile
    } else if (ok) {
      stage_ = Stage::kServing;
    } else {
      Finish(absl::OkStatus());  // the caller has no more requests
    }
  }
  if (ok) return Serve();
  DeleteIf(over);
}

absl::Status ExchangeCall::Admit() {
  if (absl::Status s = traffic_.Begin(); !s.ok()) {
    Discard(bytes_, method_.remains);
    return s;
  }
  request_size_ = bytes_.Length();
  return ParseMessage(bytes_, method_.max_request_bytes, method_.remains,
                      *request_);
}

void ExchangeCall::Serve() {
  if (absl::Status s = Admit(); !s.ok()) return Answer(std::move(s));
  method_.serve(context_, *request_, reply_,
                [this](absl::Status status) { Answer(std::move(status)); });
}

void ExchangeCall::Answer(absl::Status status) {
  if (status.ok()) status = SerializeReply(reply_, bytes_);
  traffic_.End();
  absl::MutexLock lock(&mutex_);
  if (!status.ok()) return Finish(status);
  stage_ = Stage::kWriting;
  stream_.Write(bytes_, on_written_.Tag());
}

void ExchangeCall::OnWritten(bool) {
  absl::MutexLock lock(&mutex_);
  Recycle(method_.new_request, request_size_, kKeptBytes, request_);
  Recycle(method_.new_response, bytes_.Length(), kKeptBytes, reply_.message);
  Recycle(kKeptBytes, reply_.encoded);
  bytes_.Clear();
  Read();
}

void ExchangeCall::Finish(const absl::Status& status) {
  stage_ = Stage::kFinishing;
  HandOver(&on_caller_done_);
  stream_.Finish(status.ok() ? ::grpc::Status::OK : ToGrpcStatus(status),
                 on_finished_.Tag());
}

void ExchangeCall::OnFinished(bool) {
  bool over = false;
  {
    absl::MutexLock lock(&mutex_);
    finished_ = true;
    over = IsOver();
  }
  DeleteIf(over);
}

void ExchangeCall::OnCallerDone(bool) {
  if (call_.IsCancelled()) cancelled_ = true;
  exchanges_.Remove(*this);
  bool over = false;
  {
    absl::MutexLock lock(&mutex_);
    caller_done_ = true;
    over = IsOver();
  }
  DeleteIf(over);
}

bool ExchangeCall::IsOver() const {
  return finished_ && caller_done_ && !reading_;
}

void ExchangeCall::DeleteIf(bool over) {
  if (!over) return;
  Traffic& traffic = traffic_;
  Wipe(context_.authorization);
  delete this;
  traffic.Leave();
}

}  // namespace ostiary::rpc

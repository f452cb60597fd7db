#include "server/grpc/health_watch.h"

#include "server/base/reason.h"
#include "server/grpc/call_context.h"
#include "server/grpc/message_bytes.h"

namespace ostiary::rpc {

void HealthWatch::Arm(Health& health, RawService& service, Traffic& traffic,
                      ::grpc::ServerCompletionQueue& queue) {
  if (!traffic.Join()) return;
  auto* watch = new HealthWatch(health, service, traffic, queue);
  watch->call_.AsyncNotifyWhenDone(watch->on_caller_done_.Tag());
  service.RequestStream(Health::WatchIndex(), watch->call_,
                        watch->request_bytes_, watch->stream_, queue,
                        watch->on_matched_.Tag());
}

HealthWatch::HealthWatch(Health& health, RawService& service, Traffic& traffic,
                         ::grpc::ServerCompletionQueue& queue)
    : health_(health), service_(service), traffic_(traffic), queue_(queue) {}

void HealthWatch::Push(Health::State state) {
  absl::MutexLock lock(&mutex_);
  state_ = state;
  Advance();
}

void HealthWatch::End(const absl::Status& status) {
  absl::MutexLock lock(&mutex_);
  if (!end_.has_value()) end_ = status;
  Advance();
}

void HealthWatch::OnMatched(bool ok) {
  if (!ok) return Delete();  // the server shuts down; no other event will come
  Arm(health_, service_, traffic_, queue_);
  absl::Status s =
      ParseMessage(request_bytes_, Health::kMaxRequestBytes, request_);
  if (s.ok()) s = health_.Add(*this);
  if (!s.ok()) return End(s);
  Push(health_.StateOf(service_name()));
}

void HealthWatch::OnWritten(bool) {
  bool over = false;
  {
    absl::MutexLock lock(&mutex_);
    writing_ = false;
    Advance();
    over = IsOver();
  }
  if (over) Delete();
}

void HealthWatch::OnFinished(bool) {
  bool over = false;
  {
    absl::MutexLock lock(&mutex_);
    finished_ = true;
    over = IsOver();
  }
  if (over) Delete();
}

void HealthWatch::OnCallerDone(bool) {
  health_.Remove(*this);  // from here on, nobody else holds this
  bool over = false;
  {
    absl::MutexLock lock(&mutex_);
    caller_done_ = true;
    over = IsOver();
  }
  if (over) Delete();
}

void HealthWatch::Advance() {
  if (writing_ || finishing_ || caller_done_) return;
  if (end_.has_value()) {
    finishing_ = true;
    HandOver(&on_caller_done_);
    stream_.Finish(ToGrpcStatus(*end_), on_finished_.Tag());
    return;
  }
  if (state_ == said_) return;
  ::grpc::health::v1::HealthCheckResponse response;
  response.set_status(*state_);
  ::grpc::ByteBuffer bytes;
  if (!SerializeMessage(response, bytes).ok()) return;  // two bytes always fit
  said_ = state_;
  writing_ = true;
  stream_.Write(bytes, on_written_.Tag());
}

bool HealthWatch::IsOver() const {
  return caller_done_ && !writing_ && finishing_ == finished_;
}

void HealthWatch::Delete() {
  Traffic& traffic = traffic_;
  delete this;
  traffic.Leave();
}

}  // namespace ostiary::rpc

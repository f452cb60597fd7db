#ifndef OSTIARY_SERVER_GRPC_HEALTH_WATCH_H_
#define OSTIARY_SERVER_GRPC_HEALTH_WATCH_H_

#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "grpc/health/v1/health.pb.h"
#include "grpcpp/completion_queue.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/byte_buffer.h"
#include "server/grpc/event.h"
#include "server/grpc/health.h"
#include "server/grpc/raw_service.h"
#include "server/grpc/traffic.h"

namespace ostiary::rpc {

// One stream of health states. Owns itself, from Arm to the last of its events.
// At most one write is under way; a slow reader gets the newest state, not a
// queue of old ones.
//
// Push and End are thread-safe.
class HealthWatch {
 public:
  // Waits on `queue` for a caller; a matched one arms the next. Nothing once
  // the traffic is closed.
  static void Arm(Health& health, RawService& service, Traffic& traffic,
                  ::grpc::ServerCompletionQueue& queue);

  const std::string& service_name() const { return request_.service(); }
  void Push(Health::State state);
  void End(const absl::Status& status);

 private:
  HealthWatch(Health& health, RawService& service, Traffic& traffic,
              ::grpc::ServerCompletionQueue& queue);
  ~HealthWatch() = default;

  void OnMatched(bool ok);
  void OnWritten(bool ok);
  void OnFinished(bool ok);
  void OnCallerDone(bool ok);
  void Advance() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool IsOver() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Delete();

  Health& health_;
  RawService& service_;
  Traffic& traffic_;
  ::grpc::ServerCompletionQueue& queue_;
  ::grpc::ServerContext call_;
  ::grpc::ByteBuffer request_bytes_;
  ::grpc::health::v1::HealthCheckRequest request_;
  RawService::StreamWriter stream_{&call_};
  MemberEvent<HealthWatch, &HealthWatch::OnMatched> on_matched_{*this};
  MemberEvent<HealthWatch, &HealthWatch::OnWritten> on_written_{*this};
  MemberEvent<HealthWatch, &HealthWatch::OnFinished> on_finished_{*this};
  MemberEvent<HealthWatch, &HealthWatch::OnCallerDone> on_caller_done_{*this};

  absl::Mutex mutex_;
  // What the caller knows, what it should know, how it should end.
  std::optional<Health::State> said_ ABSL_GUARDED_BY(mutex_);
  std::optional<Health::State> state_ ABSL_GUARDED_BY(mutex_);
  std::optional<absl::Status> end_ ABSL_GUARDED_BY(mutex_);
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool finishing_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  bool caller_done_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace ostiary::rpc

#endif  // OSTIARY_SERVER_GRPC_HEALTH_WATCH_H_

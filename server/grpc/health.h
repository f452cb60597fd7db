#ifndef OSTIARY_SERVER_GRPC_HEALTH_H_
#define OSTIARY_SERVER_GRPC_HEALTH_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "grpc/health/v1/health.pb.h"
#include "grpcpp/alarm.h"
#include "grpcpp/completion_queue.h"
#include "grpcpp/server_builder.h"
#include "server/door/door.h"
#include "server/grpc/event.h"
#include "server/grpc/raw_service.h"
#include "server/grpc/stream_call.h"
#include "server/grpc/traffic.h"
#include "server/grpc/unary_call.h"

namespace ostiary::rpc {

// grpc.health.v1 on our own queues: the library's service brings the callback
// API along, which makes every other call half as dear again. A service is
// healthy while the door is ready; the empty name asks about all.
//
// Thread-safe after Arm.
class Health {
 public:
  using State = ::grpc::health::v1::HealthCheckResponse::ServingStatus;

  // `services` are full names. At most `max_watches` watch at a time; each
  // hears of a change within `interval`.
  Health(const door::Door& door, const std::vector<std::string>& services,
         int max_watches, absl::Duration interval);
  ~Health();
  Health(const Health&) = delete;
  Health& operator=(const Health&) = delete;

  void Register(::grpc::ServerBuilder& builder);
  // Serves Check and Watch on `queue`, before it is polled. The answer must
  // outlive the queue.
  std::unique_ptr<CallSlots> Arm(Traffic& traffic,
                                 ::grpc::ServerCompletionQueue& queue);
  // Ends every watch with UNAVAILABLE, and each one to come.
  void Drain();

  // SERVICE_UNKNOWN for a name that is not served here.
  State StateOf(const std::string& service) const;

 private:
  class Watch;

  Method CheckMethod();
  absl::StatusOr<std::unique_ptr<door::Subscription>> Begin(
      ::grpc::ByteBuffer& request, std::function<void()> wake);
  void Remove(Watch& watch);
  void ScheduleTick();
  void OnTick(bool ok);

  const door::Door& door_;
  const std::unordered_set<std::string> services_;
  const std::size_t max_watches_;
  const absl::Duration interval_;
  RawService service_;
  const Method check_;
  StreamMethod watch_;
  // Where the ticks arrive: the first queue armed.
  ::grpc::ServerCompletionQueue* tick_queue_ = nullptr;
  Traffic* traffic_ = nullptr;
  MemberEvent<Health, &Health::OnTick> on_tick_{*this};

  mutable absl::Mutex mutex_;
  ::grpc::Alarm tick_ ABSL_GUARDED_BY(mutex_);
  bool draining_ ABSL_GUARDED_BY(mutex_) = false;
  std::unordered_set<Watch*> watches_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ostiary::rpc

#endif  // OSTIARY_SERVER_GRPC_HEALTH_H_

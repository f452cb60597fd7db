#ifndef OSTIARY_SERVER_GRPC_STREAM_CALL_H_
#define OSTIARY_SERVER_GRPC_STREAM_CALL_H_

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_set>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "grpcpp/completion_queue.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/byte_buffer.h"
#include "server/door/subscription.h"
#include "server/grpc/event.h"
#include "server/grpc/raw_service.h"
#include "server/grpc/traffic.h"
#include "server/grpc/wake_list.h"

namespace ostiary::rpc {

class StreamCall;

// A method that answers with a stream, and its streams that are open.
//
// Thread-safe.
class StreamMethod {
 public:
  // Begins a stream: reads the request, may refuse. `wake` may be called on any
  // thread until the subscription is destroyed.
  using Begin =
      std::function<absl::StatusOr<std::unique_ptr<door::Subscription>>(
          const ::grpc::ServerContext& call, ::grpc::ByteBuffer& request,
          std::function<void()> wake)>;

  // `index` is the method's in the service's descriptor; `slots` streams can
  // be matched on a queue at the same time.
  StreamMethod(RawService& service, int index, int slots, Begin begin);
  StreamMethod(const StreamMethod&) = delete;
  StreamMethod& operator=(const StreamMethod&) = delete;

  // Serves on `queue`, before it is polled.
  void Arm(Traffic& traffic, ::grpc::ServerCompletionQueue& queue);
  // Ends every stream with UNAVAILABLE, and each one to come.
  void Drain();

 private:
  friend class StreamCall;

  // False once draining.
  bool Add(StreamCall& call);
  void Remove(StreamCall& call);

  RawService& service_;
  const int index_;
  const int slots_;
  const Begin begin_;
  std::deque<WakeList> wake_lists_;  // one for each queue

  absl::Mutex mutex_;
  bool draining_ ABSL_GUARDED_BY(mutex_) = false;
  std::unordered_set<StreamCall*> open_ ABSL_GUARDED_BY(mutex_);
};

// One stream of a subscription's messages. Owns itself, from Arm to the last of
// its events. At most one write is under way.
class StreamCall {
 public:
  // Waits on `queue` for a caller; a matched one arms the next. Nothing once
  // the traffic is closed.
  static void Arm(StreamMethod& method, Traffic& traffic,
                  ::grpc::ServerCompletionQueue& queue, WakeList& wake_list);

  // Thread-safe.
  void End(const absl::Status& status);
  // For the wake list.
  void OnWoken();

 private:
  StreamCall(StreamMethod& method, Traffic& traffic,
             ::grpc::ServerCompletionQueue& queue, WakeList& wake_list);
  ~StreamCall() = default;

  void OnMatched(bool ok);
  void OnWritten(bool ok);
  void OnFinished(bool ok);
  void OnCallerDone(bool ok);
  absl::Status Begin();
  // Thread-safe.
  void Wake();
  void Advance() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Write(const door::Subscription::Frame& frame)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Finish() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool IsOver() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Delete();

  StreamMethod& method_;
  Traffic& traffic_;
  ::grpc::ServerCompletionQueue& queue_;
  WakeList& wake_list_;
  ::grpc::ServerContext call_;
  ::grpc::ByteBuffer request_;
  RawService::StreamWriter stream_{&call_};
  MemberEvent<StreamCall, &StreamCall::OnMatched> on_matched_{*this};
  MemberEvent<StreamCall, &StreamCall::OnWritten> on_written_{*this};
  MemberEvent<StreamCall, &StreamCall::OnFinished> on_finished_{*this};
  MemberEvent<StreamCall, &StreamCall::OnCallerDone> on_caller_done_{*this};

  absl::Mutex mutex_;
  std::unique_ptr<door::Subscription> subscription_ ABSL_GUARDED_BY(mutex_);
  std::optional<absl::Status> end_ ABSL_GUARDED_BY(mutex_);
  bool in_wake_list_ ABSL_GUARDED_BY(mutex_) = false;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool finishing_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  bool caller_done_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace ostiary::rpc

#endif  // OSTIARY_SERVER_GRPC_STREAM_CALL_H_

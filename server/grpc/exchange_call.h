#ifndef OSTIARY_SERVER_GRPC_EXCHANGE_CALL_H_
#define OSTIARY_SERVER_GRPC_EXCHANGE_CALL_H_

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <unordered_set>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "google/protobuf/message.h"
#include "grpcpp/completion_queue.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/byte_buffer.h"
#include "server/door/call.h"
#include "server/door/door.h"
#include "server/grpc/event.h"
#include "server/grpc/raw_service.h"
#include "server/grpc/traffic.h"
#include "server/grpc/unary_call.h"

namespace ostiary::rpc {

class ExchangeCall;

// A method whose callers send one request after the other on a stream, each
// answered as a call of its own, and its streams that are open. As many may be
// open as calls may be in flight; one more is answered RESOURCE_EXHAUSTED.
//
// Thread-safe.
class ExchangeMethod {
 public:
  explicit ExchangeMethod(Method method) : method_(std::move(method)) {}
  ExchangeMethod(const ExchangeMethod&) = delete;
  ExchangeMethod& operator=(const ExchangeMethod&) = delete;

  // Serves on `queue`, before it is polled.
  void Arm(Traffic& traffic, ::grpc::ServerCompletionQueue& queue);
  // Ends every stream with UNAVAILABLE, and each one to come.
  void Drain();

 private:
  friend class ExchangeCall;

  // Why the stream cannot be opened.
  absl::Status Add(ExchangeCall& call, int most);
  void Remove(ExchangeCall& call);

  const Method method_;

  absl::Mutex mutex_;
  bool draining_ ABSL_GUARDED_BY(mutex_) = false;
  std::unordered_set<ExchangeCall*> open_ ABSL_GUARDED_BY(mutex_);
};

// One stream: reads a request, answers it, reads the next one. Owns itself,
// from Arm to the last of its events.
class ExchangeCall {
 public:
  // Waits on `queue` for a caller; a matched one arms the next. Nothing once
  // the traffic is closed.
  static void Arm(ExchangeMethod& method, Traffic& traffic,
                  ::grpc::ServerCompletionQueue& queue);

  // Thread-safe. A request that is being answered still gets its answer.
  void End(const absl::Status& status);

 private:
  // What the stream waits for; nothing else is under way with it.
  enum class Stage { kMatching, kReading, kServing, kWriting, kFinishing };

  ExchangeCall(ExchangeMethod& exchanges, Traffic& traffic,
               ::grpc::ServerCompletionQueue& queue);
  ~ExchangeCall() = default;

  void OnMatched(bool ok);
  void OnRead(bool ok);
  void OnWritten(bool ok);
  void OnFinished(bool ok);
  void OnCallerDone(bool ok);
  void Serve();
  absl::Status Admit();
  // On the thread the door answers on.
  void Answer(absl::Status status);
  void Read() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Finish(const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool IsOver() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void DeleteIf(bool over);

  ExchangeMethod& exchanges_;
  const Method& method_;
  Traffic& traffic_;
  ::grpc::ServerCompletionQueue& queue_;
  ::grpc::ServerContext call_;
  RawService::Exchange stream_{&call_};
  MemberEvent<ExchangeCall, &ExchangeCall::OnMatched> on_matched_{*this};
  MemberEvent<ExchangeCall, &ExchangeCall::OnRead> on_read_{*this};
  MemberEvent<ExchangeCall, &ExchangeCall::OnWritten> on_written_{*this};
  MemberEvent<ExchangeCall, &ExchangeCall::OnFinished> on_finished_{*this};
  MemberEvent<ExchangeCall, &ExchangeCall::OnCallerDone> on_caller_done_{*this};

  // Of one request at a time, and of whoever has it.
  ::grpc::ByteBuffer bytes_;
  std::size_t request_size_ = 0;
  std::unique_ptr<google::protobuf::Message> request_;
  door::Reply reply_;
  door::CallContext context_;
  std::atomic<bool> cancelled_{false};

  absl::Mutex mutex_;
  Stage stage_ ABSL_GUARDED_BY(mutex_) = Stage::kMatching;
  std::optional<absl::Status> end_ ABSL_GUARDED_BY(mutex_);
  // A read may still be under way when the stream is finished.
  bool reading_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  bool caller_done_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace ostiary::rpc

#endif  // OSTIARY_SERVER_GRPC_EXCHANGE_CALL_H_

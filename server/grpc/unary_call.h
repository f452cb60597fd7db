#ifndef OSTIARY_SERVER_GRPC_UNARY_CALL_H_
#define OSTIARY_SERVER_GRPC_UNARY_CALL_H_

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "google/protobuf/message.h"
#include "grpcpp/completion_queue.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/byte_buffer.h"
#include "server/door/call.h"
#include "server/door/door.h"
#include "server/grpc/call_context.h"
#include "server/grpc/event.h"
#include "server/grpc/message_bytes.h"
#include "server/grpc/raw_service.h"
#include "server/grpc/traffic.h"
#include "server/grpc/unread_answers.h"

namespace ostiary::rpc {

// Where a method's answer comes from.
enum class Answering {
  kInline,  // before `serve` returns: nobody can cancel in between
  kLane,    // perhaps later, on another thread
};

// One method as the wire sees it.
struct Method {
  // Answers by calling `done` once; the references outlive that call.
  using Serve = std::function<void(const door::CallContext& context,
                                   google::protobuf::Message& request,
                                   door::Reply& reply, door::Door::Done done)>;

  RawService* service = nullptr;
  int index = 0;  // in the service's descriptor
  NewMessage new_request;
  NewMessage new_response;
  Answering answering = Answering::kInline;
  Asked asked = Asked::kWhoCalls;
  std::size_t max_request_bytes = 0;
  int slots = 1;  // calls kept armed on each queue
  Serve serve;
};

class UnaryCall;

// The calls of one method on one queue. Keeps `slots` of them armed: gRPC lets
// a call for which none is armed wait without a bound and without an answer. So
// every matched call arms a replacement, and too many calls meet `Traffic`'s
// bound, which answers.
//
// Fill is called before the queue is polled; everything else on the thread that
// polls it. Must outlive the polling of the queue.
class CallSlots {
 public:
  CallSlots(const Method& method, Traffic& traffic,
            ::grpc::ServerCompletionQueue& queue);
  ~CallSlots();
  CallSlots(const CallSlots&) = delete;
  CallSlots& operator=(const CallSlots&) = delete;

  void Fill();
  // An armed call was matched, or never will be.
  void Disarmed() { --armed_; }
  // `call` is over and may be used again.
  void TakeBack(UnaryCall& call);

  const Method& method() const { return method_; }
  Traffic& traffic() { return traffic_; }
  ::grpc::ServerCompletionQueue& queue() { return queue_; }

 private:
  UnaryCall* FindFree();

  const Method& method_;
  Traffic& traffic_;
  ::grpc::ServerCompletionQueue& queue_;
  const std::size_t most_calls_;
  int armed_ = 0;
  std::vector<std::unique_ptr<UnaryCall>> calls_;
  std::vector<UnaryCall*> free_;
};

// One call at a time of a unary method, used again and again.
//
// Runs on the thread that polls the queue, except for Answer, which is called
// on whatever thread the door answers on.
class UnaryCall final : public Event {
 public:
  // Messages of up to `kept_bytes` keep their memory for the next call.
  UnaryCall(CallSlots& slots, std::size_t kept_bytes);
  UnaryCall(const UnaryCall&) = delete;
  UnaryCall& operator=(const UnaryCall&) = delete;

  // Waits for a caller. Must have joined the traffic.
  void Arm();
  void Proceed(bool ok) override;

 private:
  enum class Stage { kArmed, kServing, kFinishing };

  void Accept();
  absl::Status Begin();
  absl::Status Admit();
  void Serve();
  void Answer(absl::Status status);
  void Finish(const absl::Status& status);
  void OnCallerDone(bool ok);
  void RecycleWhenOver();
  void GiveBack();

  CallSlots& slots_;
  const Method& method_;
  const std::size_t kept_bytes_;
  const bool watches_caller_;
  std::optional<::grpc::ServerContext> call_;
  std::optional<RawService::UnaryWriter> writer_;
  UnreadAnswers::Place unread_;
  ::grpc::ByteBuffer request_bytes_;
  ::grpc::ByteBuffer response_bytes_;
  std::size_t request_size_ = 0;
  std::unique_ptr<google::protobuf::Message> request_;
  door::Reply reply_;
  door::CallContext context_;
  Stage stage_ = Stage::kArmed;
  bool finished_ = false;
  bool caller_done_ = false;
  std::atomic<bool> cancelled_{false};
  MemberEvent<UnaryCall, &UnaryCall::OnCallerDone> on_caller_done_{*this};
};

}  // namespace ostiary::rpc

#endif  // OSTIARY_SERVER_GRPC_UNARY_CALL_H_

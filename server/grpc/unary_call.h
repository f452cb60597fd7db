#ifndef OSTIARY_SERVER_GRPC_UNARY_CALL_H_
#define OSTIARY_SERVER_GRPC_UNARY_CALL_H_

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "google/protobuf/message.h"
#include "grpcpp/completion_queue.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/async_unary_call.h"
#include "server/door/call.h"
#include "server/door/door.h"
#include "server/grpc/event.h"
#include "server/grpc/traffic.h"

namespace ostiary::rpc {

// Where a method's answer comes from.
enum class Answering {
  kInline,  // before `serve` returns: nobody can cancel in between
  kLane,    // perhaps later, on another thread
};

// One method as the wire sees it.
struct Method {
  // Answers by calling `done` once; the references outlive that call.
  using Serve = std::function<void(
      const door::CallContext& context, google::protobuf::Message& request,
      google::protobuf::Message& response, door::Door::Done done)>;

  std::string name;  // "ostiary.v1.AuthService/SignUp"
  Answering answering = Answering::kInline;
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
  using Make = std::function<std::unique_ptr<UnaryCall>(CallSlots&)>;

  CallSlots(const Method& method, Traffic& traffic,
            ::grpc::ServerCompletionQueue& queue, Make make);
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
  const Make make_;
  const std::size_t most_calls_;
  int armed_ = 0;
  std::vector<std::unique_ptr<UnaryCall>> calls_;
  std::vector<UnaryCall*> free_;
};

// One call at a time of a unary method, used again and again. Everything but
// the types of its messages is here.
//
// Runs on the thread that polls the queue, except for Answer, which is called
// on whatever thread the door answers on.
class UnaryCall : public Event {
 public:
  explicit UnaryCall(CallSlots& slots);
  virtual ~UnaryCall() = default;
  UnaryCall(const UnaryCall&) = delete;
  UnaryCall& operator=(const UnaryCall&) = delete;

  // Waits for a caller. Must have joined the traffic.
  void Arm();
  void Proceed(bool ok) final;

 protected:
  ::grpc::ServerCompletionQueue& queue() { return slots_.queue(); }

 private:
  enum class Stage { kArmed, kServing, kFinishing };

  // The typed part: request and response, and what needs to know their types.
  virtual google::protobuf::Message& Request() = 0;
  virtual google::protobuf::Message& Response() = 0;
  virtual void Accept(::grpc::ServerContext& call, void* tag) = 0;
  virtual void Finish(const ::grpc::Status& status, void* tag) = 0;
  virtual void Clear() = 0;

  absl::Status Admit();
  void Serve();
  void Answer(const absl::Status& status);
  void OnCallerDone(bool ok);
  void RecycleWhenOver();
  void GiveBack();

  CallSlots& slots_;
  const bool watches_caller_;
  std::optional<::grpc::ServerContext> call_;
  door::CallContext context_;
  Stage stage_ = Stage::kArmed;
  bool finished_ = false;
  bool caller_done_ = false;
  std::atomic<bool> cancelled_{false};
  MemberEvent<UnaryCall, &UnaryCall::OnCallerDone> on_caller_done_{*this};
};

// `Service` is the generated class that declares the request function, which is
// a base class of AsyncService.
template <typename Service, typename Req, typename Resp>
class TypedUnaryCall final : public UnaryCall {
 public:
  using RequestFunction = void (Service::*)(
      ::grpc::ServerContext*, Req*, ::grpc::ServerAsyncResponseWriter<Resp>*,
      ::grpc::CompletionQueue*, ::grpc::ServerCompletionQueue*, void*);

  TypedUnaryCall(CallSlots& slots, Service& service, RequestFunction function)
      : UnaryCall(slots), service_(service), function_(function) {}

 private:
  google::protobuf::Message& Request() override { return request_; }
  google::protobuf::Message& Response() override { return response_; }

  void Accept(::grpc::ServerContext& call, void* tag) override {
    writer_.emplace(&call);
    (service_.*function_)(&call, &request_, &*writer_, &queue(), &queue(), tag);
  }

  void Finish(const ::grpc::Status& status, void* tag) override {
    if (status.ok()) {
      writer_->Finish(response_, status, tag);
    } else {
      writer_->FinishWithError(status, tag);
    }
  }

  // The cached sizes are those of the last check and the last answer. Buffers
  // of ordinary size are kept for the next call; a large one would stay with
  // every slot for ever.
  void Clear() override {
    constexpr int kKeptBytes = 4096;
    writer_.reset();
    if (request_.GetCachedSize() > kKeptBytes) request_ = Req();
    if (response_.GetCachedSize() > kKeptBytes) response_ = Resp();
    request_.Clear();
    response_.Clear();
  }

  Service& service_;
  const RequestFunction function_;
  std::optional<::grpc::ServerAsyncResponseWriter<Resp>> writer_;
  Req request_;
  Resp response_;
};

}  // namespace ostiary::rpc

#endif  // OSTIARY_SERVER_GRPC_UNARY_CALL_H_

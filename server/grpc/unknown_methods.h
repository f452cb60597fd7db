#ifndef OSTIARY_SERVER_GRPC_UNKNOWN_METHODS_H_
#define OSTIARY_SERVER_GRPC_UNKNOWN_METHODS_H_

#include "grpcpp/completion_queue.h"
#include "grpcpp/generic/async_generic_service.h"
#include "server/grpc/event.h"
#include "server/grpc/traffic.h"

namespace ostiary::rpc {

// A call of a method that no service has, answered METHOD_UNKNOWN. The
// library's own answer has no reason in it, and could meet a queue that has
// just been closed, which aborts the process. Owns itself.
class UnknownMethodCall final : public Event {
 public:
  // Waits on `queue` for a caller; a matched one arms the next. Nothing once
  // the traffic is closed.
  static void Arm(::grpc::AsyncGenericService& service, Traffic& traffic,
                  ::grpc::ServerCompletionQueue& queue);

  void Proceed(bool ok) override;

 private:
  UnknownMethodCall(::grpc::AsyncGenericService& service, Traffic& traffic,
                    ::grpc::ServerCompletionQueue& queue);
  ~UnknownMethodCall() = default;

  ::grpc::AsyncGenericService& service_;
  Traffic& traffic_;
  ::grpc::ServerCompletionQueue& queue_;
  ::grpc::GenericServerContext call_;
  ::grpc::GenericServerAsyncReaderWriter stream_{&call_};
  bool finishing_ = false;
};

}  // namespace ostiary::rpc

#endif  // OSTIARY_SERVER_GRPC_UNKNOWN_METHODS_H_

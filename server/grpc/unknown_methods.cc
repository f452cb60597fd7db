#include "server/grpc/unknown_methods.h"

#include "server/base/reason.h"
#include "server/grpc/call_context.h"

namespace ostiary::rpc {

void UnknownMethodCall::Arm(::grpc::AsyncGenericService& service,
                            Traffic& traffic,
                            ::grpc::ServerCompletionQueue& queue) {
  if (!traffic.Join()) return;
  auto* call = new UnknownMethodCall(service, traffic, queue);
  service.RequestCall(&call->call_, &call->stream_, &queue, &queue,
                      call->Tag());
}

UnknownMethodCall::UnknownMethodCall(::grpc::AsyncGenericService& service,
                                     Traffic& traffic,
                                     ::grpc::ServerCompletionQueue& queue)
    : service_(service), traffic_(traffic), queue_(queue) {}

void UnknownMethodCall::Proceed(bool ok) {
  if (ok && !finishing_) {
    Arm(service_, traffic_, queue_);
    finishing_ = true;
    stream_.Finish(ToGrpcStatus(Refuse(Reason::kMethodUnknown)), Tag());
    return;
  }
  Traffic& traffic = traffic_;
  delete this;
  traffic.Leave();
}

}  // namespace ostiary::rpc

#include "server/grpc/raw_service.h"

#include "absl/strings/str_cat.h"
#include "grpcpp/impl/rpc_service_method.h"

namespace ostiary::rpc {
namespace {

using ::grpc::internal::RpcMethod;

RpcMethod::RpcType TypeOf(const google::protobuf::MethodDescriptor& method) {
  if (!method.server_streaming()) return RpcMethod::NORMAL_RPC;
  return method.client_streaming() ? RpcMethod::BIDI_STREAMING
                                   : RpcMethod::SERVER_STREAMING;
}

}  // namespace

RawService::RawService(const google::protobuf::ServiceDescriptor& described)
    : described_(described) {
  for (int i = 0; i < described.method_count(); ++i) {
    paths_.push_back(absl::StrCat("/", described.full_name(), "/",
                                  described.method(i)->name()));
  }
  for (int i = 0; i < described.method_count(); ++i) {
    // The base class deletes it.
    AddMethod(new ::grpc::internal::RpcServiceMethod(
        paths_[static_cast<std::size_t>(i)].c_str(),
        TypeOf(*described.method(i)), nullptr));
    MarkMethodRaw(i);
  }
}

void RawService::RequestUnary(int index, ::grpc::ServerContext& call,
                              ::grpc::ByteBuffer& request, UnaryWriter& writer,
                              ::grpc::ServerCompletionQueue& queue, void* tag) {
  RequestAsyncUnary(index, &call, &request, &writer, &queue, &queue, tag);
}

void RawService::RequestStream(int index, ::grpc::ServerContext& call,
                               ::grpc::ByteBuffer& request,
                               StreamWriter& writer,
                               ::grpc::ServerCompletionQueue& queue,
                               void* tag) {
  RequestAsyncServerStreaming(index, &call, &request, &writer, &queue, &queue,
                              tag);
}

void RawService::RequestExchange(int index, ::grpc::ServerContext& call,
                                 Exchange& exchange,
                                 ::grpc::ServerCompletionQueue& queue,
                                 void* tag) {
  RequestAsyncBidiStreaming(index, &call, &exchange, &queue, &queue, tag);
}

}  // namespace ostiary::rpc

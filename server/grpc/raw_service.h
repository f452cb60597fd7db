#ifndef OSTIARY_SERVER_GRPC_RAW_SERVICE_H_
#define OSTIARY_SERVER_GRPC_RAW_SERVICE_H_

#include <string>
#include <vector>

#include "google/protobuf/descriptor.h"
#include "grpcpp/completion_queue.h"
#include "grpcpp/impl/service_type.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/async_stream.h"
#include "grpcpp/support/async_unary_call.h"
#include "grpcpp/support/byte_buffer.h"

namespace ostiary::rpc {

// A service whose messages are bytes to the library, made from its descriptor.
// So bytes that are no message get our answer, with a reason, instead of the
// library's; and one buffer can be sent to any number of callers.
//
// Every method is asynchronous and must have a call armed on each queue that is
// polled: one without hangs its callers.
class RawService final : public ::grpc::Service {
 public:
  using UnaryWriter = ::grpc::ServerAsyncResponseWriter<::grpc::ByteBuffer>;
  using StreamWriter = ::grpc::ServerAsyncWriter<::grpc::ByteBuffer>;
  using Exchange =
      ::grpc::ServerAsyncReaderWriter<::grpc::ByteBuffer, ::grpc::ByteBuffer>;

  // `described` must outlive this. Methods to which callers stream one answer's
  // worth of requests are none of ours.
  explicit RawService(const google::protobuf::ServiceDescriptor& described);

  const google::protobuf::ServiceDescriptor& described() const {
    return described_;
  }

  // Ask for the next call of the method at `index` of the descriptor.
  void RequestUnary(int index, ::grpc::ServerContext& call,
                    ::grpc::ByteBuffer& request, UnaryWriter& writer,
                    ::grpc::ServerCompletionQueue& queue, void* tag);
  void RequestStream(int index, ::grpc::ServerContext& call,
                     ::grpc::ByteBuffer& request, StreamWriter& writer,
                     ::grpc::ServerCompletionQueue& queue, void* tag);
  void RequestExchange(int index, ::grpc::ServerContext& call,
                       Exchange& exchange, ::grpc::ServerCompletionQueue& queue,
                       void* tag);

 private:
  const google::protobuf::ServiceDescriptor& described_;
  // "/ostiary.v1.AuthService/SignUp"; the library keeps pointers into them.
  std::vector<std::string> paths_;
};

}  // namespace ostiary::rpc

#endif  // OSTIARY_SERVER_GRPC_RAW_SERVICE_H_

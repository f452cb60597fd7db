#ifndef OSTIARY_SERVER_GRPC_MESSAGE_BYTES_H_
#define OSTIARY_SERVER_GRPC_MESSAGE_BYTES_H_

#include <cstddef>

#include "absl/status/status.h"
#include "google/protobuf/message.h"
#include "grpcpp/support/byte_buffer.h"

namespace ostiary::rpc {

// REQUEST_TOO_LARGE before a byte is looked at; ARGUMENT_INVALID if the bytes
// are no such message. Empties `bytes`.
absl::Status ParseMessage(::grpc::ByteBuffer& bytes, std::size_t max_bytes,
                          google::protobuf::Message& message);

// INTERNAL if it does not fit into a message of gRPC.
absl::Status SerializeMessage(const google::protobuf::Message& message,
                              ::grpc::ByteBuffer& bytes);

}  // namespace ostiary::rpc

#endif  // OSTIARY_SERVER_GRPC_MESSAGE_BYTES_H_

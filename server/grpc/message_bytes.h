#ifndef OSTIARY_SERVER_GRPC_MESSAGE_BYTES_H_
#define OSTIARY_SERVER_GRPC_MESSAGE_BYTES_H_

#include <cstddef>
#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "google/protobuf/message.h"
#include "grpcpp/support/byte_buffer.h"
#include "server/door/door.h"

namespace ostiary::rpc {

// What becomes of the bytes of a request once they have been parsed. They lie
// in a buffer that gRPC keeps for as long as the connection reads into the rest
// of it: what was a password there would stay.
enum class Remains { kStay, kAreWiped };

// REQUEST_TOO_LARGE before a byte is looked at; ARGUMENT_INVALID if the bytes
// are no such message. Empties `bytes`.
absl::Status ParseMessage(::grpc::ByteBuffer& bytes, std::size_t max_bytes,
                          Remains remains, google::protobuf::Message& message);

// Empties `bytes`, which nobody parses.
void Discard(::grpc::ByteBuffer& bytes, Remains remains);

// INTERNAL if it does not fit into a message of gRPC.
absl::Status SerializeReply(const door::Reply& reply,
                            ::grpc::ByteBuffer& bytes);

using NewMessage = std::function<std::unique_ptr<google::protobuf::Message>()>;

// Empties `message`, whose last content took `wire_bytes`, for the next one.
// Its memory stays with it up to `most_kept` bytes: few bytes on the wire can
// be large in memory.
void Recycle(const NewMessage& make, std::size_t wire_bytes,
             std::size_t most_kept,
             std::unique_ptr<google::protobuf::Message>& message);
void Recycle(std::size_t most_kept, std::string& encoded);

}  // namespace ostiary::rpc

#endif  // OSTIARY_SERVER_GRPC_MESSAGE_BYTES_H_

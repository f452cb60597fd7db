#include "server/grpc/message_bytes.h"

#include "absl/strings/str_cat.h"
#include "grpcpp/impl/codegen/proto_utils.h"
#include "server/base/reason.h"

namespace ostiary::rpc {
namespace {

using Traits = ::grpc::SerializationTraits<google::protobuf::Message>;

}  // namespace

absl::Status ParseMessage(::grpc::ByteBuffer& bytes, std::size_t max_bytes,
                          google::protobuf::Message& message) {
  if (bytes.Length() > max_bytes) {
    bytes.Clear();
    return Refuse(Reason::kRequestTooLarge);
  }
  const bool parsed = Traits::Deserialize(&bytes, &message).ok();
  bytes.Clear();
  if (parsed) return absl::OkStatus();
  return Refuse(Reason::kArgumentInvalid,
                absl::StrCat("The request is no message of type ",
                             message.GetTypeName(), "."));
}

absl::Status SerializeMessage(const google::protobuf::Message& message,
                              ::grpc::ByteBuffer& bytes) {
  bool owned = false;
  const ::grpc::Status status = Traits::Serialize(message, &bytes, &owned);
  if (status.ok()) return absl::OkStatus();
  return absl::InternalError(
      absl::StrCat("cannot serialize a ", message.GetTypeName()));
}

}  // namespace ostiary::rpc

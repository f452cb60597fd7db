#include "server/grpc/message_bytes.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "absl/strings/str_cat.h"
#include "grpcpp/impl/codegen/proto_utils.h"
#include "server/base/reason.h"

namespace ostiary::rpc {
namespace {

using Traits = ::grpc::SerializationTraits<google::protobuf::Message>;

using Slices = std::vector<::grpc::Slice>;

Slices SlicesToWipe(const ::grpc::ByteBuffer& bytes, Remains remains) {
  Slices slices;
  if (remains == Remains::kAreWiped) (void)bytes.Dump(&slices);
  return slices;
}

// Nobody else reads these bytes: they are this message's part of the buffer.
void Overwrite(const Slices& slices) {
  for (const ::grpc::Slice& slice : slices) {
    OPENSSL_cleanse(const_cast<std::uint8_t*>(slice.begin()), slice.size());
  }
}

}  // namespace

void Discard(::grpc::ByteBuffer& bytes, Remains remains) {
  const Slices slices = SlicesToWipe(bytes, remains);
  bytes.Clear();
  Overwrite(slices);
}

absl::Status ParseMessage(::grpc::ByteBuffer& bytes, std::size_t max_bytes,
                          Remains remains, google::protobuf::Message& message) {
  if (bytes.Length() > max_bytes) {
    Discard(bytes, remains);
    return Refuse(Reason::kRequestTooLarge);
  }
  const Slices slices =
      SlicesToWipe(bytes, remains);  // parsing lets go of them
  const bool parsed = Traits::Deserialize(&bytes, &message).ok();
  bytes.Clear();
  Overwrite(slices);
  if (parsed) return absl::OkStatus();
  return Refuse(Reason::kArgumentInvalid,
                absl::StrCat("The request is no message of type ",
                             message.GetTypeName(), "."));
}

absl::Status SerializeReply(const door::Reply& reply,
                            ::grpc::ByteBuffer& bytes) {
  if (!reply.encoded.empty()) {
    const ::grpc::Slice slice(reply.encoded);
    bytes = ::grpc::ByteBuffer(&slice, 1);
    return absl::OkStatus();
  }
  bool owned = false;
  const ::grpc::Status status =
      Traits::Serialize(*reply.message, &bytes, &owned);
  if (status.ok()) return absl::OkStatus();
  return absl::InternalError(
      absl::StrCat("cannot serialize a ", reply.message->GetTypeName()));
}

void Recycle(const NewMessage& make, std::size_t wire_bytes,
             std::size_t most_kept,
             std::unique_ptr<google::protobuf::Message>& message) {
  // So few are at most some 80 KiB in memory. Asking a message how large it is
  // costs a walk through it.
  constexpr std::size_t kHarmless = 4096;
  const bool keep =
      wire_bytes <= std::min(kHarmless, most_kept) ||
      (wire_bytes <= most_kept && message->SpaceUsedLong() <= 2 * most_kept);
  if (keep) {
    message->Clear();
  } else {
    message = make();
  }
}

void Recycle(std::size_t most_kept, std::string& encoded) {
  encoded.clear();
  if (encoded.capacity() > most_kept) std::string().swap(encoded);
}

}  // namespace ostiary::rpc

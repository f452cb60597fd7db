// Connect's JSON: the first byte chooses a request message of the contract,
// the rest is its JSON. Whatever is taken can be printed and read again, and
// is then the same message; nothing takes longer than its size allows.

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "ostiary/v1/account_service.pb.h"
#include "ostiary/v1/admin_service.pb.h"
#include "ostiary/v1/auth_service.pb.h"
#include "ostiary/v1/key_service.pb.h"
#include "ostiary/v1/revocation_service.pb.h"
#include "ostiary/v1/session_service.pb.h"
#include "ostiary/v1/token_service.pb.h"
#include "server/http/json.h"

namespace {

using google::protobuf::Message;

void Require(bool held, const char* rule) {
  if (held) return;
  std::cerr << "broken: " << rule << std::endl;
  std::abort();
}

// Every message of the contract, in a fixed order.
const std::vector<const Message*>& Messages() {
  static const auto& all = *new std::vector<const Message*>([] {
    std::vector<const Message*> messages;
    for (const auto* file :
         {ostiary::v1::SignUpRequest::descriptor()->file(),
          ostiary::v1::VerifyRequest::descriptor()->file(),
          ostiary::v1::WatchRequest::descriptor()->file(),
          ostiary::v1::GetJwksRequest::descriptor()->file(),
          ostiary::v1::CreateAccountRequest::descriptor()->file(),
          ostiary::v1::ListSessionsRequest::descriptor()->file(),
          ostiary::v1::GetServerInfoRequest::descriptor()->file()}) {
      for (int i = 0; i < file->message_type_count(); ++i) {
        messages.push_back(
            google::protobuf::MessageFactory::generated_factory()->GetPrototype(
                file->message_type(i)));
      }
    }
    return messages;
  }());
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  if (size == 0) return 0;
  const Message* prototype = Messages()[data[0] % Messages().size()];
  const absl::string_view text(reinterpret_cast<const char*>(data) + 1,
                               size - 1);
  const std::unique_ptr<Message> message(prototype->New());
  if (!ostiary::http::ParseJson(text, *message).ok()) return 0;
  const std::string printed = ostiary::http::PrintJson(*message);
  const std::unique_ptr<Message> again(prototype->New());
  Require(ostiary::http::ParseJson(printed, *again).ok(),
          "what was taken can be printed and read");
  Require(ostiary::http::PrintJson(*again) == printed,
          "and is the same message");
  return 0;
}

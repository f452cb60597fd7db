#include "server/http/error_detail.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <memory>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "google/rpc/error_details.pb.h"
#include "server/http/json.h"
#include "server/http/json_text.h"

namespace ostiary::http {
namespace {

namespace pb = google::protobuf;

std::string WithoutPadding(std::string base64) {
  while (!base64.empty() && base64.back() == '=') base64.pop_back();
  return base64;
}

// For eyes: the detail as JSON beside its bytes. Clients do not read it.
void AppendDebug(const std::string& type_name, const pb::Any& detail,
                 std::string& out) {
  const pb::Descriptor* const type =
      pb::DescriptorPool::generated_pool()->FindMessageTypeByName(type_name);
  if (type == nullptr) return;
  const std::unique_ptr<pb::Message> message(
      pb::MessageFactory::generated_factory()->GetPrototype(type)->New());
  if (!detail.UnpackTo(message.get())) return;
  absl::StrAppend(&out, ",\"debug\":", PrintJson(*message));
}

}  // namespace

void AppendDetail(const pb::Any& detail, std::string& out) {
  std::string type_name = detail.type_url();
  type_name.erase(0, type_name.rfind('/') + 1);
  out.append("{\"type\":");
  AppendJsonString(type_name, out);
  out.append(",\"value\":");
  AppendJsonString(WithoutPadding(absl::Base64Escape(detail.value())), out);
  AppendDebug(type_name, detail, out);
  out.push_back('}');
}

void AppendErrorInfo(absl::string_view reason, std::string& out) {
  google::rpc::ErrorInfo info;
  info.set_reason(reason.data(), reason.size());
  info.set_domain("ostiary");
  pb::Any detail;
  detail.PackFrom(info);
  AppendDetail(detail, out);
}

}  // namespace ostiary::http

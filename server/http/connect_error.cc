#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "google/rpc/status.pb.h"
#include "server/base/reason.h"
#include "server/door/errors.h"
#include "server/http/connect.h"
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

std::string ErrorBody(const google::rpc::Status& error) {
  std::string out = "{\"code\":";
  AppendJsonString(
      door::ConnectCodeName(static_cast<absl::StatusCode>(error.code())), out);
  out.append(",\"message\":");
  AppendJsonString(error.message(), out);
  out.append(",\"details\":[");
  for (int i = 0; i < error.details_size(); ++i) {
    if (i > 0) out.push_back(',');
    AppendDetail(error.details(i), out);
  }
  out.append("]}");
  return out;
}

std::string Challenge(Reason reason) {
  return reason == Reason::kAccessTokenRejected
             ? "Bearer realm=\"ostiary\", error=\"invalid_token\""
             : "Bearer realm=\"ostiary\"";
}

std::int64_t WholeSeconds(absl::Duration delay) {
  return absl::ToInt64Seconds(absl::Ceil(delay, absl::Seconds(1)));
}

}  // namespace

Response ConnectError(const absl::Status& status) {
  const google::rpc::Status error = door::ToRpcStatus(status);
  const Reason reason = ReasonOf(status);
  Response response;
  response.status =
      reason == Reason::kRequestTooLarge
          ? 413
          : door::HttpStatusOf(static_cast<absl::StatusCode>(error.code()));
  response.headers = {{"Content-Type", "application/json"},
                      {"Cache-Control", "no-store"}};
  if (response.status == 401)
    response.headers.push_back({"WWW-Authenticate", Challenge(reason)});
  const absl::Duration delay = RetryAfterOf(status);
  if (delay > absl::ZeroDuration()) {
    response.headers.push_back(
        {"Retry-After", absl::StrCat(WholeSeconds(delay))});
  }
  response.body = ErrorBody(error);
  return response;
}

}  // namespace ostiary::http

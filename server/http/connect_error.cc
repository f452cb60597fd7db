#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "google/rpc/status.pb.h"
#include "server/base/reason.h"
#include "server/door/errors.h"
#include "server/http/connect.h"
#include "server/http/error_detail.h"
#include "server/http/json_text.h"

namespace ostiary::http {
namespace {

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

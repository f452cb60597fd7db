#include "server/http/connect.h"

#include <google/protobuf/message.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "server/base/reason.h"
#include "server/http/json.h"

namespace ostiary::http {
namespace {

namespace pb = google::protobuf;

enum class Codec { kJson, kProto };

// One call from its request to its answer.
struct Call {
  Codec codec = Codec::kJson;
  door::CallContext context;
  std::unique_ptr<pb::Message> request;
  door::Reply reply;
  Handler::Done done;
};

// Of "application/json; charset=utf-8" the first part.
std::optional<Codec> CodecOf(absl::string_view content_type) {
  const absl::string_view type = absl::StripAsciiWhitespace(
      content_type.substr(0, content_type.find(';')));
  if (absl::EqualsIgnoreCase(type, "application/json")) return Codec::kJson;
  if (absl::EqualsIgnoreCase(type, "application/proto")) return Codec::kProto;
  return std::nullopt;
}

absl::string_view ContentTypeOf(Codec codec) {
  return codec == Codec::kJson ? "application/json" : "application/proto";
}

Response UnsupportedType() {
  Response response =
      ConnectError(Refuse(Reason::kArgumentInvalid,
                          "The Content-Type must be application/json or "
                          "application/proto. With curl, use --json."));
  response.status = 415;
  response.headers.push_back(
      {"Accept-Post", "application/json, application/proto"});
  return response;
}

// A few compressed bytes can become any number of plain ones, and no request
// here is large enough to be worth it.
Response UnsupportedCoding() {
  Response response =
      ConnectError(Refuse(Reason::kMethodUnknown,
                          "Compressed bodies are not accepted: the only "
                          "Content-Encoding known here is identity."));
  response.status = 415;
  response.headers.push_back({"Accept-Encoding", "identity"});
  return response;
}

// The whole header, should a chain of proxies have sent several.
std::string Joined(const Request& request, absl::string_view name) {
  std::string out;
  for (const Header& header : request.headers) {
    if (absl::string_view(header.name) != name) continue;
    absl::StrAppend(&out, out.empty() ? "" : ", ", header.value);
  }
  return out;
}

// At most ten digits, by the protocol.
absl::StatusOr<absl::Duration> ParseTimeout(const Request& request) {
  const absl::string_view text = request.Get("connect-timeout-ms");
  if (text.empty()) return absl::InfiniteDuration();
  const bool digits = std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isdigit(static_cast<unsigned char>(c));
  });
  std::int64_t millis = 0;
  if (!digits || text.size() > 10 || !absl::SimpleAtoi(text, &millis)) {
    return Refuse(Reason::kArgumentInvalid,
                  "Connect-Timeout-Ms must be a number of at most ten digits.");
  }
  return absl::Milliseconds(millis);
}

absl::Status CheckProtocol(const Request& request) {
  const absl::string_view version = request.Get("connect-protocol-version");
  if (version.empty() || version == "1") return absl::OkStatus();
  return Refuse(Reason::kArgumentInvalid,
                "Connect-Protocol-Version must be 1.");
}

absl::Status Parse(Codec codec, absl::string_view body, pb::Message& message) {
  if (codec == Codec::kJson) return ParseJson(body, message);
  if (message.ParseFromArray(body.data(), static_cast<int>(body.size())))
    return absl::OkStatus();
  return Refuse(Reason::kArgumentInvalid,
                "The body is not a message of this method.");
}

absl::Status Prepare(const door::MethodRow& row, const Clock& clock,
                     const Request& request, Call& call) {
  if (absl::Status s = CheckProtocol(request); !s.ok()) return s;
  const absl::StatusOr<absl::Duration> timeout = ParseTimeout(request);
  if (!timeout.ok()) return timeout.status();
  call.context.listener = door::Listener::kHttp;
  call.context.peer_address = request.peer_address;
  call.context.forwarded_for = Joined(request, "x-forwarded-for");
  call.context.authorization = std::string(request.Get("authorization"));
  call.context.user_agent = std::string(request.Get("user-agent"));
  call.context.deadline =
      clock.Now() + std::min(*timeout, request.time_to_answer);
  call.context.cancelled = request.cancelled;
  if (request.body.size() > row.max_request_bytes)
    return Refuse(Reason::kRequestTooLarge);
  return Parse(call.codec, request.body.Reveal(), *call.request);
}

std::string BodyOf(const Call& call) {
  const door::Reply& reply = call.reply;
  if (call.codec == Codec::kJson) {
    // Our own bytes.
    if (!reply.encoded.empty()) reply.message->ParseFromString(reply.encoded);
    return PrintJson(*reply.message);
  }
  return reply.encoded.empty() ? reply.message->SerializeAsString()
                               : reply.encoded;
}

Response AnswerTo(const Call& call, const absl::Status& status) {
  if (!status.ok()) return ConnectError(status);
  Response response;
  response.headers = {{"Content-Type", std::string(ContentTypeOf(call.codec))},
                      {"Cache-Control", "no-store"}};
  response.body = BodyOf(call);
  return response;
}

}  // namespace

absl::Duration TimeoutOf(const Request& request) {
  const absl::StatusOr<absl::Duration> timeout = ParseTimeout(request);
  return timeout.ok() ? *timeout : absl::InfiniteDuration();
}

void ServeConnect(door::Door& door, const door::MethodRow& row,
                  const Clock& clock, Request request, Handler::Done done) {
  const std::optional<Codec> codec = CodecOf(request.Get("content-type"));
  if (!codec.has_value()) return done(UnsupportedType());
  const absl::string_view coding = request.Get("content-encoding");
  if (!coding.empty() && !absl::EqualsIgnoreCase(coding, "identity"))
    return done(UnsupportedCoding());

  const auto call = std::make_shared<Call>();
  call->codec = *codec;
  call->request = door.NewRequest(row);
  call->reply.message = door.NewResponse(row);
  if (absl::Status s = Prepare(row, clock, request, *call); !s.ok())
    return done(ConnectError(s));
  request.body = SecretBytes();  // wiped before the call begins
  call->done = std::move(done);
  door.Dispatch(
      row, call->context, *call->request, call->reply,
      [call](absl::Status status) { call->done(AnswerTo(*call, status)); });
}

}  // namespace ostiary::http

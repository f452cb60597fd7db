#include <limits>
#include <optional>
#include <string>

#include "client/revocation/revision.h"
#include "ostiary/v1/token_service.pb.h"
#include "server/base/reason.h"
#include "server/door/messages.h"
#include "server/door/methods.h"

namespace ostiary::door {
namespace {

constexpr int kMaxBatch = 100;
// More signatures than this would hold up the wire's thread.
constexpr int kMaxInlineSignatures = 8;
constexpr std::size_t kMaxIdBytes = 128;

// What the requests of Verify, BatchVerify and VerifyStream are judged with.
struct Judge {
  TokenFlows flows;
  // Of a request that asks for nothing in particular, as most do.
  jwt::Expectations usual;
};

bool IsUsual(const v1::VerifyRequest& request) {
  return request.audience().empty() && !request.any_audience() &&
         request.required_scopes().empty() && request.required_roles().empty();
}

absl::StatusOr<jwt::Expectations> ExpectationsOf(
    const v1::VerifyRequest& request, const std::string& default_audience) {
  if (request.any_audience() && !request.audience().empty()) {
    return RefuseField("any_audience",
                       "must not be set together with audience");
  }
  const std::string& named =
      request.audience().empty() ? default_audience : request.audience();
  jwt::Expectations expectations{request.any_audience()
                                     ? jwt::Audience::Any()
                                     : jwt::Audience::Exactly(named)};
  expectations.required_scopes.assign(request.required_scopes().begin(),
                                      request.required_scopes().end());
  expectations.required_roles.assign(request.required_roles().begin(),
                                     request.required_roles().end());
  return expectations;
}

// How many signatures may still be checked where we are.
using Signatures = int;
constexpr Signatures kAnyNumber = std::numeric_limits<Signatures>::max();

// Nothing if it would take a signature more than there are `left`.
std::optional<flow::Verify::Answer> JudgeToken(
    const flow::Verify& verify, const std::string& token,
    const jwt::Expectations& expectations, Signatures& left) {
  if (left == kAnyNumber) return verify.Judge(token, expectations);
  if (auto known = verify.JudgeKnown(token, expectations)) return known;
  if (--left < 0) return std::nullopt;
  return verify.Judge(token, expectations);
}

absl::StatusOr<std::optional<flow::Verify::Answer>> JudgeRequest(
    const Judge& judge, const v1::VerifyRequest& request, Signatures& left) {
  const flow::Verify& verify = judge.flows.verify;
  if (auto status = verify.CheckRevision(request.min_revision()); !status.ok())
    return status;
  if (IsUsual(request))
    return JudgeToken(verify, request.token(), judge.usual, left);
  const auto expectations =
      ExpectationsOf(request, judge.flows.default_audience);
  if (!expectations.ok()) return expectations.status();
  return JudgeToken(verify, request.token(), *expectations, left);
}

std::string EncodedRefusal(jwt::Rejection rejection) {
  const absl::string_view name = jwt::RejectionName(rejection);
  v1::VerifyResponse response;
  response.set_reason(name.data(), name.size());
  return response.SerializeAsString();
}

absl::Status Verify(const Judge& judge, const v1::VerifyRequest& request,
                    std::string& encoded) {
  Signatures left = kAnyNumber;
  const auto answer = JudgeRequest(judge, request, left);
  if (!answer.ok()) return answer.status();
  const flow::Verify::Answer& verdict = **answer;
  if (verdict.rejection.has_value()) {
    encoded = EncodedRefusal(*verdict.rejection);
  } else {
    encoded.append(verdict.encoded.data(), verdict.encoded.size());
  }
  return absl::OkStatus();
}

// One of `responses`, number 1 in the responses of BatchVerify and
// VerifyStream.
void AppendResponse(absl::string_view response, std::string& encoded) {
  constexpr char kResponsesTag = 1 << 3 | 2;  // length-delimited
  encoded.push_back(kResponsesTag);
  std::size_t size = response.size();
  for (; size > 0x7f; size >>= 7)
    encoded.push_back(static_cast<char>(size | 0x80));
  encoded.push_back(static_cast<char>(size));
  encoded.append(response.data(), response.size());
}

// Nothing, and `encoded` is empty again, if there are too many signatures to
// check.
template <typename Request>
std::optional<absl::Status> VerifyAll(const Judge& judge,
                                      const Request& request, Signatures left,
                                      std::string& encoded) {
  if (request.requests().empty() || request.requests_size() > kMaxBatch)
    return RefuseField("requests", "must hold 1 to 100 requests");
  for (const v1::VerifyRequest& one : request.requests()) {
    const auto answer = JudgeRequest(judge, one, left);
    if (!answer.ok()) return answer.status();
    if (!answer->has_value()) {
      encoded.clear();
      return std::nullopt;
    }
    const flow::Verify::Answer& verdict = **answer;
    if (verdict.rejection.has_value()) {
      AppendResponse(EncodedRefusal(*verdict.rejection), encoded);
    } else {
      AppendResponse(verdict.encoded, encoded);
    }
  }
  return absl::OkStatus();
}

template <typename Request>
MethodBook::Encoder<Request> BatchEncoder(const Judge& judge) {
  return {[judge](const Request& request, std::string& encoded) {
            return *VerifyAll(judge, request, kAnyNumber, encoded);
          },
          [judge](const Request& request, std::string& encoded) {
            return VerifyAll(judge, request, kMaxInlineSignatures, encoded);
          }};
}

absl::StatusOr<std::string> RevokeTarget(const TokenFlows& flows,
                                         const flow::Caller& caller,
                                         const v1::RevokeRequest& request) {
  const std::string& reason = request.reason();
  const bool known = caller.is_operator() || caller.account_id.has_value();
  switch (request.target_case()) {
    case v1::RevokeRequest::kToken:
      return flows.revoke.Token(caller, request.token(), reason);
    case v1::RevokeRequest::kSessionId:
      if (!known) return Refuse(Reason::kUnauthenticated);
      return flows.sessions.Revoke(caller, request.session_id(), reason);
    case v1::RevokeRequest::kAccountId:
      if (!known) return Refuse(Reason::kUnauthenticated);
      if (request.account_id().empty())
        return RefuseField("account_id", "must not be empty");
      return flows.sessions.RevokeAll(caller, request.account_id(), reason);
    case v1::RevokeRequest::kClientId:
      if (!caller.is_operator()) {
        return Refuse(known ? Reason::kPermissionDenied
                            : Reason::kUnauthenticated);
      }
      if (request.client_id().empty() ||
          request.client_id().size() > kMaxIdBytes) {
        return RefuseField("client_id", "must be 1 to 128 bytes long");
      }
      return flows.revoke.Client(caller, request.client_id(), reason);
    case v1::RevokeRequest::kKeyId: {
      if (!caller.is_operator()) {
        return Refuse(known ? Reason::kPermissionDenied
                            : Reason::kUnauthenticated);
      }
      const absl::Time now = flows.clock.Now();
      const auto revoked = flows.keys.Revoke(request.key_id(), reason,
                                             caller.Did("", "", now).Row());
      if (!revoked.ok()) return revoked.status();
      return revocation::FormatRevision({revoked->epoch, revoked->sequence});
    }
    case v1::RevokeRequest::TARGET_NOT_SET:
      return RefuseField(
          "target",
          "one of token, session_id, account_id, client_id, key_id is needed");
  }
  return RefuseField("target", "is not known");
}

absl::Status Revoke(const TokenFlows& flows, const flow::Caller& caller,
                    const v1::RevokeRequest& request,
                    v1::RevokeResponse& response) {
  if (auto status = CheckReason(request.reason()); !status.ok()) {
    return status;
  }
  const auto revision = RevokeTarget(flows, caller, request);
  if (!revision.ok()) return revision.status();
  response.set_revision(*revision);
  return absl::OkStatus();
}

}  // namespace

void ServeTokens(const TokenFlows& flows, MethodBook& book) {
  const Judge judge{flows, {jwt::Audience::Exactly(flows.default_audience)}};
  book.ServeEncoded<v1::VerifyRequest, v1::VerifyResponse>(
      "ostiary.v1.TokenService/Verify",
      {[judge](const auto& request, std::string& encoded) {
         return Verify(judge, request, encoded);
       },
       nullptr});
  book.ServeEncoded<v1::BatchVerifyRequest, v1::BatchVerifyResponse>(
      "ostiary.v1.TokenService/BatchVerify",
      BatchEncoder<v1::BatchVerifyRequest>(judge));
  book.ServeExchange<v1::VerifyStreamRequest, v1::VerifyStreamResponse>(
      "ostiary.v1.TokenService/VerifyStream",
      BatchEncoder<v1::VerifyStreamRequest>(judge));
  book.Serve<v1::RevokeRequest, v1::RevokeResponse>(
      "ostiary.v1.TokenService/Revoke",
      [flows](const auto& caller, auto& request, auto& response) {
        return Revoke(flows, caller, request, response);
      });
}

}  // namespace ostiary::door

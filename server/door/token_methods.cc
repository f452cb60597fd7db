#include <algorithm>

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

absl::Status Verify(const TokenFlows& flows, const v1::VerifyRequest& request,
                    v1::VerifyResponse& response) {
  const auto expectations = ExpectationsOf(request, flows.default_audience);
  if (!expectations.ok()) return expectations.status();
  if (auto status = flows.verify.CheckRevision(request.min_revision());
      !status.ok()) {
    return status;
  }
  const flow::Verify::Answer answer =
      flows.verify.Judge(request.token(), *expectations);
  if (answer.rejection.has_value()) {
    const absl::string_view name = jwt::RejectionName(*answer.rejection);
    response.set_reason(name.data(), name.size());
    return absl::OkStatus();
  }
  response.set_valid(true);
  ToMessage(answer.token->claims(), *response.mutable_claims());
  return absl::OkStatus();
}

absl::Status BatchVerify(const TokenFlows& flows,
                         const v1::BatchVerifyRequest& request,
                         v1::BatchVerifyResponse& response) {
  if (request.requests().empty() || request.requests_size() > kMaxBatch) {
    return RefuseField("requests", "must hold 1 to 100 requests");
  }
  for (const v1::VerifyRequest& one : request.requests()) {
    if (auto status = Verify(flows, one, *response.add_responses());
        !status.ok())
      return status;
  }
  return absl::OkStatus();
}

LaneName LaneForBatch(const flow::Verify& verify,
                      const v1::BatchVerifyRequest& request) {
  if (request.requests_size() <= kMaxInlineSignatures) return LaneName::kInline;
  if (request.requests_size() > kMaxBatch)
    return LaneName::kInline;  // to be refused
  int signatures = 0;
  for (const v1::VerifyRequest& one : request.requests()) {
    signatures += verify.IsCached(one.token()) ? 0 : 1;
  }
  return signatures <= kMaxInlineSignatures ? LaneName::kInline
                                            : LaneName::kStore;
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
      const auto revoked = flows.keys.Revoke(
          request.key_id(), reason, caller.Did("", "", now).Row(), now);
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
  book.Serve<v1::VerifyRequest, v1::VerifyResponse>(
      "ostiary.v1.TokenService/Verify",
      [flows](const auto&, auto& request, auto& response) {
        return Verify(flows, request, response);
      });
  book.Serve<v1::BatchVerifyRequest, v1::BatchVerifyResponse>(
      "ostiary.v1.TokenService/BatchVerify",
      [flows](const auto&, auto& request, auto& response) {
        return BatchVerify(flows, request, response);
      },
      [&verify = flows.verify](const auto& request) {
        return LaneForBatch(verify, request);
      });
  book.Serve<v1::RevokeRequest, v1::RevokeResponse>(
      "ostiary.v1.TokenService/Revoke",
      [flows](const auto& caller, auto& request, auto& response) {
        return Revoke(flows, caller, request, response);
      });
}

}  // namespace ostiary::door

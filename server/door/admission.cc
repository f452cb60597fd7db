#include "server/door/admission.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "server/account/roles.h"
#include "server/base/reason.h"

namespace ostiary::door {
namespace {

constexpr std::size_t kMaxUserAgentBytes = 256;
constexpr std::size_t kMaxForwardedBytes = 1024;
// No caller makes us work longer than this, whatever deadline it names.
constexpr absl::Duration kLongestCall = absl::Seconds(20);

// The token of "Bearer TOKEN" (the scheme in any case, RFC 9110 11.1).
std::optional<absl::string_view> BearerToken(absl::string_view header) {
  constexpr absl::string_view kScheme = "bearer ";
  if (!absl::StartsWithIgnoreCase(header, kScheme)) return std::nullopt;
  header.remove_prefix(kScheme.size());
  header = absl::StripAsciiWhitespace(header);
  if (header.empty()) return std::nullopt;
  return header;
}

// Kept with the session and shown to people: printable ASCII, bounded.
std::string SafeUserAgent(absl::string_view text) {
  std::string safe(text.substr(0, kMaxUserAgentBytes));
  std::replace_if(
      safe.begin(), safe.end(), [](char c) { return c < 0x20 || c > 0x7e; },
      '?');
  return safe;
}

bool Contains(const std::vector<std::string>& all, const std::string& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

}  // namespace

absl::StatusOr<flow::Caller> Admission::Admit(
    const MethodRow& row, const CallContext& context) const {
  if (row.access == Access::kAnonymous) return flow::Caller();
  flow::Caller caller = Describe(context);
  if (context.listener == Listener::kOperatorSocket) {
    caller.kind = flow::Caller::Kind::kOperator;
    caller.at_socket = true;
  }
  if (row.access == Access::kAnyone) return caller;
  if (row.access == Access::kService) {
    if (auto status = IdentifyService(context, caller); !status.ok())
      return status;
    return caller;
  }
  const absl::Status identified = Identify(context, caller);
  switch (row.access) {
    case Access::kAnonymous:
    case Access::kAnyone:
    case Access::kService:
    case Access::kIdentified:
      return caller;
    case Access::kAccount:
      if (!caller.account_id.has_value()) return identified;
      return caller;
    case Access::kAccountOrOperator:
      if (!caller.is_operator() && !caller.account_id.has_value())
        return identified;
      return caller;
    case Access::kOperator:
      if (caller.is_operator()) return caller;
      return caller.account_id.has_value() ? Refuse(Reason::kPermissionDenied)
                                           : identified;
  }
  return Refuse(Reason::kPermissionDenied);
}

flow::Caller Admission::Describe(const CallContext& context) const {
  flow::Caller caller;
  caller.user_agent = SafeUserAgent(context.user_agent);
  caller.deadline = std::min(context.deadline, clock_.Now() + kLongestCall);
  caller.cancelled = context.cancelled;
  const std::optional<limit::Address> address = limit::ClientAddress(
      context.peer_address,
      absl::string_view(context.forwarded_for).substr(0, kMaxForwardedBytes),
      options_.trusted_proxies);
  if (address.has_value()) {
    caller.address = address->ToString();
    caller.origin = limit::NetworkPrefix::Of(*address);
  }
  return caller;
}

// Of the token in the authorization header, whoever it is for.
absl::StatusOr<Admission::Token> Admission::TokenOf(
    const CallContext& context) const {
  const auto token = BearerToken(context.authorization);
  if (!token.has_value()) return Refuse(Reason::kUnauthenticated);
  const flow::Verify::Answer answer =
      verify_.Judge(*token, {jwt::Audience::Any()});
  if (answer.rejection.has_value()) return Refuse(Reason::kAccessTokenRejected);
  return answer.token;
}

bool Admission::IsForIssuer(const jwt::Claims& claims) const {
  return Contains(claims.audiences, options_.issuer);
}

// A service proves itself with a certificate, or with a token for the issuer
// that speaks for a client instead of an account.
absl::Status Admission::IdentifyService(const CallContext& context,
                                        flow::Caller& caller) const {
  if (caller.is_operator()) return absl::OkStatus();
  if (!options_.services_prove_themselves ||
      !context.certificate_identities.empty()) {
    caller.kind = flow::Caller::Kind::kService;
    return absl::OkStatus();
  }
  const absl::StatusOr<Token> token = TokenOf(context);
  if (!token.ok()) return token.status();
  const jwt::Claims& claims = (*token)->claims();
  if (IsForIssuer(claims) && claims.subject == claims.client_id) {
    caller.kind = flow::Caller::Kind::kService;
    return absl::OkStatus();
  }
  const absl::Status identified = Identify(context, caller);
  if (caller.is_operator()) return absl::OkStatus();
  return identified.ok() ? Refuse(Reason::kPermissionDenied) : identified;
}

// Fills in the account behind the authorization header. What it returns is why
// there is none.
absl::Status Admission::Identify(const CallContext& context,
                                 flow::Caller& caller) const {
  const absl::StatusOr<Token> token = TokenOf(context);
  if (!token.ok()) return token.status();
  const jwt::Claims& claims = (*token)->claims();
  const bool for_issuer = IsForIssuer(claims);
  const std::optional<AccountId> account = AccountId::Parse(claims.subject);
  if ((!for_issuer && !Contains(claims.audiences, options_.default_audience)) ||
      !account.has_value()) {
    return Refuse(Reason::kAccessTokenRejected);
  }
  caller.account_id = account;
  caller.session_id = SessionId::Parse(claims.session_id);
  if (caller.is_operator()) return absl::OkStatus();
  // A token for the applications' audience is an account's, whatever its roles:
  // an application that leaks one does not leak an operator.
  const bool is_operator =
      for_issuer && std::find(claims.roles.begin(), claims.roles.end(),
                              account::kOperatorRole) != claims.roles.end();
  caller.kind = is_operator ? flow::Caller::Kind::kOperator
                            : flow::Caller::Kind::kAccount;
  return absl::OkStatus();
}

}  // namespace ostiary::door

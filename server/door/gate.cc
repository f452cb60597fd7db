#include "server/door/gate.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"

namespace ostiary::door {
namespace {

using Credentials = flow::Credentials;
using Outcome = flow::GatewayCheck::Outcome;

// Every request of a misconfigured route would write a line.
constexpr absl::Duration kBetweenLines = absl::Seconds(10);

constexpr char kNeeded[] =
    R"({"error":"token_required","message":"This needs an access token."})";
constexpr char kRejected[] =
    R"({"error":"invalid_token","message":"The access token was rejected."})";
constexpr char kTooLittle[] =
    R"({"error":"insufficient_scope","message":"The access token does not allow this."})";
constexpr char kUndecided[] =
    R"({"error":"temporarily_unavailable","message":"It cannot be decided whether this is allowed."})";

// Of "Bearer TOKEN" (the scheme in any case) the token. Two headers are read
// by one party and not by another: joined as HTTP joins them, they are no
// token.
Credentials CredentialsIn(const std::vector<std::string>& headers,
                          std::string& joined) {
  if (headers.empty()) return {Credentials::Kind::kNone};
  joined = absl::StrJoin(headers, ", ");
  constexpr absl::string_view kScheme = "bearer";
  absl::string_view text = joined;
  if (!absl::StartsWithIgnoreCase(text, kScheme))
    return {Credentials::Kind::kOther};
  text.remove_prefix(kScheme.size());
  if (!text.empty() && text.front() != ' ') return {Credentials::Kind::kOther};
  return {Credentials::Kind::kBearer, absl::StripAsciiWhitespace(text)};
}

bool IsVisible(absl::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c > 0x20 && c < 0x7f; });
}

// What could end a header or run into the next item is left out: less than
// the token says, never something else.
std::string Visible(const std::string& text) {
  return IsVisible(text) ? text : "";
}
std::string Visible(const std::vector<std::string>& items) {
  std::vector<std::string> visible;
  std::copy_if(items.begin(), items.end(), std::back_inserter(visible),
               [](const std::string& item) { return IsVisible(item); });
  return absl::StrJoin(visible, " ");
}

// In the order of kIdentityHeaders.
std::vector<std::string> IdentityOf(const jwt::Claims& claims) {
  return {Visible(claims.subject), Visible(claims.scopes),
          Visible(claims.roles), Visible(claims.session_id),
          Visible(claims.client_id)};
}

Gate::Decision Pass(std::shared_ptr<const jwt::VerifiedToken> token) {
  std::vector<std::string> values(std::size(kIdentityHeaders));
  if (token != nullptr) values = IdentityOf(token->claims());
  Gate::Decision decision{200};
  for (std::size_t i = 0; i < values.size(); ++i) {
    decision.identity.emplace_back(std::string(kIdentityHeaders[i]),
                                   std::move(values[i]));
  }
  decision.token = std::move(token);
  return decision;
}

// RFC 6750 section 3.
std::string Challenge(absl::string_view more) {
  return absl::StrCat("Bearer realm=\"ostiary\"", more);
}

Gate::Decision RefuseTooLittle(const flow::RoutePolicy& policy) {
  std::string more = ", error=\"insufficient_scope\"";
  if (!policy.required_scopes.empty()) {
    absl::StrAppend(&more, ", scope=\"",
                    absl::StrJoin(policy.required_scopes, " "), "\"");
  }
  return {403, {}, Challenge(more), kTooLittle};
}

}  // namespace

Gate::Decision Gate::Decide(
    const absl::StatusOr<std::vector<flow::PolicyLine>>& policy,
    const std::vector<std::string>& authorization) {
  if (!policy.ok()) return RefusePolicy(policy.status());
  const auto read = flow::ReadRoutePolicy(*policy);
  if (!read.ok()) return RefusePolicy(read.status());
  std::string joined;
  flow::GatewayCheck::Verdict verdict =
      check_.Judge(*read, CredentialsIn(authorization, joined));
  switch (verdict.outcome) {
    case Outcome::kPasses:
      return Pass(std::move(verdict.token));
    case Outcome::kTokenNeeded:
      return {401, {}, Challenge(""), kNeeded};
    case Outcome::kTokenRejected:
      return {401, {}, Challenge(", error=\"invalid_token\""), kRejected};
    case Outcome::kTooLittle:
      return RefuseTooLittle(*read);
  }
  return {503, {}, "", kUndecided};
}

Gate::Decision Gate::RefusePolicy(const absl::Status& why) {
  std::string note(why.message());
  const std::int64_t now = absl::ToUnixSeconds(clock_.Now());
  std::int64_t quiet_until = quiet_until_.load(std::memory_order_relaxed);
  if (now >= quiet_until &&
      quiet_until_.compare_exchange_strong(
          quiet_until, now + absl::ToInt64Seconds(kBetweenLines))) {
    logger_.Warning(
        "a gateway's policy is not understood: what it is for is refused",
        {{"why", note}});
  }
  return {503, {}, "", kUndecided, nullptr, std::move(note)};
}

GateAnswer UndecidedAnswer() {
  return {503, {{"Content-Type", "application/json"}}, kUndecided};
}

}  // namespace ostiary::door

#include <set>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_replace.h"
#include "envoy/service/auth/v3/external_auth.pb.h"
#include "server/door/gate.h"
#include "server/door/methods.h"

namespace ostiary::door {
namespace {

namespace ext = ::envoy::service::auth::v3;
using ::envoy::config::core::v3::HeaderValueOption;

struct ClientHeader {
  std::string name;  // in lower case
  std::string value;
};

std::vector<ClientHeader> HeadersOf(const ext::CheckRequest& request) {
  const auto& http = request.attributes().request().http();
  std::vector<ClientHeader> headers;
  for (const auto& [name, value] : http.headers())
    headers.push_back({absl::AsciiStrToLower(name), value});
  for (const auto& header : http.header_map().headers()) {
    headers.push_back(
        {absl::AsciiStrToLower(header.key()),
         header.raw_value().empty() ? header.value() : header.raw_value()});
  }
  return headers;
}

absl::StatusOr<std::vector<flow::PolicyLine>> PolicyOf(
    const ext::CheckRequest& request) {
  std::vector<flow::PolicyLine> lines;
  for (const auto& [key, value] : request.attributes().context_extensions())
    lines.push_back({key, value});
  return lines;
}

// "x-ostiary-subject" in all ways that a service may take for it: CGI, WSGI
// and their like know no difference between a dash and an underscore.
std::vector<std::string> SpellingsOf(absl::string_view header) {
  std::vector<std::string> spellings = {""};
  for (const char c : header) {
    const std::size_t count = spellings.size();
    for (std::size_t i = 0; i < count; ++i) {
      if (c == '-') spellings.push_back(spellings[i] + '_');
      spellings[i].push_back(c);
    }
  }
  return spellings;
}

const std::set<std::string>& KnownSpellings() {
  static const auto& known = *[] {
    auto* all = new std::set<std::string>;
    for (const absl::string_view header : kIdentityHeaders) {
      for (std::string& spelling : SpellingsOf(header))
        all->insert(std::move(spelling));
    }
    return all;
  }();
  return known;
}

bool LooksLikeOurs(const std::string& name) {
  return absl::StartsWith(absl::StrReplaceAll(name, {{"_", "-"}}),
                          kIdentityPrefix);
}

// Both fields: gateways from before `append_action` know only `append`.
void SetOver(const std::string& name, const std::string& value,
             HeaderValueOption& out) {
  out.mutable_header()->set_key(name);
  out.mutable_header()->set_value(value);
  out.mutable_append()->set_value(false);
  out.set_append_action(HeaderValueOption::OVERWRITE_IF_EXISTS_OR_ADD);
}

void SetMetadata(const jwt::Claims& claims, google::protobuf::Struct& out) {
  auto& fields = *out.mutable_fields();
  fields["subject"].set_string_value(claims.subject);
  fields["client"].set_string_value(claims.client_id);
  fields["session"].set_string_value(claims.session_id);
  auto& scopes = *fields["scopes"].mutable_list_value();
  for (const std::string& scope : claims.scopes)
    scopes.add_values()->set_string_value(scope);
  auto& roles = *fields["roles"].mutable_list_value();
  for (const std::string& role : claims.roles)
    roles.add_values()->set_string_value(role);
}

// The gateway removes after it has set: what is set must not be named again.
void Pass(const Gate::Decision& decision,
          const std::vector<ClientHeader>& client_headers,
          ext::CheckResponse& response) {
  response.mutable_status()->set_code(0);
  ext::OkHttpResponse& ok = *response.mutable_ok_response();
  std::set<std::string> unwanted = KnownSpellings();
  for (const ClientHeader& header : client_headers) {
    if (LooksLikeOurs(header.name)) unwanted.insert(header.name);
  }
  for (const auto& [name, value] : decision.identity) {
    if (value.empty()) continue;
    SetOver(name, value, *ok.add_headers());
    unwanted.erase(name);
  }
  for (const std::string& name : unwanted) ok.add_headers_to_remove(name);
  if (decision.token != nullptr)
    SetMetadata(decision.token->claims(), *response.mutable_dynamic_metadata());
}

absl::StatusCode CodeOf(int http_status) {
  switch (http_status) {
    case 401:
      return absl::StatusCode::kUnauthenticated;
    case 403:
      return absl::StatusCode::kPermissionDenied;
    default:
      return absl::StatusCode::kUnavailable;
  }
}

void Deny(const Gate::Decision& decision, ext::CheckResponse& response) {
  response.mutable_status()->set_code(
      static_cast<int>(CodeOf(decision.status)));
  response.mutable_status()->set_message(decision.note);
  ext::DeniedHttpResponse& denied = *response.mutable_denied_response();
  denied.mutable_status()->set_code(
      static_cast<envoy::type::v3::StatusCode>(decision.status));
  denied.set_body(decision.body);
  SetOver("content-type", "application/json", *denied.add_headers());
  SetOver("cache-control", "no-store", *denied.add_headers());
  if (!decision.challenge.empty())
    SetOver("www-authenticate", decision.challenge, *denied.add_headers());
}

void Check(Gate& gate, const ext::CheckRequest& request,
           ext::CheckResponse& response) {
  const std::vector<ClientHeader> headers = HeadersOf(request);
  std::vector<std::string> authorization;
  for (const ClientHeader& header : headers) {
    if (header.name == "authorization") authorization.push_back(header.value);
  }
  const Gate::Decision decision = gate.Decide(PolicyOf(request), authorization);
  if (decision.status == 200) return Pass(decision, headers, response);
  Deny(decision, response);
}

}  // namespace

void ServeGateways(Gate& gate, MethodBook& book) {
  book.Serve<ext::CheckRequest, ext::CheckResponse>(
      "envoy.service.auth.v3.Authorization/Check",
      [&gate](const auto&, auto& request, auto& response) {
        Check(gate, request, response);
        return absl::OkStatus();
      });
  book.ServeForwarded("/forward-auth", [&gate](const ForwardedCheck& asked) {
    return AnswerForwarded(gate, asked);
  });
}

}  // namespace ostiary::door

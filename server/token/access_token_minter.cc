#include "server/token/access_token_minter.h"

#include <algorithm>
#include <boost/json.hpp>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "client/jwt/algorithm.h"
#include "client/jwt/base64url.h"
#include "client/jwt/token.h"
#include "server/token/claims_writer.h"

namespace ostiary::token {
namespace {

// A number that JSON readers with doubles would round is a generation nobody
// can compare.
constexpr std::uint64_t kLargestExactInteger = (std::uint64_t{1} << 53) - 1;

// What an extra claim may not be called: ours, and those of RFC 7519, 7800,
// 8693 and OpenID Connect that a consumer gives a meaning to.
constexpr absl::string_view kReserved[] = {
    "iss",     "sub",          "aud",       "client_id", "iat",
    "exp",     "nbf",          "jti",       "sid",       "scope",
    "roles",   "groups",       "auth_time", "amr",       "acr",
    "azp",     "nonce",        "gen",       "cnf",       "act",
    "may_act", "entitlements", "events",    "status",    "typ"};

absl::Status Invalid(absl::string_view sentence) {
  return absl::InvalidArgumentError(sentence);
}

std::uint64_t Seconds(absl::Time time) {
  return static_cast<std::uint64_t>(absl::ToUnixSeconds(time));
}

bool IsReserved(absl::string_view name) {
  return std::find(std::begin(kReserved), std::end(kReserved), name) !=
         std::end(kReserved);
}

absl::Status CheckRequired(const AccessTokenRequest& request) {
  if (request.subject.empty()) return Invalid("a token needs a subject");
  if (request.client_id.empty()) return Invalid("a token needs a client");
  if (request.token_id.empty()) return Invalid("a token needs an id");
  if (request.audiences.empty()) return Invalid("a token needs an audience");
  for (const std::string& audience : request.audiences) {
    if (audience.empty()) return Invalid("an audience may not be empty");
  }
  if (request.generation.value_or(0) > kLargestExactInteger) {
    return Invalid("the generation is too large for a JSON number");
  }
  return absl::OkStatus();
}

absl::Status CheckTimes(const AccessTokenRequest& request) {
  if (request.issue_time < absl::UnixEpoch() ||
      request.auth_time.value_or(absl::UnixEpoch()) < absl::UnixEpoch()) {
    return Invalid("a token's times begin with 1970");
  }
  if (request.expire_time > request.issue_time + key::kAccessLifetimeCap) {
    return Invalid("a token lives 24 h at most");
  }
  if (Seconds(request.expire_time) <= Seconds(request.issue_time)) {
    return Invalid("a token lives 1 s at least");
  }
  return absl::OkStatus();
}

// The members of `json`, written anew in their order.
absl::StatusOr<std::string> ExtraMembers(const std::string& json) {
  if (json.empty()) return std::string();
  if (!IsUtf8(json)) return Invalid("the extra claims are not UTF-8");
  boost::json::error_code error;
  const boost::json::value value = boost::json::parse(json, error);
  if (error || !value.is_object()) {
    return Invalid("the extra claims are not a JSON object");
  }
  for (const auto& member : value.get_object()) {
    const absl::string_view name(member.key().data(), member.key().size());
    if (IsReserved(name)) {
      return Invalid(absl::StrCat("an extra claim may not be called ", name));
    }
  }
  const std::string text = boost::json::serialize(value);
  return text.substr(1, text.size() - 2);
}

std::string HeaderJson(const AccessTokenRequest& request,
                       const key::SigningKey& key) {
  ClaimsWriter header;
  header.Add("alg", jwt::AlgorithmName(key.algorithm()));
  header.Add("kid", key.key_id());
  header.Add("typ", request.type == TokenType::kAccessToken ? "at+jwt" : "JWT");
  return header.Finish();
}

absl::StatusOr<std::string> PayloadJson(const AccessTokenRequest& request,
                                        const std::string& issuer) {
  const absl::StatusOr<std::string> extra = ExtraMembers(request.extra_json);
  if (!extra.ok()) return extra.status();
  ClaimsWriter claims;
  claims.Add("iss", issuer);
  claims.Add("sub", request.subject);
  if (request.audiences.size() == 1) {
    claims.Add("aud", request.audiences.front());
  } else {
    claims.Add("aud", request.audiences);
  }
  claims.Add("client_id", request.client_id);
  claims.AddNumber("iat", Seconds(request.issue_time));
  claims.AddNumber("exp", Seconds(request.expire_time));
  claims.Add("jti", request.token_id);
  if (!request.session_id.empty()) claims.Add("sid", request.session_id);
  if (!request.scope.empty()) claims.Add("scope", request.scope);
  claims.Add("roles", request.roles);
  if (request.auth_time.has_value()) {
    claims.AddNumber("auth_time", Seconds(*request.auth_time));
  }
  if (!request.amr.empty()) claims.Add("amr", request.amr);
  if (request.generation.has_value()) {
    claims.AddNumber("gen", *request.generation);
  }
  if (request.status.has_value()) {
    ClaimsWriter list;
    list.AddNumber("idx", request.status->index);
    list.Add("uri", request.status->uri);
    ClaimsWriter status;
    status.AddObject("status_list", list);
    claims.AddObject("status", status);
  }
  claims.AddMembers(*extra);
  if (!claims.ok()) return Invalid("a claim is not UTF-8");
  return claims.Finish();
}

}  // namespace

absl::StatusOr<AccessTokenMinter> AccessTokenMinter::Create(
    AccessTokenMinterOptions options) {
  if (options.issuer.empty()) {
    return Invalid("--issuer is empty: expected the URL that tokens name");
  }
  const bool whole =
      options.lifetime == absl::Seconds(absl::ToInt64Seconds(options.lifetime));
  if (!whole || options.lifetime < absl::Seconds(1) ||
      options.lifetime > key::kAccessLifetimeCap) {
    return Invalid(absl::StrCat(
        "--access-token-lifetime=", absl::FormatDuration(options.lifetime),
        ": expected whole seconds from 1s to 24h"));
  }
  return AccessTokenMinter(std::move(options));
}

absl::StatusOr<AccessToken> AccessTokenMinter::Mint(
    const AccessTokenRequest& request, const key::KeyView& keys) const {
  if (auto s = CheckRequired(request); !s.ok()) return s;
  if (auto s = CheckTimes(request); !s.ok()) return s;
  const absl::StatusOr<std::string> payload =
      PayloadJson(request, options_.issuer);
  if (!payload.ok()) return payload.status();

  const key::SigningKey& key = keys.active();
  AccessToken token;
  token.text = absl::StrCat(jwt::Base64UrlEncode(HeaderJson(request, key)), ".",
                            jwt::Base64UrlEncode(*payload));
  const absl::StatusOr<std::string> signature = key.Sign(token.text);
  if (!signature.ok()) return signature.status();
  absl::StrAppend(&token.text, ".", jwt::Base64UrlEncode(*signature));
  if (token.text.size() > jwt::kMaxTokenBytes) {
    return Invalid("the roles and claims make the token too large");
  }
  token.key_id = key.key_id();
  token.issue_time =
      absl::FromUnixSeconds(absl::ToUnixSeconds(request.issue_time));
  token.expire_time =
      absl::FromUnixSeconds(absl::ToUnixSeconds(request.expire_time));
  return token;
}

}  // namespace ostiary::token

#include "server/token/status_list_token.h"

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "client/jwt/algorithm.h"
#include "client/jwt/base64url.h"
#include "server/token/claims_writer.h"

namespace ostiary::token {
namespace {

std::string HeaderJson(const key::SigningKey& key) {
  ClaimsWriter header;
  header.Add("alg", jwt::AlgorithmName(key.algorithm()));
  header.Add("kid", key.key_id());
  header.Add("typ", "statuslist+jwt");
  return header.Finish();
}

std::string PayloadJson(const StatusListTokenRequest& request) {
  const auto seconds = [](absl::Time time) {
    return static_cast<std::uint64_t>(absl::ToUnixSeconds(time));
  };
  ClaimsWriter list;
  list.AddNumber("bits", 1);
  list.Add("lst", request.lst);
  ClaimsWriter claims;
  claims.Add("sub", request.uri);
  claims.AddNumber("iat", seconds(request.issue_time));
  claims.AddNumber("exp", seconds(request.expire_time));
  claims.AddNumber(
      "ttl", static_cast<std::uint64_t>(absl::ToInt64Seconds(request.ttl)));
  claims.AddObject("status_list", list);
  return claims.Finish();
}

}  // namespace

absl::StatusOr<std::string> MintStatusListToken(
    const StatusListTokenRequest& request, const key::SigningKey& key) {
  std::string text = absl::StrCat(jwt::Base64UrlEncode(HeaderJson(key)), ".",
                                  jwt::Base64UrlEncode(PayloadJson(request)));
  const absl::StatusOr<std::string> signature = key.Sign(text);
  if (!signature.ok()) return signature.status();
  absl::StrAppend(&text, ".", jwt::Base64UrlEncode(*signature));
  return text;
}

}  // namespace ostiary::token

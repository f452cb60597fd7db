#include "client/jwt/jwk.h"

#include <openssl/sha.h>

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/jwt/base64url.h"

namespace ostiary::jwt {
namespace {

std::string Member(absl::string_view name, absl::string_view bytes) {
  return absl::StrCat("\"", name, "\":\"", Base64UrlEncode(bytes), "\"");
}

// The members that are the key, without braces. `kty` and `crv` are constants
// and the rest is base64url, so nothing needs escaping.
std::string Published(const PublicJwk& jwk) {
  switch (jwk.algorithm) {
    case Algorithm::kEs256:
      return absl::StrCat("\"kty\":\"EC\",\"crv\":\"P-256\",",
                          Member("x", jwk.x), ",", Member("y", jwk.y));
    case Algorithm::kRs256:
      return absl::StrCat("\"kty\":\"RSA\",", Member("n", jwk.n), ",",
                          Member("e", jwk.e));
    case Algorithm::kEdDsa:
      return absl::StrCat("\"kty\":\"OKP\",\"crv\":\"Ed25519\",",
                          Member("x", jwk.x));
  }
  return "";
}

// RFC 7638 section 3.2: required members only, in lexicographic order.
std::string ThumbprintInput(const PublicJwk& jwk) {
  switch (jwk.algorithm) {
    case Algorithm::kEs256:
      return absl::StrCat("{\"crv\":\"P-256\",\"kty\":\"EC\",",
                          Member("x", jwk.x), ",", Member("y", jwk.y), "}");
    case Algorithm::kRs256:
      return absl::StrCat("{", Member("e", jwk.e), ",\"kty\":\"RSA\",",
                          Member("n", jwk.n), "}");
    case Algorithm::kEdDsa:
      return absl::StrCat("{\"crv\":\"Ed25519\",\"kty\":\"OKP\",",
                          Member("x", jwk.x), "}");
  }
  return "";
}

std::string Quoted(const std::string& text) {
  return boost::json::serialize(boost::json::string(text.data(), text.size()));
}

PublicJwk NamedByThumbprint(PublicJwk jwk) {
  jwk.kid = Thumbprint(jwk);
  return jwk;
}

}  // namespace

PublicJwk PublicJwk::Es256(absl::string_view x, absl::string_view y) {
  PublicJwk jwk;
  jwk.algorithm = Algorithm::kEs256;
  jwk.x = std::string(x);
  jwk.y = std::string(y);
  return NamedByThumbprint(std::move(jwk));
}

PublicJwk PublicJwk::Rs256(absl::string_view n, absl::string_view e) {
  PublicJwk jwk;
  jwk.algorithm = Algorithm::kRs256;
  jwk.n = std::string(n);
  jwk.e = std::string(e);
  return NamedByThumbprint(std::move(jwk));
}

PublicJwk PublicJwk::EdDsa(absl::string_view x) {
  PublicJwk jwk;
  jwk.algorithm = Algorithm::kEdDsa;
  jwk.x = std::string(x);
  return NamedByThumbprint(std::move(jwk));
}

std::string PublicJwk::ToJson() const {
  return absl::StrCat("{", Published(*this), ",\"alg\":\"",
                      AlgorithmName(algorithm),
                      "\",\"use\":\"sig\",\"kid\":", Quoted(kid), "}");
}

std::string Thumbprint(const PublicJwk& jwk) {
  const std::string input = ThumbprintInput(jwk);
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(input.data()), input.size(),
         digest);
  return Base64UrlEncode(
      absl::string_view(reinterpret_cast<char*>(digest), sizeof(digest)));
}

std::string ToJwksJson(const std::vector<PublicJwk>& keys) {
  std::string json = "{\"keys\":[";
  for (const PublicJwk& key : keys) {
    if (json.back() != '[') json += ',';
    json += key.ToJson();
  }
  return json + "]}";
}

}  // namespace ostiary::jwt

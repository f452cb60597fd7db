#include "server/session/refresh_token.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/jwt/base64url.h"
#include "server/base/keyed_hash.h"

namespace ostiary::session {
namespace {

constexpr absl::string_view kPrefix = "ort_";
constexpr char kVersion = 1;
constexpr std::size_t kKeyIdBytes = 4;
constexpr std::size_t kIdBytes = 16;
constexpr std::size_t kGenerationBytes = 4;
constexpr std::size_t kTagBytes = 32;
constexpr std::size_t kTokenBytes =
    1 + kKeyIdBytes + kIdBytes + kGenerationBytes + kTagBytes;
constexpr std::size_t kTokenTextBytes =
    kPrefix.size() + (kTokenBytes * 4 + 2) / 3;
constexpr std::size_t kTokenIdBytes = 16;

std::string BigEndian(std::uint64_t value, std::size_t bytes) {
  std::string out(bytes, '\0');
  for (std::size_t i = bytes; i-- > 0; value >>= 8)
    out[i] = static_cast<char>(value & 0xff);
  return out;
}

std::string BytesOf(const IdBytes& id) {
  return std::string(id.begin(), id.end());
}

}  // namespace

std::optional<PresentedRefreshToken> PresentedRefreshToken::Parse(
    absl::string_view text) {
  if (text.size() != kTokenTextBytes || !absl::StartsWith(text, kPrefix))
    return std::nullopt;
  const std::optional<std::string> bytes =
      jwt::Base64UrlDecode(text.substr(kPrefix.size()));
  if (!bytes.has_value() || bytes->size() != kTokenBytes ||
      bytes->front() != kVersion) {
    return std::nullopt;
  }
  absl::string_view rest = *bytes;
  const auto take = [&rest](std::size_t count) {
    const absl::string_view part = rest.substr(0, count);
    rest.remove_prefix(count);
    return part;
  };
  take(1);
  PresentedRefreshToken token;
  token.key_id = absl::BytesToHexString(take(kKeyIdBytes));
  IdBytes id;
  const absl::string_view id_text = take(kIdBytes);
  std::copy(id_text.begin(), id_text.end(), id.begin());
  token.session_id = SessionId(id);
  for (const char byte : take(kGenerationBytes)) {
    token.generation =
        (token.generation << 8) | static_cast<std::uint8_t>(byte);
  }
  token.tag = std::string(rest.data(), rest.size());
  return token;
}

SessionSecrets::SessionSecrets(const SecretBytes& refresh_key,
                               const storage::SessionRow& row)
    : refresh_key_id_(row.refresh_key_id),
      session_id_(row.session_id),
      session_key_(HmacSha256(refresh_key.Reveal(),
                              absl::StrCat("ostiary session v1", row.salt,
                                           BytesOf(row.session_id)))) {}

std::string SessionSecrets::Tag(std::uint32_t generation) const {
  return HmacSha256(
      session_key_.Reveal(),
      absl::StrCat("refresh", BigEndian(generation, kGenerationBytes)));
}

std::string SessionSecrets::RefreshToken(std::uint32_t generation) const {
  std::string bytes(1, kVersion);
  absl::StrAppend(&bytes, absl::HexStringToBytes(refresh_key_id_),
                  BytesOf(session_id_.bytes()),
                  BigEndian(generation, kGenerationBytes), Tag(generation));
  return absl::StrCat(kPrefix, jwt::Base64UrlEncode(bytes));
}

bool SessionSecrets::Made(const PresentedRefreshToken& presented) const {
  return presented.key_id == refresh_key_id_ &&
         presented.session_id == session_id_ &&
         EqualInConstantTime(presented.tag, Tag(presented.generation));
}

std::string SessionSecrets::TokenId(std::uint32_t generation,
                                    absl::Time minted_at,
                                    absl::string_view scope) const {
  const std::string message = absl::StrCat(
      "jti", BigEndian(generation, kGenerationBytes),
      BigEndian(static_cast<std::uint64_t>(absl::ToUnixSeconds(minted_at)), 8),
      scope);
  return jwt::Base64UrlEncode(
      HmacSha256(session_key_.Reveal(), message).substr(0, kTokenIdBytes));
}

std::string SessionSecrets::RequestIdHash(absl::string_view request_id) const {
  return HmacSha256(session_key_.Reveal(), absl::StrCat("request", request_id));
}

}  // namespace ostiary::session

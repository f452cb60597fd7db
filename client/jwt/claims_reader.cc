#include "client/jwt/claims_reader.h"

#include <array>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "client/jwt/strict_json.h"

namespace ostiary::jwt {
namespace {

namespace json = boost::json;

// 9999-12-31T23:59:59Z. Beyond it a date is a mistake or an attempt to
// overflow somebody's arithmetic.
constexpr std::int64_t kLastSecond = 253402300799;

// Most payloads fit, so that reading one needs no memory from the heap.
constexpr std::size_t kScratchBytes = 8 * 1024;

constexpr std::array<absl::string_view, 14> kNamed = {
    "iss", "sub", "aud",       "client_id", "sid",   "jti", "iat",
    "exp", "nbf", "auth_time", "scope",     "roles", "amr", "gen"};

std::string ToString(const json::string& text) {
  return std::string(text.data(), text.size());
}

// Each Read leaves `out` as it was and answers true if the claim is absent,
// and false if it is there with another type.

bool ReadText(const json::object& payload, absl::string_view name,
              std::string& out) {
  const json::value* value = FindMember(payload, name);
  if (value == nullptr) return true;
  if (!value->is_string()) return false;
  out = ToString(value->get_string());
  return true;
}

bool ReadTexts(const json::object& payload, absl::string_view name,
               std::vector<std::string>& out) {
  const json::value* value = FindMember(payload, name);
  if (value == nullptr) return true;
  if (!value->is_array()) return false;
  for (const json::value& element : value->get_array()) {
    if (!element.is_string()) return false;
    out.push_back(ToString(element.get_string()));
  }
  return true;
}

// RFC 7519 section 4.1.3: one text or a list.
bool ReadAudiences(const json::object& payload, std::vector<std::string>& out) {
  const json::value* value = FindMember(payload, "aud");
  if (value != nullptr && value->is_string()) {
    out.push_back(ToString(value->get_string()));
  } else if (!ReadTexts(payload, "aud", out)) {
    return false;
  }
  for (const std::string& audience : out) {
    if (audience.empty()) return false;
  }
  return true;
}

bool ReadScopes(const json::object& payload, std::vector<std::string>& out) {
  std::string scope;
  if (!ReadText(payload, "scope", scope)) return false;
  for (const absl::string_view word :
       absl::StrSplit(scope, ' ', absl::SkipEmpty())) {
    out.emplace_back(word);
  }
  return true;
}

// RFC 7519 section 2, NumericDate.
std::optional<absl::Time> ToTime(const json::value& value) {
  if (const std::int64_t* seconds = value.if_int64()) {
    if (*seconds < 0 || *seconds > kLastSecond) return std::nullopt;
    return absl::FromUnixSeconds(*seconds);
  }
  if (const double* seconds = value.if_double()) {
    const bool in_range = *seconds >= 0 && *seconds <= kLastSecond;
    if (!in_range || std::signbit(*seconds)) return std::nullopt;
    return absl::UnixEpoch() + absl::Seconds(*seconds);
  }
  return std::nullopt;  // no integer above int64 is a date either
}

bool ReadTime(const json::object& payload, absl::string_view name,
              std::optional<absl::Time>& out) {
  const json::value* value = FindMember(payload, name);
  if (value == nullptr) return true;
  out = ToTime(*value);
  return out.has_value();
}

bool ReadGeneration(const json::object& payload,
                    std::optional<std::uint64_t>& out) {
  const json::value* value = FindMember(payload, "gen");
  if (value == nullptr) return true;
  if (const std::int64_t* number = value->if_int64(); number && *number >= 0) {
    out = static_cast<std::uint64_t>(*number);
  } else if (const std::uint64_t* large = value->if_uint64()) {
    out = *large;
  }
  return out.has_value();
}

bool IsNamed(absl::string_view name) {
  for (const absl::string_view named : kNamed) {
    if (name == named) return true;
  }
  return false;
}

std::string ExtraJson(const json::object& payload) {
  json::object extra(payload.storage());
  for (const auto& member : payload) {
    const json::string_view name = member.key();
    if (IsNamed(absl::string_view(name.data(), name.size()))) continue;
    extra.emplace(name, member.value());
  }
  if (extra.empty()) return "{}";
  return json::serialize(extra);
}

bool NothingEmpty(const Claims& claims) {
  return !claims.issuer.empty() && !claims.subject.empty() &&
         !claims.audiences.empty() && !claims.client_id.empty() &&
         !claims.token_id.empty();
}

}  // namespace

std::optional<ReadClaims> ReadPayload(absl::string_view payload) {
  unsigned char scratch[kScratchBytes];
  json::monotonic_resource memory(scratch);
  const std::optional<json::value> value = ParseStrictJson(payload, &memory);
  if (!value.has_value() || !value->is_object()) return std::nullopt;
  const json::object& object = value->get_object();

  ReadClaims read;
  Claims& claims = read.claims;
  std::optional<absl::Time> issued;
  std::optional<absl::Time> expires;
  const bool well_typed = ReadText(object, "iss", claims.issuer) &&
                          ReadText(object, "sub", claims.subject) &&
                          ReadAudiences(object, claims.audiences) &&
                          ReadText(object, "client_id", claims.client_id) &&
                          ReadText(object, "sid", claims.session_id) &&
                          ReadText(object, "jti", claims.token_id) &&
                          ReadTime(object, "iat", issued) &&
                          ReadTime(object, "exp", expires) &&
                          ReadTime(object, "nbf", claims.not_before) &&
                          ReadTime(object, "auth_time", claims.auth_time) &&
                          ReadScopes(object, claims.scopes) &&
                          ReadTexts(object, "roles", claims.roles) &&
                          ReadTexts(object, "amr", claims.amr) &&
                          ReadGeneration(object, claims.generation);
  if (!well_typed) return std::nullopt;

  claims.issue_time = issued.value_or(absl::InfiniteFuture());
  claims.expire_time = expires.value_or(absl::InfinitePast());
  claims.extra_json = ExtraJson(object);
  read.complete =
      issued.has_value() && expires.has_value() && NothingEmpty(claims);
  return read;
}

}  // namespace ostiary::jwt

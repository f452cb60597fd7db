#include "server/door/messages.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cmath>
#include <optional>

#include "client/jwt/base64url.h"
#include "server/account/identifiers.h"
#include "server/base/reason.h"

namespace ostiary::door {
namespace {

namespace json = boost::json;
namespace pb = google::protobuf;

constexpr int kMaxStructDepth = 16;

std::optional<json::value> ToJson(const pb::Value& value, int depth);

std::optional<json::object> ToJson(const pb::Struct& object, int depth) {
  if (depth > kMaxStructDepth) return std::nullopt;
  json::object out;
  for (const auto& [name, value] : object.fields()) {
    std::optional<json::value> member = ToJson(value, depth + 1);
    if (!member.has_value()) return std::nullopt;
    out.emplace(name, *std::move(member));
  }
  return out;
}

std::optional<json::value> ToJson(const pb::Value& value, int depth) {
  switch (value.kind_case()) {
    case pb::Value::kNullValue:
      return json::value(nullptr);
    case pb::Value::kNumberValue:
      if (!std::isfinite(value.number_value())) return std::nullopt;
      return json::value(value.number_value());
    case pb::Value::kStringValue:
      return json::value(value.string_value());
    case pb::Value::kBoolValue:
      return json::value(value.bool_value());
    case pb::Value::kStructValue: {
      auto object = ToJson(value.struct_value(), depth);
      if (!object.has_value()) return std::nullopt;
      return json::value(*std::move(object));
    }
    case pb::Value::kListValue: {
      if (depth > kMaxStructDepth) return std::nullopt;
      json::array out;
      for (const pb::Value& item : value.list_value().values()) {
        auto element = ToJson(item, depth + 1);
        if (!element.has_value()) return std::nullopt;
        out.push_back(*std::move(element));
      }
      return json::value(std::move(out));
    }
    case pb::Value::KIND_NOT_SET:
      return std::nullopt;
  }
  return std::nullopt;
}

void FromJson(const json::value& value, pb::Value& out);

void FromJson(const json::object& object, pb::Struct& out) {
  for (const auto& member : object) {
    FromJson(member.value(), (*out.mutable_fields())[std::string(
                                 member.key().data(), member.key().size())]);
  }
}

void FromJson(const json::value& value, pb::Value& out) {
  switch (value.kind()) {
    case json::kind::null:
      out.set_null_value(pb::NULL_VALUE);
      break;
    case json::kind::bool_:
      out.set_bool_value(value.get_bool());
      break;
    case json::kind::int64:
    case json::kind::uint64:
    case json::kind::double_:
      out.set_number_value(value.to_number<double>());
      break;
    case json::kind::string:
      out.set_string_value(value.get_string().data(),
                           value.get_string().size());
      break;
    case json::kind::array:
      out.mutable_list_value();
      for (const json::value& item : value.get_array()) {
        FromJson(item, *out.mutable_list_value()->add_values());
      }
      break;
    case json::kind::object:
      FromJson(value.get_object(), *out.mutable_struct_value());
      break;
  }
}

v1::SigningKeyState ToMessage(key::KeyState state) {
  switch (state) {
    case key::KeyState::kPrepared:
      return v1::SIGNING_KEY_STATE_PREPARED;
    case key::KeyState::kActive:
      return v1::SIGNING_KEY_STATE_ACTIVE;
    case key::KeyState::kRetired:
      return v1::SIGNING_KEY_STATE_RETIRED;
    case key::KeyState::kRevoked:
      return v1::SIGNING_KEY_STATE_REVOKED;
  }
  return v1::SIGNING_KEY_STATE_UNSPECIFIED;
}

}  // namespace

void SetTime(absl::Time time, pb::Timestamp& out) {
  const std::int64_t seconds = absl::ToUnixSeconds(time);
  out.set_seconds(seconds);
  out.set_nanos(static_cast<int>(
      absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds))));
}

void SetDuration(absl::Duration duration, pb::Duration& out) {
  const std::int64_t seconds = absl::ToInt64Seconds(duration);
  out.set_seconds(seconds);
  out.set_nanos(static_cast<int>(
      absl::ToInt64Nanoseconds(duration - absl::Seconds(seconds))));
}

void ToMessage(const storage::AccountRow& row, v1::Account& out) {
  out.set_account_id(AccountId(row.account_id).ToString());
  out.set_username(row.username);
  out.set_email(row.email);
  out.set_email_verified(row.email_verified);
  out.set_display_name(row.display_name);
  for (const std::string& role : row.roles) out.add_roles(role);
  out.set_disabled(row.disabled);
  if (!row.metadata_json.empty())
    JsonToStruct(row.metadata_json, *out.mutable_metadata());
  SetTime(row.create_time, *out.mutable_create_time());
  SetTime(row.update_time, *out.mutable_update_time());
}

void ToMessage(const flow::IssuedTokens& tokens, v1::TokenSet& out) {
  out.set_access_token(tokens.access_token);
  out.set_token_type("Bearer");
  SetDuration(tokens.expires_in, *out.mutable_expires_in());
  out.set_refresh_token(tokens.refresh_token);
  SetDuration(tokens.refresh_expires_in, *out.mutable_refresh_expires_in());
  out.set_scope(tokens.scope);
  out.set_session_id(tokens.session_id.ToString());
}

void ToMessage(const jwt::Claims& claims, v1::TokenClaims& out) {
  out.set_issuer(claims.issuer);
  out.set_subject(claims.subject);
  for (const std::string& audience : claims.audiences)
    out.add_audiences(audience);
  out.set_client_id(claims.client_id);
  out.set_session_id(claims.session_id);
  out.set_token_id(claims.token_id);
  SetTime(claims.issue_time, *out.mutable_issue_time());
  SetTime(claims.expire_time, *out.mutable_expire_time());
  for (const std::string& scope : claims.scopes) out.add_scopes(scope);
  for (const std::string& role : claims.roles) out.add_roles(role);
  if (claims.extra_json != "{}")
    JsonToStruct(claims.extra_json, *out.mutable_extra());
}

std::string EncodeVerdict(const jwt::Claims& claims) {
  v1::VerifyResponse response;
  response.set_valid(true);
  ToMessage(claims, *response.mutable_claims());
  return response.SerializeAsString();
}

void ToMessage(const storage::SessionRow& row, v1::Session& out) {
  out.set_session_id(SessionId(row.session_id).ToString());
  out.set_account_id(AccountId(row.account_id).ToString());
  out.set_client_id(row.client_id);
  out.set_user_agent(row.user_agent);
  out.set_address(row.address);
  out.set_scope(row.scope);
  SetTime(row.create_time, *out.mutable_create_time());
  SetTime(row.rotated_at, *out.mutable_refresh_time());
  SetTime(row.idle_expire_time, *out.mutable_idle_expire_time());
  SetTime(row.expire_time, *out.mutable_expire_time());
}

void ToMessage(const jwt::PublicJwk& jwk, v1::JsonWebKey& out) {
  const absl::string_view algorithm = jwt::AlgorithmName(jwk.algorithm);
  out.set_use("sig");
  out.set_alg(algorithm.data(), algorithm.size());
  out.set_kid(jwk.kid);
  switch (jwk.algorithm) {
    case jwt::Algorithm::kEs256:
      out.set_kty("EC");
      out.set_crv("P-256");
      out.set_x(jwt::Base64UrlEncode(jwk.x));
      out.set_y(jwt::Base64UrlEncode(jwk.y));
      break;
    case jwt::Algorithm::kRs256:
      out.set_kty("RSA");
      out.set_n(jwt::Base64UrlEncode(jwk.n));
      out.set_e(jwt::Base64UrlEncode(jwk.e));
      break;
    case jwt::Algorithm::kEdDsa:
      out.set_kty("OKP");
      out.set_crv("Ed25519");
      out.set_x(jwt::Base64UrlEncode(jwk.x));
      break;
  }
}

void ToMessage(const key::KeyInfo& key, v1::SigningKey& out) {
  const absl::string_view algorithm = jwt::AlgorithmName(key.algorithm);
  out.set_key_id(key.key_id);
  out.set_algorithm(algorithm.data(), algorithm.size());
  out.set_state(ToMessage(key.state));
  SetTime(key.create_time, *out.mutable_create_time());
  const auto happened = [](absl::Time time) {
    return time != absl::InfinitePast();
  };
  if (happened(key.activate_time))
    SetTime(key.activate_time, *out.mutable_activate_time());
  if (happened(key.retire_time))
    SetTime(key.retire_time, *out.mutable_retire_time());
  if (happened(key.revoke_time))
    SetTime(key.revoke_time, *out.mutable_revoke_time());
}

absl::StatusOr<std::string> StructToJson(const pb::Struct& object,
                                         std::size_t max_bytes,
                                         absl::string_view field) {
  const std::optional<json::object> converted = ToJson(object, 0);
  if (!converted.has_value()) {
    return RefuseField(
        field, "must be a JSON object, at most 16 deep, of finite numbers");
  }
  std::string text = json::serialize(*converted);
  if (text.size() > max_bytes)
    return RefuseField(field, "must be at most 8 KiB as JSON");
  return text;
}

void JsonToStruct(const std::string& text, pb::Struct& out) {
  boost::system::error_code error;
  const json::value value = json::parse(text, error);
  if (!error && value.is_object()) FromJson(value.get_object(), out);
}

absl::Status CheckReason(const std::string& reason) {
  constexpr std::size_t kMaxReasonBytes = 200;
  return account::CheckDisplayText(reason, kMaxReasonBytes, "reason");
}

SecretBytes TakeSecret(std::string& field) {
  SecretBytes secret = SecretBytes::CopyOf(field);
  Wipe(field);
  return secret;
}

}  // namespace ostiary::door

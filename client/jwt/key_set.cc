#include "client/jwt/key_set.h"

#include <boost/json/array.hpp>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "client/jwt/base64url.h"
#include "client/jwt/strict_json.h"

namespace ostiary::jwt {

struct KeySet::Impl {
  std::vector<VerifyingKey> keys;
  absl::flat_hash_map<std::string, std::size_t> index_by_kid;
};

namespace {

namespace json = boost::json;

std::optional<std::string> Text(const json::object& jwk,
                                absl::string_view name) {
  const json::value* value = FindMember(jwk, name);
  if (value == nullptr || !value->is_string()) return std::nullopt;
  const json::string& text = value->get_string();
  return std::string(text.data(), text.size());
}

std::string DecodedOrEmpty(const json::object& jwk, absl::string_view name) {
  const std::optional<std::string> text = Text(jwk, name);
  if (!text.has_value()) return "";
  return Base64UrlDecode(*text).value_or("");
}

bool HoldsSecrets(const json::object& jwk) {
  for (const absl::string_view name :
       {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}) {
    if (FindMember(jwk, name) != nullptr) return true;
  }
  return false;
}

// RFC 7517 sections 4.2 and 4.3: what the key says it is for, if it says so.
bool IsForVerifying(const json::object& jwk) {
  if (FindMember(jwk, "use") != nullptr && Text(jwk, "use") != "sig") {
    return false;
  }
  const json::value* operations = FindMember(jwk, "key_ops");
  if (operations == nullptr) return true;
  if (!operations->is_array()) return false;
  for (const json::value& operation : operations->get_array()) {
    if (operation.is_string() && operation.get_string() == "verify") {
      return true;
    }
  }
  return false;
}

// RFC 8725 section 3.1: one key, one algorithm, said by the key itself.
std::optional<Algorithm> AlgorithmOf(const json::object& jwk) {
  const std::optional<std::string> name = Text(jwk, "alg");
  if (!name.has_value()) return std::nullopt;
  return ParseAlgorithm(*name);
}

bool HasTypeOf(Algorithm algorithm, const json::object& jwk) {
  switch (algorithm) {
    case Algorithm::kEs256:
      return Text(jwk, "kty") == "EC" && Text(jwk, "crv") == "P-256";
    case Algorithm::kRs256:
      return Text(jwk, "kty") == "RSA";
    case Algorithm::kEdDsa:
      return Text(jwk, "kty") == "OKP" && Text(jwk, "crv") == "Ed25519";
  }
  return false;
}

std::optional<VerifyingKey> ReadKey(const json::object& jwk) {
  const std::optional<std::string> kid = Text(jwk, "kid");
  const std::optional<Algorithm> algorithm = AlgorithmOf(jwk);
  if (!kid.has_value() || !algorithm.has_value()) return std::nullopt;
  if (!HasTypeOf(*algorithm, jwk)) return std::nullopt;
  if (HoldsSecrets(jwk) || !IsForVerifying(jwk)) return std::nullopt;

  PublicJwk key;
  key.algorithm = *algorithm;
  key.kid = *kid;
  if (*algorithm == Algorithm::kRs256) {
    key.n = DecodedOrEmpty(jwk, "n");
    key.e = DecodedOrEmpty(jwk, "e");
  } else {
    key.x = DecodedOrEmpty(jwk, "x");
  }
  if (*algorithm == Algorithm::kEs256) key.y = DecodedOrEmpty(jwk, "y");

  absl::StatusOr<VerifyingKey> good = VerifyingKey::Create(std::move(key));
  if (!good.ok()) return std::nullopt;
  return *std::move(good);
}

absl::Status Refused(absl::string_view why) {
  return absl::InvalidArgumentError(why);
}

}  // namespace

KeySet::KeySet() : impl_(std::make_shared<Impl>()) {}

KeySet::KeySet(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

absl::StatusOr<KeySet> KeySet::Parse(absl::string_view jwks_json) {
  if (jwks_json.size() > kMaxJsonBytes) return Refused("key set too large");
  const std::optional<json::value> value = ParseStrictJson(jwks_json);
  if (!value.has_value()) return Refused("key set is not strict JSON");
  if (!value->is_object()) return Refused("key set is not a JSON object");
  const json::value* list = FindMember(value->get_object(), "keys");
  if (list == nullptr || !list->is_array()) {
    return Refused("key set has no array `keys`");
  }
  if (list->get_array().size() > kMaxKeys) return Refused("too many keys");

  std::vector<VerifyingKey> keys;
  absl::flat_hash_set<std::string> kids;
  for (const json::value& entry : list->get_array()) {
    if (!entry.is_object()) return Refused("a key is not a JSON object");
    // Also among keys that are left out: they are the same key to others.
    const std::optional<std::string> kid = Text(entry.get_object(), "kid");
    if (kid.has_value() && !kids.insert(*kid).second) {
      return Refused("two keys have one kid");
    }
    std::optional<VerifyingKey> key = ReadKey(entry.get_object());
    if (key.has_value()) keys.push_back(*std::move(key));
  }
  return FromVerifyingKeys(std::move(keys));
}

absl::StatusOr<KeySet> KeySet::FromKeys(const std::vector<PublicJwk>& keys) {
  if (keys.size() > kMaxKeys) return Refused("too many keys");
  std::vector<VerifyingKey> good;
  for (const PublicJwk& jwk : keys) {
    absl::StatusOr<VerifyingKey> key = VerifyingKey::Create(jwk);
    if (!key.ok()) return key.status();
    good.push_back(*std::move(key));
  }
  return FromVerifyingKeys(std::move(good));
}

absl::StatusOr<KeySet> KeySet::FromVerifyingKeys(
    std::vector<VerifyingKey> keys) {
  auto impl = std::make_shared<Impl>();
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (!impl->index_by_kid.emplace(keys[i].kid(), i).second) {
      return Refused("two keys have one kid");
    }
  }
  impl->keys = std::move(keys);
  return KeySet(std::move(impl));
}

const VerifyingKey* KeySet::Find(absl::string_view kid) const {
  const auto found = impl_->index_by_kid.find(kid);
  if (found == impl_->index_by_kid.end()) return nullptr;
  return &impl_->keys[found->second];
}

const std::vector<VerifyingKey>& KeySet::keys() const { return impl_->keys; }

std::string KeySet::ToJson() const {
  std::vector<PublicJwk> jwks;
  for (const VerifyingKey& key : impl_->keys) jwks.push_back(key.jwk());
  return ToJwksJson(jwks);
}

}  // namespace ostiary::jwt

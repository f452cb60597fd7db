#include "ostiary/test_issuer.h"

#include <openssl/rand.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cstdlib>
#include <map>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_join.h"
#include "absl/synchronization/mutex.h"
#include "client/cpp/signing_key.h"
#include "client/cpp/verifier_parts.h"
#include "client/jwt/base64url.h"

namespace ostiary {
namespace {

using revocation::Fingerprint;

std::string NewTokenId() {
  unsigned char bytes[16];
  if (RAND_bytes(bytes, sizeof(bytes)) != 1) std::abort();
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(bytes), sizeof(bytes)));
}

std::string EncodeObject(const boost::json::object& object) {
  return jwt::Base64UrlEncode(boost::json::serialize(object));
}

}  // namespace

struct TestIssuer::Parts {
  explicit Parts(const TimeSource& source)
      : time(source), knowledge(std::make_shared<client::Knowledge>()) {}

  void PublishKeys() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    std::vector<jwt::PublicJwk> jwks;
    for (const auto& key : keys) jwks.push_back(key->jwk());
    auto key_set = jwt::KeySet::FromKeys(jwks);
    if (!key_set.ok()) std::abort();
    knowledge->ReplaceKeys(*std::move(key_set));
  }

  const TimeSource& time;
  const std::shared_ptr<client::Knowledge> knowledge;
  mutable absl::Mutex mutex;
  // The last one signs.
  std::vector<std::shared_ptr<const client::SigningKey>> keys
      ABSL_GUARDED_BY(mutex);
  std::map<std::string, std::uint64_t> generations ABSL_GUARDED_BY(mutex);
};

TestIssuer::TestIssuer(std::string issuer, const TimeSource& time)
    : issuer_(std::move(issuer)), parts_(std::make_unique<Parts>(time)) {
  parts_->knowledge->StayFresh();
  parts_->knowledge->MoveTo({{1, 0}, ""});
  RotateKey();
}

TestIssuer::~TestIssuer() = default;

void TestIssuer::RotateKey() {
  auto key = std::make_shared<const client::SigningKey>();
  absl::MutexLock lock(&parts_->mutex);
  parts_->keys.push_back(std::move(key));
  parts_->PublishKeys();
}

std::string TestIssuer::Sign(const TestToken& token) const {
  std::shared_ptr<const client::SigningKey> key;
  std::uint64_t generation = 1;
  {
    absl::MutexLock lock(&parts_->mutex);
    key = parts_->keys.back();
    const auto found = parts_->generations.find(token.subject);
    if (found != parts_->generations.end()) generation = found->second;
  }
  // A token that has expired was issued before that.
  const std::int64_t now = absl::ToUnixSeconds(parts_->time.Now());
  const std::int64_t expires = now + absl::ToInt64Seconds(token.lifetime);
  boost::json::object payload = {
      {"iss", issuer_},
      {"sub", token.subject},
      {"aud", token.audience},
      {"client_id", token.client_id},
      {"iat", std::min(now, expires - 1)},
      {"exp", expires},
      {"jti", NewTokenId()},
      {"gen", token.generation.value_or(generation)}};
  if (!token.session_id.empty()) payload["sid"] = token.session_id;
  if (!token.scopes.empty()) {
    payload["scope"] = absl::StrJoin(token.scopes, " ");
  }
  boost::json::array roles;
  for (const std::string& role : token.roles) roles.emplace_back(role);
  payload["roles"] = roles;
  const boost::json::object header = {
      {"alg", "ES256"}, {"kid", key->jwk().kid}, {"typ", "at+jwt"}};
  const std::string input = EncodeObject(header) + "." + EncodeObject(payload);
  return input + "." + jwt::Base64UrlEncode(key->Sign(input));
}

std::string TestIssuer::JwksJson() const {
  return parts_->knowledge->keys().set.ToJson();
}

absl::Status TestIssuer::RevokeToken(absl::string_view token) {
  jwt::VerifierOptions options;
  options.issuer = issuer_;
  options.algorithms = {jwt::Algorithm::kEs256};
  const auto verifier = jwt::Verifier::Create(options);
  if (!verifier.ok()) return verifier.status();
  const jwt::Verdict verdict =
      verifier->Authenticate(token, parts_->knowledge->keys().set);
  if (!verdict.accepted()) {
    return absl::InvalidArgumentError("not a token of this issuer");
  }
  parts_->knowledge->revoked().AddFingerprints(
      {Fingerprint::OfToken(verdict.token().claims().token_id)},
      absl::InfiniteFuture());
  return absl::OkStatus();
}

void TestIssuer::RevokeSession(absl::string_view session_id) {
  parts_->knowledge->revoked().AddFingerprints(
      {Fingerprint::OfSession(session_id)}, absl::InfiniteFuture());
}

void TestIssuer::RevokeAccount(absl::string_view subject) {
  absl::MutexLock lock(&parts_->mutex);
  const auto generation =
      parts_->generations.try_emplace(std::string(subject), 1).first;
  ++generation->second;
  parts_->knowledge->revoked().AddAccount(subject, generation->second,
                                          absl::InfiniteFuture());
}

void TestIssuer::RevokeClient(absl::string_view client_id) {
  parts_->knowledge->revoked().AddClient(client_id, parts_->time.Now(),
                                         absl::InfiniteFuture());
}

void TestIssuer::RevokeKey() {
  std::string kid;
  {
    absl::MutexLock lock(&parts_->mutex);
    kid = parts_->keys.back()->jwk().kid;
  }
  parts_->knowledge->revoked().AddKey(kid);
}

absl::StatusOr<std::unique_ptr<Verifier>> TestIssuer::TryMakeVerifier(
    VerifierOptions options) const {
  options.issuer = issuer_;
  options.time = &parts_->time;
  auto parts = Verifier::Parts::Make(std::move(options));
  if (!parts.ok()) return parts.status();
  (*parts)->StandAlone(parts_->knowledge);
  return std::unique_ptr<Verifier>(new Verifier(*std::move(parts)));
}

std::unique_ptr<Verifier> TestIssuer::MakeVerifier() const {
  auto verifier = TryMakeVerifier({});
  if (!verifier.ok()) std::abort();
  return *std::move(verifier);
}

}  // namespace ostiary

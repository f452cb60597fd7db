#include "client/cpp/wire.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "client/revocation/fingerprint_set.h"

namespace ostiary::client {
namespace {

using revocation::Fingerprint;

constexpr std::int64_t kFirstSecond = -62'135'596'800;  // of the year 1
constexpr std::int64_t kLastSecond = 253'402'300'799;   // of the year 9999

void Put(boost::json::object& jwk, const char* member,
         const std::string& value) {
  if (!value.empty()) jwk[member] = value;
}

boost::json::object JwkOf(const v1::JsonWebKey& key) {
  boost::json::object jwk;
  Put(jwk, "kty", key.kty());
  Put(jwk, "use", key.use());
  Put(jwk, "alg", key.alg());
  Put(jwk, "kid", key.kid());
  Put(jwk, "crv", key.crv());
  Put(jwk, "x", key.x());
  Put(jwk, "y", key.y());
  Put(jwk, "n", key.n());
  Put(jwk, "e", key.e());
  return jwk;
}

// Not set: never.
template <typename Message>
absl::StatusOr<absl::Time> ForgetTimeOf(const Message& message) {
  if (!message.has_forget_time()) return absl::InfiniteFuture();
  return TimeOf(message.forget_time());
}

absl::Status AddClient(const v1::ClientCutoff& cutoff, absl::Time forget_time,
                       revocation::RevokedSet& revoked) {
  const auto issued_before = TimeOf(cutoff.issued_before());
  if (!issued_before.ok()) return issued_before.status();
  revoked.AddClient(cutoff.client_id(), *issued_before, forget_time);
  return absl::OkStatus();
}

absl::Status AddAll(const v1::IssueCutoff& cutoff, absl::Time forget_time,
                    revocation::RevokedSet& revoked) {
  const auto issued_before = TimeOf(cutoff.issued_before());
  if (!issued_before.ok()) return issued_before.status();
  revoked.AddAll(*issued_before, forget_time);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<absl::Time> TimeOf(const google::protobuf::Timestamp& time) {
  if (time.seconds() < kFirstSecond || time.seconds() > kLastSecond ||
      time.nanos() < 0 || time.nanos() >= 1'000'000'000) {
    return absl::InvalidArgumentError("not a time");
  }
  return absl::FromUnixSeconds(time.seconds()) +
         absl::Nanoseconds(time.nanos());
}

absl::StatusOr<jwt::KeySet> KeySetOf(const v1::RevocationKeySet& keys) {
  boost::json::array jwks;
  for (const v1::JsonWebKey& key : keys.keys()) jwks.push_back(JwkOf(key));
  return jwt::KeySet::Parse(
      boost::json::serialize(boost::json::object{{"keys", jwks}}));
}

absl::Status AddEntry(const v1::RevocationEntry& entry,
                      revocation::RevokedSet& revoked) {
  const auto forget_time = ForgetTimeOf(entry);
  if (!forget_time.ok()) return forget_time.status();
  switch (entry.target_case()) {
    case v1::RevocationEntry::kTokenId:
      revoked.AddFingerprints({Fingerprint::OfToken(entry.token_id())},
                              *forget_time);
      return absl::OkStatus();
    case v1::RevocationEntry::kSessionId:
      revoked.AddFingerprints({Fingerprint::OfSession(entry.session_id())},
                              *forget_time);
      return absl::OkStatus();
    case v1::RevocationEntry::kAccount:
      revoked.AddAccount(entry.account().account_id(),
                         entry.account().min_generation(), *forget_time);
      return absl::OkStatus();
    case v1::RevocationEntry::kClient:
      return AddClient(entry.client(), *forget_time, revoked);
    case v1::RevocationEntry::kKeyId:
      revoked.AddKey(entry.key_id());
      return absl::OkStatus();
    case v1::RevocationEntry::kAll:
      return AddAll(entry.all(), *forget_time, revoked);
    case v1::RevocationEntry::TARGET_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError("an entry of an unknown kind");
}

absl::Status AddFingerprints(const v1::FingerprintSet& set,
                             revocation::RevokedSet& revoked) {
  const auto forget_time = ForgetTimeOf(set);
  if (!forget_time.ok()) return forget_time.status();
  revocation::FingerprintSetView view;
  view.count = set.count();
  view.low_bits = set.low_bits();
  view.lows = set.lows();
  view.highs = set.highs();
  return revocation::DecodeFingerprints(
      view, [&](absl::Span<const Fingerprint> fingerprints) {
        revoked.AddFingerprints(fingerprints, *forget_time);
      });
}

}  // namespace ostiary::client

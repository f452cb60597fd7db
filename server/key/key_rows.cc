#include "server/key/key_rows.h"

#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "client/jwt/key_set.h"
#include "server/key/lifecycle.h"

namespace ostiary::key {
namespace {

// The label of a sealed public part, which must never open as a private one.
constexpr absl::string_view kPublicPurpose = "access.public";

SealLabel LabelOf(absl::string_view purpose, const storage::KeyRow& row) {
  return {purpose, row.key_id, row.algorithm};
}

absl::Status Damaged(const storage::KeyRow& row, absl::string_view what) {
  return absl::DataLossError(absl::StrCat("key ", row.key_id, ": ", what));
}

}  // namespace

absl::StatusOr<storage::KeyRow> NewKeyRow(const KeyEncryptionKey& kek,
                                          const SigningKey& key,
                                          absl::Time now) {
  const absl::StatusOr<SecretBytes> der = key.ToPkcs8();
  if (!der.ok()) return der.status();
  storage::KeyRow row;
  row.key_id = key.key_id();
  row.purpose = std::string(kAccessPurpose);
  row.algorithm = std::string(jwt::AlgorithmName(key.algorithm()));
  row.state = std::string(kStatePrepared);
  row.sealed = kek.Seal(LabelOf(kAccessPurpose, row), der->Reveal());
  row.public_jwk = key.public_jwk().ToJson();
  row.create_time = now;
  return row;
}

absl::StatusOr<SigningKey> OpenSigningKey(const KeyEncryptionKey& kek,
                                          const storage::KeyRow& row) {
  const std::optional<jwt::Algorithm> algorithm =
      jwt::ParseAlgorithm(row.algorithm);
  if (!algorithm.has_value()) return Damaged(row, "unknown algorithm");
  const absl::StatusOr<SecretBytes> der =
      kek.Open(LabelOf(kAccessPurpose, row), row.sealed);
  if (!der.ok()) return der.status();
  absl::StatusOr<SigningKey> key = SigningKey::FromPkcs8(*algorithm, *der);
  if (!key.ok()) return Damaged(row, key.status().message());
  if (key->key_id() != row.key_id) return Damaged(row, "not the key it names");
  return key;
}

absl::StatusOr<jwt::PublicJwk> OpenPublicKey(const KeyEncryptionKey& kek,
                                             const storage::KeyRow& row) {
  if (row.state != kStateRetired) {
    const absl::StatusOr<SigningKey> key = OpenSigningKey(kek, row);
    if (!key.ok()) return key.status();
    return key->public_jwk();
  }
  const absl::StatusOr<SecretBytes> json =
      kek.Open(LabelOf(kPublicPurpose, row), row.sealed);
  if (!json.ok()) return json.status();
  const absl::StatusOr<jwt::KeySet> set =
      jwt::KeySet::Parse(absl::StrCat("{\"keys\":[", json->Reveal(), "]}"));
  if (!set.ok() || set->keys().size() != 1) {
    return Damaged(row, "not a public key");
  }
  return set->keys().front().jwk();
}

absl::Status DropPrivatePart(const KeyEncryptionKey& kek,
                             storage::KeyRow& row) {
  const absl::StatusOr<SigningKey> key = OpenSigningKey(kek, row);
  if (!key.ok()) return key.status();
  row.sealed =
      kek.Seal(LabelOf(kPublicPurpose, row), key->public_jwk().ToJson());
  return absl::OkStatus();
}

absl::StatusOr<bool> SealAnew(const KeyEncryptionKey& kek,
                              storage::KeyRow& row) {
  if (row.sealed.empty()) return false;
  const absl::StatusOr<std::string> sealer =
      SealingKey::SealerOf(row.key_id, row.sealed);
  if (!sealer.ok()) return sealer.status();
  if (*sealer == kek.sealing_id()) return false;
  const bool is_public =
      row.purpose == kAccessPurpose && row.state == kStateRetired;
  const SealLabel label =
      LabelOf(is_public ? kPublicPurpose : row.purpose, row);
  const absl::StatusOr<SecretBytes> opened = kek.Open(label, row.sealed);
  if (!opened.ok()) return opened.status();
  row.sealed = kek.Seal(label, opened->Reveal());
  return true;
}

}  // namespace ostiary::key

#include "server/key/symmetric_keys.h"

#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "server/key/lifecycle.h"
#include "storage/fail_point.h"

namespace ostiary::key {
namespace {

constexpr std::size_t kKeySize = 32;
constexpr std::size_t kIdSize = 4;
constexpr absl::string_view kAlgorithm = "HMAC-SHA256";

SealLabel LabelOf(const storage::KeyRow& row) {
  return {row.purpose, row.key_id, row.algorithm};
}

storage::KeyRow NewRow(const KeyEncryptionKey& kek, absl::string_view purpose,
                       Random& random, absl::Time now) {
  storage::KeyRow row;
  row.key_id = absl::BytesToHexString(random.Bytes(kIdSize));
  row.purpose = std::string(purpose);
  row.algorithm = std::string(kAlgorithm);
  row.state = std::string(kStateActive);
  row.create_time = now;
  row.activate_time = now;
  const SecretBytes bytes(random.Bytes(kKeySize));
  row.sealed = kek.Seal(LabelOf(row), bytes.Reveal());
  return row;
}

absl::StatusOr<std::vector<storage::KeyRow>> ListRows(
    storage::Store& store, absl::string_view purpose) {
  return storage::ReadValue<std::vector<storage::KeyRow>>(
      store, [&](storage::ReadTx& tx) { return tx.keys().List(purpose); });
}

}  // namespace

SymmetricKeys::SymmetricKeys(std::vector<SymmetricKey> keys)
    : keys_(std::move(keys)) {}

absl::StatusOr<SymmetricKeys> SymmetricKeys::LoadOrCreate(
    storage::Store& store, const KeyEncryptionKey& kek,
    absl::string_view purpose, Random& random, absl::Time now) {
  auto rows = ListRows(store, purpose);
  if (!rows.ok()) return rows.status();
  if (rows->empty()) {
    const storage::KeyRow first = NewRow(kek, purpose, random, now);
    Pass(storage::FailPoint::kStartSymmetric);
    const absl::Status written = store.Write(
        [&](storage::WriteTx& tx) { return tx.keys().Insert(first); });
    if (!written.ok()) return written;
    rows->push_back(first);
  }
  std::vector<SymmetricKey> keys;
  for (const storage::KeyRow& row : *rows) {
    absl::StatusOr<SecretBytes> bytes = kek.Open(LabelOf(row), row.sealed);
    if (!bytes.ok()) return bytes.status();
    if (bytes->size() != kKeySize) {
      return absl::DataLossError(
          absl::StrCat("key ", row.key_id, ": expected 32 bytes"));
    }
    keys.push_back({row.key_id, *std::move(bytes)});
  }
  return SymmetricKeys(std::move(keys));
}

const SymmetricKey* SymmetricKeys::Find(absl::string_view key_id) const {
  for (const SymmetricKey& key : keys_) {
    if (key.key_id == key_id) return &key;
  }
  return nullptr;
}

}  // namespace ostiary::key

#include "server/key/key_encryption.h"

#include <algorithm>
#include <boost/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/reason.h"
#include "server/key/key_rows.h"
#include "server/key/private_file.h"

namespace ostiary::key {
namespace {

using State = EncryptionKeyInfo::State;
using Infos = std::vector<EncryptionKeyInfo>;

constexpr absl::string_view kAction = "key_encryption_key.rotate";

absl::Status Conflict(absl::string_view sentence) {
  return Refuse(Reason::kKeyStateConflict, sentence);
}

std::shared_ptr<const KeyEncryptionKey::Keys> FirstOf(
    const KeyEncryptionKey::Keys& keys) {
  return std::make_shared<const KeyEncryptionKey::Keys>(1, keys.front());
}

EncryptionKeyInfo& FindOrAdd(Infos& infos, const std::string& id) {
  const auto found =
      std::find_if(infos.begin(), infos.end(),
                   [&](const EncryptionKeyInfo& one) { return one.id == id; });
  if (found != infos.end()) return *found;
  infos.push_back({id, State::kMissing, 0});
  return infos.back();
}

absl::StatusOr<Infos> Count(const KeyEncryptionKey::Keys& keys,
                            const std::vector<storage::KeyRow>& rows) {
  Infos infos;
  for (const auto& key : keys) {
    infos.push_back(
        {key->id(), infos.empty() ? State::kSeals : State::kOpens, 0});
  }
  for (const storage::KeyRow& row : rows) {
    if (row.sealed.empty()) continue;
    const absl::StatusOr<std::string> sealer =
        SealingKey::SealerOf(row.key_id, row.sealed);
    if (!sealer.ok()) return sealer.status();
    ++FindOrAdd(infos, *sealer).sealed_rows;
  }
  return infos;
}

absl::StatusOr<Infos> CountIn(storage::Store& store,
                              const KeyEncryptionKey::Keys& keys) {
  const auto rows = storage::ReadValue<std::vector<storage::KeyRow>>(
      store, [](storage::ReadTx& tx) { return tx.keys().ListAll(); });
  if (!rows.ok()) return rows.status();
  return Count(keys, *rows);
}

// Empty: none is missing.
std::string WhatIsMissing(const Infos& infos) {
  std::string sentences;
  for (const EncryptionKeyInfo& info : infos) {
    if (info.state != State::kMissing) continue;
    absl::StrAppend(&sentences, sentences.empty() ? "" : "; ", info.sealed_rows,
                    info.sealed_rows == 1 ? " key is" : " keys are",
                    " sealed under the key-encryption key ", info.id);
  }
  return sentences;
}

bool IsUnfinished(const Infos& infos) { return infos.size() > 1; }

std::string DetailOf(const std::string& to, const boost::json::object& from) {
  boost::json::object detail;
  detail["sealed_under"] = to;
  detail["before"] = from;
  return boost::json::serialize(detail);
}

}  // namespace

KeyEncryption::KeyEncryption(storage::Store& store, KeyEncryptionKey& kek,
                             std::string path)
    : store_(store), kek_(kek), file_(std::move(path)) {}

absl::StatusOr<EncryptionRotation> KeyEncryption::Finish(absl::Time now) {
  absl::MutexLock lock(&rotating_);
  DropDraftOf(file_.path());
  const std::shared_ptr<const Keys> keys = kek_.keys();
  const absl::StatusOr<Infos> infos = CountIn(store_, *keys);
  if (!infos.ok()) return infos.status();
  if (const std::string missing = WhatIsMissing(*infos); !missing.empty()) {
    return absl::FailedPreconditionError(absl::StrCat(
        file_.path(), ": ", missing, ", which is not in this file (it holds ",
        IdsOf(*keys),
        "). Add that key to the file as a line of its own, behind what is "
        "there; the next start seals them anew."));
  }
  if (!IsUnfinished(*infos)) return EncryptionRotation{*infos, 0, {}};
  // What the first line is sealed with must not be lost with the power.
  if (auto s = file_.Sync(); !s.ok()) return s;
  storage::AuditRow audit;
  audit.actor = "start";
  return Complete(audit, now);
}

absl::StatusOr<EncryptionRotation> KeyEncryption::Rotate(
    const storage::AuditRow& audit, absl::Time now) {
  absl::MutexLock lock(&rotating_);
  const std::string sealing = kek_.sealing_id();
  if (auto s = TakeFile(); !s.ok()) return s;
  const absl::StatusOr<Infos> infos = CountIn(store_, *kek_.keys());
  if (!infos.ok()) return infos.status();
  if (!IsUnfinished(*infos) && kek_.sealing_id() == sealing) {
    if (auto s = PutNewInFront(); !s.ok()) return s;
  }
  return Complete(audit, now);
}

absl::StatusOr<std::vector<EncryptionKeyInfo>> KeyEncryption::List() const {
  return CountIn(store_, *kek_.keys());
}

// The operator may have changed the file since it was read.
absl::Status KeyEncryption::TakeFile() {
  absl::StatusOr<Keys> keys = file_.Read();
  if (!keys.ok()) {
    return Conflict(absl::StrCat("The key-encryption key cannot be read: ",
                                 keys.status().message()));
  }
  const absl::StatusOr<Infos> infos = CountIn(store_, *keys);
  if (!infos.ok()) return infos.status();
  if (const std::string missing = WhatIsMissing(*infos); !missing.empty()) {
    return Conflict(absl::StrCat(
        missing, ", which is no longer in ", file_.path(),
        ". Put it back behind the new key; it may go once they are sealed "
        "anew."));
  }
  if (auto s = file_.Sync(); !s.ok()) return Conflict(s.message());
  kek_.Use(std::make_shared<const Keys>(*std::move(keys)));
  return absl::OkStatus();
}

absl::Status KeyEncryption::PutNewInFront() {
  Keys keys = {std::make_shared<const SealingKey>(SealingKey::Generate())};
  const std::shared_ptr<const Keys> before = kek_.keys();
  keys.insert(keys.end(), before->begin(), before->end());
  if (auto s = file_.Replace(keys); !s.ok()) {
    return Conflict(absl::StrCat(
        s.message(),
        ". Where the file is not this server's to write, put a new key in "
        "front of it, keep the old one behind, and ask again."));
  }
  kek_.Use(std::make_shared<const Keys>(std::move(keys)));
  return absl::OkStatus();
}

absl::StatusOr<EncryptionRotation> KeyEncryption::Complete(
    const storage::AuditRow& audit, absl::Time now) {
  const absl::StatusOr<int> sealed_anew = SealAllAnew(audit, now);
  if (!sealed_anew.ok()) return sealed_anew.status();
  const absl::StatusOr<Infos> committed = CountIn(store_, *kek_.keys());
  if (!committed.ok()) return committed.status();
  for (const EncryptionKeyInfo& info : *committed) {
    if (info.state == State::kSeals || info.sealed_rows == 0) continue;
    return Conflict(absl::StrCat("Keys were sealed under ", info.id,
                                 " meanwhile; ask again."));
  }
  EncryptionRotation done;
  done.sealed_anew = *sealed_anew;
  done.left_in_file = DropOldKeys();
  absl::StatusOr<Infos> infos = CountIn(store_, *kek_.keys());
  if (!infos.ok()) return infos.status();
  done.keys = *std::move(infos);
  return done;
}

absl::StatusOr<int> KeyEncryption::SealAllAnew(const storage::AuditRow& audit,
                                               absl::Time now) {
  return storage::WriteValue<int>(
      store_, [&](storage::WriteTx& tx) -> absl::StatusOr<int> {
        auto rows = tx.keys().ListAll();
        if (!rows.ok()) return rows.status();
        const absl::StatusOr<Infos> before = Count(*kek_.keys(), *rows);
        if (!before.ok()) return before.status();
        int changed = 0;
        for (storage::KeyRow& row : *rows) {
          const absl::StatusOr<bool> anew = SealAnew(kek_, row);
          if (!anew.ok()) return anew.status();
          if (!*anew) continue;
          if (auto s = tx.keys().Update(row); !s.ok()) return s;
          ++changed;
        }
        if (changed == 0) return 0;
        boost::json::object from;
        for (const EncryptionKeyInfo& info : *before) {
          if (info.sealed_rows > 0) from[info.id] = info.sealed_rows;
        }
        storage::AuditRow row = audit;
        row.time = now;
        row.action = std::string(kAction);
        row.outcome = "ok";
        row.detail = DetailOf(kek_.sealing_id(), from);
        if (auto s = tx.audit().Append(row); !s.ok()) return s;
        return changed;
      });
}

// Only what the committed rows do not need: called after the commit.
absl::Status KeyEncryption::DropOldKeys() {
  const std::shared_ptr<const Keys> keys = kek_.keys();
  if (keys->size() == 1) return absl::OkStatus();
  const std::shared_ptr<const Keys> first = FirstOf(*keys);
  if (auto s = file_.Replace(*first); !s.ok()) return s;
  kek_.Use(first);
  return absl::OkStatus();
}

}  // namespace ostiary::key

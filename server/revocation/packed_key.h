#ifndef OSTIARY_SERVER_REVOCATION_PACKED_KEY_H_
#define OSTIARY_SERVER_REVOCATION_PACKED_KEY_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "server/base/ids.h"
#include "storage/rows.h"

namespace ostiary::revocation {

// How texts of one kind are written when they stand for 16 bytes. A ledger of a
// million rows then takes 16 bytes a key and no allocation, instead of 80.
enum class KeyForm {
  kTokenId,    // 22 characters of base64url, as our jti are
  kSessionId,  // "sess_..."
  kAccountId,  // "acct_..."
};

// Nullopt for kinds whose keys are names.
std::optional<KeyForm> KeyFormOf(storage::LedgerKind kind);

// The bytes behind a text. Nullopt for anything but the one canonical spelling:
// two texts never share bytes, so comparing bytes is comparing texts.
std::optional<IdBytes> PackKey(KeyForm form, absl::string_view text);

// The text that PackKey turns into `bytes`.
std::string UnpackKey(KeyForm form, const IdBytes& bytes);

}  // namespace ostiary::revocation

#endif  // OSTIARY_SERVER_REVOCATION_PACKED_KEY_H_

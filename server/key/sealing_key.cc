#include "server/key/sealing_key.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <array>
#include <cstdlib>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "server/base/wiping.h"
#include "server/key/openssl_handle.h"

namespace ostiary::key {
namespace {

constexpr std::size_t kKeySize = 32;
constexpr std::size_t kHexSize = 64;
constexpr std::size_t kBase64Size = 43;

// On disk: version, mark of the sealing key, nonce, ciphertext, tag.
constexpr char kVersion = '\x01';
constexpr std::size_t kMarkSize = 4;
constexpr std::size_t kNonceSize = 12;
constexpr std::size_t kTagSize = 16;
constexpr std::size_t kHeaderSize = 1 + kMarkSize + kNonceSize;

const unsigned char* Bytes(absl::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* Bytes(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

// Not from base::Random: a replayed generator would repeat nonces, and GCM
// does not survive one repeated nonce.
std::string FreshBytes(std::size_t count) {
  std::string bytes(count, '\0');
  if (RAND_bytes(Bytes(bytes), static_cast<int>(count)) != 1) std::abort();
  return bytes;
}

std::string MarkOf(const SecretBytes& key) {
  std::string text = absl::StrCat("ostiary kek mark:", key.Reveal());
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  if (EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(),
                 nullptr) != 1) {
    std::abort();
  }
  Wipe(text);
  return std::string(reinterpret_cast<const char*>(digest.data()), kMarkSize);
}

// Lengths first: no two labels have the same bytes.
std::string AssociatedData(const SealLabel& label, absl::string_view header) {
  return absl::StrCat(header, label.purpose.size(), ":", label.purpose,
                      label.key_id.size(), ":", label.key_id,
                      label.algorithm.size(), ":", label.algorithm);
}

// 32 bytes out of their text form, or nothing.
SecretBytes DecodeText(absl::string_view text) {
  std::string bytes;
  const bool hex = text.size() == kHexSize;
  if (hex && text.find_first_not_of("0123456789abcdefABCDEF") !=
                 absl::string_view::npos) {
    return SecretBytes();
  }
  if (hex) {
    bytes = absl::HexStringToBytes(text);
  } else if (text.size() < kBase64Size || text.size() > kBase64Size + 1 ||
             !absl::WebSafeBase64Unescape(text, &bytes)) {
    Wipe(bytes);
    return SecretBytes();
  }
  return SecretBytes(std::move(bytes));
}

absl::Status NotAKey() {
  return absl::InvalidArgumentError(
      "expected a key of 32 bytes as 64 hex digits or 43 characters of "
      "base64url");
}

}  // namespace

SealingKey::SealingKey(SecretBytes key)
    : key_(std::move(key)),
      mark_(MarkOf(key_)),
      id_(absl::BytesToHexString(mark_)) {}

SealingKey SealingKey::Generate() {
  return SealingKey(SecretBytes(FreshBytes(kKeySize)));
}

absl::StatusOr<SealingKey> SealingKey::FromText(absl::string_view text) {
  const SecretBytes key = DecodeText(text);
  return FromBytes(key.Reveal());
}

absl::StatusOr<SealingKey> SealingKey::FromBytes(absl::string_view bytes) {
  if (bytes.size() != kKeySize) return NotAKey();
  return SealingKey(SecretBytes::CopyOf(bytes));
}

SecretBytes SealingKey::ToText() const {
  return SecretBytes(absl::BytesToHexString(key_.Reveal()));
}

absl::StatusOr<std::string> SealingKey::SealerOf(absl::string_view key_id,
                                                 absl::string_view sealed) {
  if (sealed.size() < kHeaderSize + kTagSize) {
    return absl::DataLossError(
        absl::StrCat("key ", key_id, ": what is stored is cut short"));
  }
  if (sealed[0] != kVersion) {
    return absl::FailedPreconditionError(
        absl::StrCat("key ", key_id,
                     ": sealed in a format this program is too old "
                     "to open"));
  }
  return absl::BytesToHexString(sealed.substr(1, kMarkSize));
}

std::string SealingKey::Seal(const SealLabel& label,
                             absl::string_view plaintext) const {
  const WipingScope wiping;
  std::string sealed = absl::StrCat(absl::string_view(&kVersion, 1), mark_,
                                    FreshBytes(kNonceSize));
  const std::string aad = AssociatedData(label, sealed);
  sealed.resize(kHeaderSize + plaintext.size() + kTagSize);
  unsigned char* const body = Bytes(sealed) + kHeaderSize;
  const CipherContext context(EVP_CIPHER_CTX_new());
  int size = 0;
  const bool ok =
      context != nullptr &&
      EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr,
                         Bytes(key_.Reveal()),
                         Bytes(sealed) + 1 + kMarkSize) == 1 &&
      EVP_EncryptUpdate(context.get(), nullptr, &size, Bytes(aad),
                        static_cast<int>(aad.size())) == 1 &&
      EVP_EncryptUpdate(context.get(), body, &size, Bytes(plaintext),
                        static_cast<int>(plaintext.size())) == 1 &&
      EVP_EncryptFinal_ex(context.get(), body + size, &size) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, kTagSize,
                          body + plaintext.size()) == 1;
  if (!ok) std::abort();  // only without memory
  return sealed;
}

absl::StatusOr<SecretBytes> SealingKey::Open(const SealLabel& label,
                                             absl::string_view sealed) const {
  const WipingScope wiping;
  const absl::StatusOr<std::string> sealer = SealerOf(label.key_id, sealed);
  if (!sealer.ok()) return sealer.status();
  const std::string aad = AssociatedData(label, sealed.substr(0, kHeaderSize));
  const absl::string_view body =
      sealed.substr(kHeaderSize, sealed.size() - kHeaderSize - kTagSize);
  std::string tag(sealed.substr(sealed.size() - kTagSize));
  std::string plaintext(body.size(), '\0');
  const CipherContext context(EVP_CIPHER_CTX_new());
  int size = 0;
  const bool ok =
      context != nullptr &&
      EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr,
                         Bytes(key_.Reveal()),
                         Bytes(sealed) + 1 + kMarkSize) == 1 &&
      EVP_DecryptUpdate(context.get(), nullptr, &size, Bytes(aad),
                        static_cast<int>(aad.size())) == 1 &&
      EVP_DecryptUpdate(context.get(), Bytes(plaintext), &size, Bytes(body),
                        static_cast<int>(body.size())) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, kTagSize,
                          tag.data()) == 1 &&
      EVP_DecryptFinal_ex(context.get(), Bytes(plaintext) + size, &size) == 1;
  SecretBytes opened(std::move(plaintext));  // wiped on the way out if not ok
  if (!ok) {
    return absl::DataLossError(
        absl::StrCat("key ", label.key_id,
                     ": what is stored was altered or belongs to another key"));
  }
  return opened;
}

}  // namespace ostiary::key

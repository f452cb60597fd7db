#include "client/jwt/verifying_key.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "client/jwt/key_material.h"

namespace ostiary::jwt {
namespace {

constexpr std::size_t kMaxKidBytes = 256;
constexpr std::size_t kScalarBytes = 32;
constexpr std::size_t kEs256SignatureBytes = 2 * kScalarBytes;
constexpr std::size_t kEd25519SignatureBytes = 64;
constexpr std::size_t kDigestBytes = 32;

const unsigned char* Bytes(absl::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// OpenSSL leaves a note of every refused signature in the thread's error
// queue; it is not an error of the program and must not be found there later.
class ErrorQueueMark {
 public:
  ErrorQueueMark() { ERR_set_mark(); }
  ~ErrorQueueMark() { ERR_pop_to_mark(); }
  ErrorQueueMark(const ErrorQueueMark&) = delete;
  ErrorQueueMark& operator=(const ErrorQueueMark&) = delete;
};

// SEQUENCE { INTEGER r, INTEGER s } with both numbers in their shortest form.
class DerSignature {
 public:
  // `raw` is R || S, kEs256SignatureBytes long.
  explicit DerSignature(absl::string_view raw) {
    PutInteger(raw.substr(0, kScalarBytes));
    PutInteger(raw.substr(kScalarBytes));
    der_[0] = 0x30;
    der_[1] = static_cast<unsigned char>(size_ - 2);
  }

  const unsigned char* data() const { return der_.data(); }
  std::size_t size() const { return size_; }

 private:
  void PutInteger(absl::string_view scalar) {
    while (scalar.size() > 1 && scalar[0] == '\0') scalar.remove_prefix(1);
    const bool looks_negative = (Bytes(scalar)[0] & 0x80) != 0;
    der_[size_++] = 0x02;
    der_[size_++] =
        static_cast<unsigned char>(scalar.size() + (looks_negative ? 1 : 0));
    if (looks_negative) der_[size_++] = 0;
    for (const char byte : scalar) {
      der_[size_++] = static_cast<unsigned char>(byte);
    }
  }

  static constexpr std::size_t kMaxBytes = 2 + 2 * (2 + 1 + kScalarBytes);
  static_assert(kMaxBytes - 2 < 0x80, "one byte of length is enough");

  std::array<unsigned char, kMaxBytes> der_;
  std::size_t size_ = 2;
};

}  // namespace

// Setting up an OpenSSL context costs 6 to 11 us, so it is done once. A
// context serves one thread at a time: there are as many as ever were in use
// at once, and they go when the key goes.
class VerifyingKey::Impl {
 public:
  Impl(PublicJwk jwk, EvpKey key)
      : jwk_(std::move(jwk)),
        key_(std::move(key)),
        sha256_(EVP_MD_fetch(nullptr, "SHA256", nullptr)) {}

  // False if OpenSSL cannot check this key's signatures at all.
  bool Prepare() {
    if (sha256_ == nullptr) return false;
    if (jwk_.algorithm == Algorithm::kEdDsa) {
      message_context_.reset(EVP_MD_CTX_new());
      return message_context_ != nullptr &&
             EVP_DigestVerifyInit(message_context_.get(), nullptr, nullptr,
                                  nullptr, key_.get()) == 1;
    }
    EvpKeyContext context = NewContext();
    if (context == nullptr) return false;
    GiveBack(std::move(context));
    return true;
  }

  const PublicJwk& jwk() const { return jwk_; }

  bool Verifies(absl::string_view message, absl::string_view signature) const {
    switch (jwk_.algorithm) {
      case Algorithm::kEs256:
        // Fixed length, before anything is copied (HAProxy's overflow).
        if (signature.size() != kEs256SignatureBytes) return false;
        return VerifiesDer(message, DerSignature(signature));
      case Algorithm::kRs256:
        if (signature.size() != jwk_.n.size()) return false;
        return VerifiesDigest(message, Bytes(signature), signature.size());
      case Algorithm::kEdDsa:
        if (signature.size() != kEd25519SignatureBytes) return false;
        return VerifiesMessage(message, signature);
    }
    return false;
  }

 private:
  EvpKeyContext NewContext() const {
    EvpKeyContext context(
        EVP_PKEY_CTX_new_from_pkey(nullptr, key_.get(), nullptr));
    if (context == nullptr) return nullptr;
    if (EVP_PKEY_verify_init(context.get()) != 1) return nullptr;
    if (jwk_.algorithm == Algorithm::kRs256 &&
        EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) != 1) {
      return nullptr;
    }
    if (EVP_PKEY_CTX_set_signature_md(context.get(), sha256_.get()) != 1) {
      return nullptr;
    }
    return context;
  }

  EvpKeyContext Borrow() const {
    {
      const std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        EvpKeyContext context = std::move(idle_.back());
        idle_.pop_back();
        return context;
      }
    }
    return NewContext();
  }

  void GiveBack(EvpKeyContext context) const {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(context));
  }

  bool VerifiesDer(absl::string_view message,
                   const DerSignature& signature) const {
    return VerifiesDigest(message, signature.data(), signature.size());
  }

  bool VerifiesDigest(absl::string_view message, const unsigned char* signature,
                      std::size_t signature_size) const {
    unsigned char digest[kDigestBytes];
    if (EVP_Digest(message.data(), message.size(), digest, nullptr,
                   sha256_.get(), nullptr) != 1) {
      return false;
    }
    EvpKeyContext context = Borrow();
    if (context == nullptr) return false;
    const bool good = EVP_PKEY_verify(context.get(), signature, signature_size,
                                      digest, sizeof(digest)) == 1;
    GiveBack(std::move(context));
    return good;
  }

  // Ed25519 takes the whole message. Newer OpenSSL lets a context be used
  // once, so each call works on a copy of one that is never used itself.
  bool VerifiesMessage(absl::string_view message,
                       absl::string_view signature) const {
    EvpMessageContext context(EVP_MD_CTX_new());
    if (context == nullptr ||
        EVP_MD_CTX_copy_ex(context.get(), message_context_.get()) != 1) {
      return false;
    }
    return EVP_DigestVerify(context.get(), Bytes(signature), signature.size(),
                            Bytes(message), message.size()) == 1;
  }

  // Constant after Prepare.
  const PublicJwk jwk_;
  const EvpKey key_;
  const EvpDigest sha256_;
  EvpMessageContext message_context_;

  // Not absl::Mutex: Debian's is invisible to tsan, which must see this one.
  mutable std::mutex mutex_;
  mutable std::vector<EvpKeyContext> idle_;  // guarded by mutex_
};

VerifyingKey::VerifyingKey(std::shared_ptr<const Impl> impl)
    : impl_(std::move(impl)) {}

absl::StatusOr<VerifyingKey> VerifyingKey::Create(PublicJwk jwk) {
  const ErrorQueueMark mark;
  if (jwk.kid.empty() || jwk.kid.size() > kMaxKidBytes) {
    return absl::InvalidArgumentError("kid must have 1 to 256 bytes");
  }
  absl::StatusOr<EvpKey> key = MakeEvpKey(jwk);
  if (!key.ok()) return key.status();
  auto impl = std::make_shared<Impl>(std::move(jwk), *std::move(key));
  if (!impl->Prepare()) {
    return absl::InvalidArgumentError("the key cannot check signatures");
  }
  return VerifyingKey(std::move(impl));
}

const PublicJwk& VerifyingKey::jwk() const { return impl_->jwk(); }

bool VerifyingKey::Verifies(absl::string_view message,
                            absl::string_view signature) const {
  const ErrorQueueMark mark;
  return impl_->Verifies(message, signature);
}

}  // namespace ostiary::jwt

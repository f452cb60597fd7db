#include "server/key/signer.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <array>

namespace ostiary::key {
namespace {

constexpr std::size_t kSha256Size = 32;
constexpr std::size_t kScalarSize = 32;  // of P-256
constexpr std::size_t kEd25519SignatureSize = 64;

const unsigned char* Bytes(absl::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* Bytes(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

absl::Status Failed() { return absl::InternalError("OpenSSL could not sign"); }

// Fetched once: a look-up by name takes locks and microseconds.
const EVP_MD* Sha256() {
  static const EVP_MD* const digest = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return digest;
}

// DER to R || S, both of full length (RFC 7518 section 3.4).
absl::StatusOr<std::string> ToJwsForm(const std::string& der) {
  const unsigned char* at = reinterpret_cast<const unsigned char*>(der.data());
  const EcdsaSignature signature(
      d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  if (signature == nullptr) return Failed();
  std::string form(2 * kScalarSize, '\0');
  const bool ok =
      BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), Bytes(form),
                   kScalarSize) == kScalarSize &&
      BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), Bytes(form) + kScalarSize,
                   kScalarSize) == kScalarSize;
  if (!ok) return Failed();
  return form;
}

}  // namespace

absl::StatusOr<std::string> SigningKey::Signer::Sign(
    absl::string_view message) const {
  switch (algorithm_) {
    case jwt::Algorithm::kEdDsa:
      return SignEdDsa(message);
    case jwt::Algorithm::kRs256:
      return SignDigest(message);
    case jwt::Algorithm::kEs256: {
      const absl::StatusOr<std::string> der = SignDigest(message);
      if (!der.ok()) return der.status();
      return ToJwsForm(*der);
    }
  }
  return Failed();
}

absl::StatusOr<std::string> SigningKey::Signer::SignDigest(
    absl::string_view message) const {
  std::array<unsigned char, kSha256Size> digest;
  if (EVP_Digest(message.data(), message.size(), digest.data(), nullptr,
                 Sha256(), nullptr) != 1) {
    return Failed();
  }
  PkeyContext context = Borrow();
  if (context == nullptr) return Failed();
  std::string signature(static_cast<std::size_t>(EVP_PKEY_get_size(key())),
                        '\0');
  std::size_t size = signature.size();
  // A context that failed is not given back.
  if (EVP_PKEY_sign(context.get(), Bytes(signature), &size, digest.data(),
                    digest.size()) != 1) {
    return Failed();
  }
  GiveBack(std::move(context));
  signature.resize(size);
  return signature;
}

// Ed25519 signs the message, not its digest, and OpenSSL 3.0 offers that only
// with a set-up for each message.
absl::StatusOr<std::string> SigningKey::Signer::SignEdDsa(
    absl::string_view message) const {
  const DigestContext context(EVP_MD_CTX_new());
  std::string signature(kEd25519SignatureSize, '\0');
  std::size_t size = signature.size();
  const bool ok = context != nullptr &&
                  EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr,
                                     key()) == 1 &&
                  EVP_DigestSign(context.get(), Bytes(signature), &size,
                                 Bytes(message), message.size()) == 1 &&
                  size == signature.size();
  if (!ok) return Failed();
  return signature;
}

PkeyContext SigningKey::Signer::Borrow() const {
  {
    absl::MutexLock lock(&mutex_);
    if (!idle_.empty()) {
      PkeyContext context = std::move(idle_.back());
      idle_.pop_back();
      return context;
    }
  }
  return SetUp();
}

void SigningKey::Signer::GiveBack(PkeyContext context) const {
  absl::MutexLock lock(&mutex_);
  idle_.push_back(std::move(context));
}

PkeyContext SigningKey::Signer::SetUp() const {
  PkeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key(), nullptr));
  const bool ok =
      context != nullptr && EVP_PKEY_sign_init(context.get()) == 1 &&
      EVP_PKEY_CTX_set_signature_md(context.get(), Sha256()) == 1 &&
      (algorithm_ != jwt::Algorithm::kRs256 ||
       EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) == 1);
  return ok ? std::move(context) : nullptr;
}

}  // namespace ostiary::key

#include "server/base/secret.h"

#include <openssl/crypto.h>

#include <cstring>

#include "server/base/secret_arena.h"

namespace ostiary {

void Wipe(std::string& bytes) {
  bytes.resize(bytes.capacity());  // what it holds; nothing is allocated
  OPENSSL_cleanse(bytes.data(), bytes.size());
  bytes.clear();
}

bool EqualInConstantTime(absl::string_view a, absl::string_view b) {
  return a.size() == b.size() &&
         CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

SecretBytes::SecretBytes(std::string bytes) : SecretBytes(CopyOf(bytes)) {
  Wipe(bytes);
}

SecretBytes SecretBytes::CopyOf(absl::string_view bytes) {
  SecretBytes copy;
  if (bytes.empty()) return copy;
  copy.bytes_ = TakeSecretMemory(bytes.size());
  copy.size_ = bytes.size();
  std::memcpy(copy.bytes_, bytes.data(), bytes.size());
  return copy;
}

void SecretBytes::Clear() noexcept {
  GiveBackSecretMemory(bytes_, size_);
  bytes_ = nullptr;
  size_ = 0;
}

}  // namespace ostiary

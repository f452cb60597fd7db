#include "server/base/secret_arena.h"

#include <openssl/crypto.h>

#include <atomic>
#include <cstdlib>

namespace ostiary {
namespace {

// A number of a P-256 key is not cut smaller than this.
constexpr std::size_t kSmallestBlock = 32;
// Larger secrets are too few to be worth a hole in the arena.
constexpr std::size_t kLargestBlock = 16 * 1024;

std::atomic<bool> overflowed{false};

bool HasRoomFor(std::size_t size) {
  return size <= kLargestBlock &&
         CRYPTO_secure_used() + size <= kSecretArenaBytes / 2;
}

char* TakeFromArena(std::size_t size) {
  if (CRYPTO_secure_malloc_initialized() != 1) return nullptr;
  void* memory = HasRoomFor(size) ? OPENSSL_secure_malloc(size) : nullptr;
  if (memory == nullptr) overflowed = true;
  return static_cast<char*>(memory);
}

}  // namespace

SecretArena OpenSecretArena() {
  switch (CRYPTO_secure_malloc_init(kSecretArenaBytes, kSmallestBlock)) {
    case 1:
      return SecretArena::kLocked;
    case 2:
      return SecretArena::kNotLocked;
    default:
      return SecretArena::kAbsent;
  }
}

char* TakeSecretMemory(std::size_t size) {
  char* memory = TakeFromArena(size);
  if (memory == nullptr) memory = static_cast<char*>(std::malloc(size));
  if (memory == nullptr) std::abort();
  return memory;
}

void GiveBackSecretMemory(char* memory, std::size_t size) {
  if (memory == nullptr) return;
  if (IsInSecretArena(memory)) {
    OPENSSL_secure_clear_free(memory, size);
    return;
  }
  OPENSSL_cleanse(memory, size);
  std::free(memory);
}

bool IsInSecretArena(const char* memory) {
  return CRYPTO_secure_allocated(memory) == 1;
}

bool SecretArenaOverflowed() { return overflowed.exchange(false); }

}  // namespace ostiary

#ifndef OSTIARY_SERVER_BASE_SECRET_ARENA_H_
#define OSTIARY_SERVER_BASE_SECRET_ARENA_H_

#include <cstddef>

namespace ostiary {

// One stretch of memory for what must not reach a disk: OpenSSL's secure heap,
// locked against swapping, left out of core dumps, a guard page at either end,
// wiped when freed. Our SecretBytes live there, and the private numbers of
// OpenSSL's keys.
//
// It is small and has one lock: for keys and for the password of a sign-in, not
// for what every call carries.
enum class SecretArena {
  kLocked,     // as above
  kNotLocked,  // may be swapped: RLIMIT_MEMLOCK is too small; the rest holds
  kAbsent,     // none could be had: secrets lie in ordinary memory
};

inline constexpr std::size_t kSecretArenaBytes = 512 * 1024;

// Before the first thread and the first key. Without it, SecretBytes lie in
// ordinary memory.
SecretArena OpenSecretArena();

// `size` bytes in the arena. Where it is absent, or more than half full (the
// other half is OpenSSL's, which fails where it finds none): in ordinary
// memory. Never null. Thread-safe, as all of these.
char* TakeSecretMemory(std::size_t size);
// Wipes and gives back. `memory` may be null.
void GiveBackSecretMemory(char* memory, std::size_t size);

// Whether `memory` lies in the arena.
bool IsInSecretArena(const char* memory);
// True if something has found no place in the arena since this was last asked.
bool SecretArenaOverflowed();

}  // namespace ostiary

#endif  // OSTIARY_SERVER_BASE_SECRET_ARENA_H_

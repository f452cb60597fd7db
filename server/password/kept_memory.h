#ifndef OSTIARY_SERVER_PASSWORD_KEPT_MEMORY_H_
#define OSTIARY_SERVER_PASSWORD_KEPT_MEMORY_H_

#include <cstddef>
#include <cstdint>

// 0 under sanitizers, which answer mmap themselves.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define OSTIARY_KEEPS_HASH_MEMORY 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
#define OSTIARY_KEEPS_HASH_MEMORY 0
#endif
#endif
#ifndef OSTIARY_KEEPS_HASH_MEMORY
#define OSTIARY_KEEPS_HASH_MEMORY 1
#endif

namespace ostiary::password {

// One thread's memory for hashing, kept from one hash to the next.
//
// libsodium maps 19 MiB for each Argon2 hash and unmaps it after. The system
// zeroes every page of it, which costs as much as the hash itself (7 of 13 ms,
// measured) and holds the lock of the process's memory map meanwhile, so that
// other threads wait. Debian's libsodium takes no memory from its caller; so
// while a Lending lives, this room answers the `mmap` and `munmap` of its
// thread (docs/decisions/0007-kept-hash-memory.md). Where that is impossible,
// nothing is kept (OSTIARY_KEEPS_HASH_MEMORY).
//
// What is kept is wiped after each hash and left out of core dumps.
//
// Not thread-safe: each thread has its own.
class KeptMemory {
 public:
  // Larger hashes map their own.
  static constexpr std::size_t kMost = std::size_t{64} << 20;

  KeptMemory() = default;
  ~KeptMemory() { Release(); }
  KeptMemory(const KeptMemory&) = delete;
  KeptMemory& operator=(const KeptMemory&) = delete;

  // While it lives, its thread's hashes get what is kept. One at a time on a
  // thread.
  class Lending {
   public:
    explicit Lending(KeptMemory& memory);
    ~Lending();
    Lending(const Lending&) = delete;
    Lending& operator=(const Lending&) = delete;
  };

  // Gives everything back to the system.
  void Release();

  bool empty() const { return block_ == nullptr; }
  // How many hashes found their memory here.
  std::int64_t reuses() const { return reuses_; }

  // For the hooks: a block for `bytes`, or null if it is none of ours.
  void* Take(std::size_t bytes);
  // False if `block` was not taken here.
  bool PutBack(void* block, std::size_t bytes);

 private:
  void* block_ = nullptr;  // at a huge page's boundary, within `mapped_`
  std::size_t bytes_ = 0;
  void* mapped_ = nullptr;
  std::size_t mapped_bytes_ = 0;
  bool taken_ = false;
  std::int64_t reuses_ = 0;
};

}  // namespace ostiary::password

#endif  // OSTIARY_SERVER_PASSWORD_KEPT_MEMORY_H_

#include "server/password/kept_memory.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace ostiary::password {
namespace {

// Less is no hash's memory, and costs the system little.
constexpr std::size_t kLeast = std::size_t{1} << 20;
constexpr std::size_t kHugePage = std::size_t{2} << 20;

thread_local KeptMemory* lender = nullptr;

void* Map(void* address, std::size_t bytes, int protection, int flags, int file,
          off_t offset) {
  // NOLINTNEXTLINE(performance-no-int-to-ptr): what the system call is
  return reinterpret_cast<void*>(
      syscall(SYS_mmap, address, bytes, protection, flags, file, offset));
}

int Unmap(void* address, std::size_t bytes) {
  return static_cast<int>(syscall(SYS_munmap, address, bytes));
}

}  // namespace

KeptMemory::Lending::Lending(KeptMemory& memory) { lender = &memory; }

KeptMemory::Lending::~Lending() { lender = nullptr; }

void KeptMemory::Release() {
  if (mapped_ != nullptr) Unmap(mapped_, mapped_bytes_);
  block_ = mapped_ = nullptr;
  bytes_ = mapped_bytes_ = 0;
}

void* KeptMemory::Take(std::size_t bytes) {
  if (taken_ || bytes < kLeast || bytes > kMost) return nullptr;
  if (block_ != nullptr && bytes_ == bytes) {
    ++reuses_;
    taken_ = true;
    return block_;
  }
  Release();
  const std::size_t room = bytes + kHugePage;
  void* const mapped = Map(nullptr, room, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return nullptr;
  // Wishes, both: fewer and larger pages, and none of them in a core dump.
  (void)madvise(mapped, room, MADV_HUGEPAGE);
  (void)madvise(mapped, room, MADV_DONTDUMP);
  const auto begin = reinterpret_cast<std::uintptr_t>(mapped);
  const std::size_t skipped = (kHugePage - begin % kHugePage) % kHugePage;
  mapped_ = mapped;
  mapped_bytes_ = room;
  block_ = static_cast<char*>(mapped) + skipped;
  bytes_ = bytes;
  taken_ = true;
  return block_;
}

bool KeptMemory::PutBack(void* block, std::size_t bytes) {
  if (!taken_ || block != block_) return false;
  // With it, a guess at the password could be checked for a fraction of the
  // hash's price.
  explicit_bzero(block, bytes);
  taken_ = false;
  return true;
}

}  // namespace ostiary::password

#if OSTIARY_KEEPS_HASH_MEMORY

// Before libc's own for everything that is linked dynamically. The system's
// answers, but for a hash on a thread that has been lent memory.
extern "C" {

__attribute__((visibility("default"))) void* mmap(void* address,
                                                  std::size_t bytes,
                                                  int protection, int flags,
                                                  int file,
                                                  off_t offset) noexcept {
  using ostiary::password::lender;
  constexpr int kOwnMemory = MAP_PRIVATE | MAP_ANONYMOUS;
  if (lender != nullptr && address == nullptr &&
      protection == (PROT_READ | PROT_WRITE) &&
      (flags & (MAP_SHARED | kOwnMemory | MAP_FIXED)) == kOwnMemory) {
    if (void* const block = lender->Take(bytes); block != nullptr) return block;
  }
  return ostiary::password::Map(address, bytes, protection, flags, file,
                                offset);
}

__attribute__((visibility("default"))) int munmap(void* address,
                                                  std::size_t bytes) noexcept {
  using ostiary::password::lender;
  if (lender != nullptr && lender->PutBack(address, bytes)) return 0;
  return ostiary::password::Unmap(address, bytes);
}

}  // extern "C"

#endif

// free and realloc of this program, in place of the C library's: what a thread
// that handles secrets (wiping.h) gives back is overwritten first.
//
// Passwords and refresh tokens pass through buffers that are not ours: gRPC's
// slices and metadata, protobuf's strings, the nodes of a JSON tree, a string
// that grew and moved. We wipe what we hold (secret.h); this is for the rest,
// so that a core dump shows nothing that is over. The C library has no such
// setting: M_PERTURB leaves out the blocks that a thread keeps for itself.
//
// Left out of builds with a sanitizer, which bring their own.

#include <malloc.h>

#include <cstddef>
#include <cstring>

#include "server/base/wiping.h"

extern "C" {

void __libc_free(void* block);
void* __libc_realloc(void* block, std::size_t size);

namespace {

// No request or answer is as large; what is holds rows, pages, samples. Wiping
// those would cost milliseconds.
constexpr std::size_t kLargestWiped = std::size_t{1} << 20;

// The blocks that gRPC reads into: 8 KiB and its head. Wiped on every thread:
// we wipe our part of them (message_bytes.h), but for what is too small for
// gRPC to point to. Not what else is as large: it frees the 12 KiB of a call's
// own data with each Verify.
constexpr std::size_t kReadBlock = 8192;
constexpr std::size_t kLargestHead = 256;

bool IsWipedAnyway(void* block) {
  const std::size_t size = malloc_usable_size(block);
  return size >= kReadBlock && size <= kReadBlock + kLargestHead;
}

void Overwrite(void* block, std::size_t from, std::size_t to) {
  if (to > kLargestWiped || from >= to) return;
  std::memset(static_cast<char*>(block) + from, 0, to - from);
  // Nobody reads it any more, and it must be written all the same.
  __asm__ __volatile__("" : : "r"(block) : "memory");
}

}  // namespace

void free(void* block) {
  if (block == nullptr) return;
  if (ostiary::wipes_freed_memory || IsWipedAnyway(block))
    Overwrite(block, 0, malloc_usable_size(block));
  __libc_free(block);
}

void* realloc(void* block, std::size_t size) {
  if (block == nullptr || !ostiary::wipes_freed_memory)
    return __libc_realloc(block, size);
  if (size == 0) {
    free(block);
    return nullptr;
  }
  const std::size_t before = malloc_usable_size(block);
  if (before > kLargestWiped) return __libc_realloc(block, size);
  if (size <= before) {
    Overwrite(block, size, before);  // the rest may be cut off
    return __libc_realloc(block, size);
  }
  // It may have to move, and would leave its bytes behind.
  void* const moved = __libc_realloc(nullptr, size);
  if (moved == nullptr) return nullptr;
  std::memcpy(moved, block, before);
  free(block);
  return moved;
}

}  // extern "C"

// The parser of stored hashes: any text is refused or read, quickly, and
// without allocating what it asks for. Nothing is derived here.

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "server/password/password_hash.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  using ostiary::password::PasswordHash;
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const auto hash = PasswordHash::Parse(text);
  if (hash.ok() && hash->memory_bytes() > std::size_t{300} * 1024 * 1024) {
    __builtin_trap();
  }
  (void)PasswordHash::DecoyOf(text);
  return 0;
}

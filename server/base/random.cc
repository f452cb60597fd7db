#include "server/base/random.h"

#include <openssl/rand.h>

#include <algorithm>
#include <cstdlib>

namespace ostiary {

IdBytes Random::NewId(absl::Time now) {
  constexpr std::size_t kTimeBytes = 6;
  IdBytes id;
  std::uint64_t millis = static_cast<std::uint64_t>(absl::ToUnixMillis(now));
  for (std::size_t i = kTimeBytes; i-- > 0; millis >>= 8) {
    id[i] = static_cast<std::uint8_t>(millis & 0xff);
  }
  const std::string tail = Bytes(id.size() - kTimeBytes);
  std::copy(tail.begin(), tail.end(), id.begin() + kTimeBytes);
  return id;
}

std::string SystemRandom::Bytes(std::size_t count) {
  std::string bytes(count, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()),
                 static_cast<int>(count)) != 1) {
    std::abort();
  }
  return bytes;
}

}  // namespace ostiary

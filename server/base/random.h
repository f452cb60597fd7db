#ifndef OSTIARY_SERVER_BASE_RANDOM_H_
#define OSTIARY_SERVER_BASE_RANDOM_H_

#include <cstddef>
#include <string>

#include "absl/time/time.h"
#include "server/base/ids.h"

namespace ostiary {

// Unguessable bytes. An interface so that a harness can replay a run.
//
// Thread-safe.
class Random {
 public:
  virtual ~Random() = default;
  // `count` bytes fit for keys. Ends the process if the system has none to
  // give: no caller could go on safely.
  virtual std::string Bytes(std::size_t count) = 0;

  // A fresh id: 48 bits of `now` in milliseconds, 80 bits of randomness.
  IdBytes NewId(absl::Time now);
};

// OpenSSL's generator, seeded by the kernel.
class SystemRandom final : public Random {
 public:
  std::string Bytes(std::size_t count) override;
};

}  // namespace ostiary

#endif  // OSTIARY_SERVER_BASE_RANDOM_H_

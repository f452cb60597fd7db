#ifndef OSTIARY_SERVER_LIMIT_SIGN_IN_LIMITER_H_
#define OSTIARY_SERVER_LIMIT_SIGN_IN_LIMITER_H_

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/base/random.h"
#include "server/limit/counter_table.h"
#include "server/limit/known_origins.h"
#include "server/limit/network_prefix.h"

namespace ostiary::limit {

// The first limiter: how many passwords may be tried before one is hashed.
// Three budgets, all counted on admission, so that a thousand guesses sent at
// once are a thousand guesses:
//   pair        this identifier from this network
//   identifier  this identifier from anywhere, whether it exists or not
//   origin      this network, whatever the identifier
// A success gives back what its attempt took. When an identifier's budget is
// spent by strangers, its owner still gets in: a network from which it signed
// in lately is not held to it, and has the budget of the pair.
//
// Thread-safe. Time is an argument. Memory is fixed.
class SignInLimiter {
 public:
  struct Options {
    Rule pair{10, absl::Minutes(15)};
    Rule identifier{100, absl::Hours(1)};
    Rule origin{100, absl::Minutes(15)};
    // How long a network stays known after a sign-in.
    absl::Duration remember = absl::Hours(30 * 24);
    std::size_t counter_slots = 1 << 17;  // 32 bytes each
    std::size_t origin_slots = 1 << 16;   // 24 bytes each
  };

  // `random` is used here only.
  SignInLimiter(const Options& options, Random& random);

  // What an attempt was charged; give it back with one of the two below, or
  // drop it after a failure.
  class Admission {
   private:
    friend class SignInLimiter;
    CounterKey pair{};
    CounterKey identifier{};
    std::optional<CounterKey> origin;
    bool charged_identifier = true;
  };

  // Charges one attempt, or refuses with kRateLimited and charges nothing. No
  // `origin` (loopback, or the operator's socket): no budget of that kind.
  absl::StatusOr<Admission> Admit(absl::string_view identifier_key,
                                  const std::optional<NetworkPrefix>& origin,
                                  absl::Time now);
  // The password was right: gives the attempt back and remembers the network.
  void Succeeded(const Admission& admission, absl::Time now);
  // The password was never tried (the hashing lane was full, the caller gone).
  void NotTried(const Admission& admission);

 private:
  absl::Duration WaitLocked(const Admission& admission, absl::Time now) const;
  void RefundLocked(const Admission& admission);

  const Options options_;
  const CounterKeys keys_;
  std::mutex mutex_;
  // Guarded by mutex_.
  CounterTable counters_;
  KnownOrigins known_;
};

}  // namespace ostiary::limit

#endif  // OSTIARY_SERVER_LIMIT_SIGN_IN_LIMITER_H_

#ifndef OSTIARY_CLIENT_CPP_ASKER_H_
#define OSTIARY_CLIENT_CPP_ASKER_H_

#include <atomic>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "client/cpp/breaker.h"
#include "client/cpp/link.h"
#include "ostiary/options.h"
#include "ostiary/v1/token_service.pb.h"

namespace ostiary::client {

// Asks the server about a token, as a last resort: at most 16 at a time, with a
// time-out, behind a breaker. An outage of the feed must not become a stampede
// on Verify. Thread-safe.
class Asker {
 public:
  static constexpr int kMostAtATime = 16;

  // References must outlive it.
  Asker(const Link& link, const TimeSource& time, absl::Duration timeout)
      : link_(link), time_(time), timeout_(timeout) {}

  // The server's verdict; none if there is no answer, an error, too many asks
  // under way, or the breaker is open. Blocks for the time-out at most.
  std::optional<v1::VerifyResponse> Ask(const v1::VerifyRequest& request);

  bool breaker_open() const { return breaker_.open(); }
  // By outcome, in the words of VerifierStats::asks.
  std::map<std::string, std::uint64_t> counts() const;

 private:
  std::optional<v1::VerifyResponse> Call(const v1::VerifyRequest& request,
                                         Breaker::Pass pass);

  const Link& link_;
  const TimeSource& time_;
  const absl::Duration timeout_;
  Breaker breaker_;
  std::atomic<int> under_way_ = 0;
  std::atomic<std::uint64_t> valid_ = 0;
  std::atomic<std::uint64_t> invalid_ = 0;
  std::atomic<std::uint64_t> failed_ = 0;
  std::atomic<std::uint64_t> held_back_ = 0;
};

}  // namespace ostiary::client

#endif  // OSTIARY_CLIENT_CPP_ASKER_H_

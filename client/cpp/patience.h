#ifndef OSTIARY_CLIENT_CPP_PATIENCE_H_
#define OSTIARY_CLIENT_CPP_PATIENCE_H_

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>

#include "absl/time/time.h"

namespace ostiary::client {

// Waits until `holds` is true, which is looked at under the lock whenever
// `changed` is notified. Returns what it says in the end.
//
// Not absl::Mutex::Await: there another thread may evaluate the condition, in
// a way that ThreadSanitizer cannot see in a library it was not built for.
template <typename Holds>
bool AwaitFor(std::condition_variable& changed,
              std::unique_lock<std::mutex>& lock, absl::Duration timeout,
              Holds holds) {
  constexpr absl::Duration kLongest = absl::Hours(1000);
  return changed.wait_for(
      lock, absl::ToChronoNanoseconds(std::min(timeout, kLongest)), holds);
}

}  // namespace ostiary::client

#endif  // OSTIARY_CLIENT_CPP_PATIENCE_H_

#include "client/cli/interrupt.h"

#include <errno.h>
#include <time.h>

#include <atomic>
#include <cstdint>

namespace ostiary::cli {
namespace {

constexpr std::int64_t kSamePress = 500;  // milliseconds

// When the first one came; 0: none has.
std::atomic<std::int64_t> arrived_at = 0;
static_assert(std::atomic<std::int64_t>::is_always_lock_free,
              "a signal handler writes it");

std::int64_t UptimeMillis() {
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

// Only what a signal handler may do.
void Note(int signal_number) {
  const int kept = errno;
  const std::int64_t now = UptimeMillis();
  std::int64_t first = 0;
  if (!arrived_at.compare_exchange_strong(first, now) &&
      now - first > kSamePress) {
    signal(signal_number, SIG_DFL);
    raise(signal_number);
  }
  errno = kept;
}

}  // namespace

Interrupt::Interrupt() {
  arrived_at = 0;
  struct sigaction note = {};
  note.sa_handler = Note;
  note.sa_flags = SA_RESTART;
  sigemptyset(&note.sa_mask);
  sigaction(SIGINT, &note, &before_int_);
  sigaction(SIGTERM, &note, &before_term_);
}

Interrupt::~Interrupt() {
  sigaction(SIGINT, &before_int_, nullptr);
  sigaction(SIGTERM, &before_term_, nullptr);
}

bool Interrupt::arrived() const { return arrived_at != 0; }

}  // namespace ostiary::cli

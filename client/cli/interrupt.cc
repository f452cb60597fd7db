#include "client/cli/interrupt.h"

#include <atomic>

namespace ostiary::cli {
namespace {

std::atomic<bool> arrived_since = false;
static_assert(std::atomic<bool>::is_always_lock_free,
              "a signal handler writes it");

void Note(int /*signal*/) { arrived_since = true; }

}  // namespace

Interrupt::Interrupt() {
  arrived_since = false;
  struct sigaction note = {};
  note.sa_handler = Note;
  note.sa_flags = SA_RESTART | static_cast<int>(SA_RESETHAND);
  sigemptyset(&note.sa_mask);
  sigaction(SIGINT, &note, &before_int_);
  sigaction(SIGTERM, &note, &before_term_);
}

Interrupt::~Interrupt() {
  sigaction(SIGINT, &before_int_, nullptr);
  sigaction(SIGTERM, &before_term_, nullptr);
}

bool Interrupt::arrived() const { return arrived_since; }

}  // namespace ostiary::cli

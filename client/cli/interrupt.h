#ifndef OSTIARY_CLIENT_CLI_INTERRUPT_H_
#define OSTIARY_CLIENT_CLI_INTERRUPT_H_

#include <signal.h>

namespace ostiary::cli {

// While it lives, the first Ctrl-C (or SIGTERM) is noted instead of ending the
// program, so that a command can end in its own way. A later one ends it; one
// within half a second is the same (`timeout` and some shells send two).
// At most one at a time.
class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  bool arrived() const;

 private:
  struct sigaction before_int_ = {};
  struct sigaction before_term_ = {};
};

}  // namespace ostiary::cli

#endif  // OSTIARY_CLIENT_CLI_INTERRUPT_H_

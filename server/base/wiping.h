#ifndef OSTIARY_SERVER_BASE_WIPING_H_
#define OSTIARY_SERVER_BASE_WIPING_H_

namespace ostiary {

// While it is set, memory that this thread gives back is overwritten first
// (wiping_free.cc, which only ostiaryd has): whatever a library copied a
// password to. Not for gRPC's threads as a whole: they serve Verify, which has
// nothing to hide and no time to lose.
extern constinit thread_local bool wipes_freed_memory;

// Sets it for as long as this lives.
class WipingScope {
 public:
  WipingScope() : before_(wipes_freed_memory) { wipes_freed_memory = true; }
  ~WipingScope() { wipes_freed_memory = before_; }
  WipingScope(const WipingScope&) = delete;
  WipingScope& operator=(const WipingScope&) = delete;

 private:
  const bool before_;
};

}  // namespace ostiary

#endif  // OSTIARY_SERVER_BASE_WIPING_H_

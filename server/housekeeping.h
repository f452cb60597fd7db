#ifndef OSTIARY_SERVER_HOUSEKEEPING_H_
#define OSTIARY_SERVER_HOUSEKEEPING_H_

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/time.h"

namespace ostiary {

// One thread that does what must be done from time to time. Chores run one
// after another, each at its own interval, the first time one interval after
// the start.
class Housekeeping {
 public:
  struct Chore {
    absl::Duration every;
    std::function<void()> run;
  };

  explicit Housekeeping(std::vector<Chore> chores);
  // Waits for the chore that runs, and starts no other.
  ~Housekeeping();
  Housekeeping(const Housekeeping&) = delete;
  Housekeeping& operator=(const Housekeeping&) = delete;

 private:
  void Run();

  std::vector<Chore> chores_;
  std::mutex mutex_;
  std::condition_variable stop_;
  bool stopping_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace ostiary

#endif  // OSTIARY_SERVER_HOUSEKEEPING_H_

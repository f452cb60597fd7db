#ifndef OSTIARY_TESTS_SUPPORT_NO_ROOM_H_
#define OSTIARY_TESTS_SUPPORT_NO_ROOM_H_

#include <signal.h>
#include <sys/resource.h>

namespace ostiary::testing {

// While it lives, this process cannot make a file larger than `bytes`.
class NoRoomBeyond {
 public:
  explicit NoRoomBeyond(rlim_t bytes) {
    before_handler_ = signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    rlimit lower = before_;
    lower.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &lower);
  }
  ~NoRoomBeyond() {
    setrlimit(RLIMIT_FSIZE, &before_);
    signal(SIGXFSZ, before_handler_);
  }
  NoRoomBeyond(const NoRoomBeyond&) = delete;
  NoRoomBeyond& operator=(const NoRoomBeyond&) = delete;

 private:
  rlimit before_ = {};
  void (*before_handler_)(int) = nullptr;
};

}  // namespace ostiary::testing

#endif  // OSTIARY_TESTS_SUPPORT_NO_ROOM_H_

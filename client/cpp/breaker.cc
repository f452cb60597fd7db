#include "client/cpp/breaker.h"

#include <algorithm>

#include "client/cpp/jitter.h"

namespace ostiary::client {

Breaker::Pass Breaker::Enter(absl::Duration uptime) {
  absl::MutexLock lock(&mutex_);
  if (!open_) return Pass::kOrdinary;
  if (probing_ || uptime < until_) return Pass::kNone;
  probing_ = true;
  return Pass::kProbe;
}

void Breaker::Succeed(Pass pass) {
  absl::MutexLock lock(&mutex_);
  // One that set out before the others failed proves nothing about now.
  if (open_ && pass != Pass::kProbe) return;
  failures_ = 0;
  open_ = false;
  probing_ = false;
  pause_ = kFirstPause;
}

void Breaker::Fail(Pass pass, absl::Duration uptime) {
  absl::MutexLock lock(&mutex_);
  if (pass == Pass::kProbe) {
    probing_ = false;
    pause_ = std::min(kLongestPause, 2 * pause_);
    Open(uptime);
    return;
  }
  if (!open_ && ++failures_ >= kFailuresToOpen) Open(uptime);
}

void Breaker::Open(absl::Duration uptime) {
  open_ = true;
  until_ = uptime + pause_ + Jitter(pause_ / 5);
}

bool Breaker::open() const {
  absl::ReaderMutexLock lock(&mutex_);
  return open_;
}

}  // namespace ostiary::client

#include "server/grpc/unread_answers.h"

namespace ostiary::rpc {

void UnreadAnswers::Add(::grpc::ServerContext& call, Place& place) {
  absl::MutexLock lock(&mutex_);
  place.call_ = &call;
  place.before_ = newest_;
  place.after_ = nullptr;
  (newest_ == nullptr ? oldest_ : newest_->after_) = &place;
  newest_ = &place;
  ++count_;
  if (count_ <= most_) return;
  Place& given_up = *oldest_;
  // Under the lock, which keeps the call alive: Remove comes before its end.
  given_up.call_->TryCancel();
  Unlink(given_up);
}

void UnreadAnswers::Remove(Place& place) {
  absl::MutexLock lock(&mutex_);
  if (place.call_ != nullptr) Unlink(place);
}

void UnreadAnswers::Unlink(Place& place) {
  (place.before_ == nullptr ? oldest_ : place.before_->after_) = place.after_;
  (place.after_ == nullptr ? newest_ : place.after_->before_) = place.before_;
  place.call_ = nullptr;
  --count_;
}

}  // namespace ostiary::rpc

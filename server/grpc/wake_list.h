#ifndef OSTIARY_SERVER_GRPC_WAKE_LIST_H_
#define OSTIARY_SERVER_GRPC_WAKE_LIST_H_

#include <deque>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "grpcpp/alarm.h"
#include "grpcpp/completion_queue.h"
#include "server/door/subscription.h"
#include "server/grpc/event.h"

namespace ostiary::rpc {

class StreamCall;

// The streams of one queue that may have something to send, which they do on
// the thread that polls it. A write from elsewhere wakes that thread each time,
// and the two are in each other's way: that made a fan-out half as dear again.
//
// Add is thread-safe; the rest is the poller's.
class WakeList {
 public:
  explicit WakeList(::grpc::ServerCompletionQueue& queue) : queue_(queue) {}
  WakeList(const WakeList&) = delete;
  WakeList& operator=(const WakeList&) = delete;

  // `call` lives until it has been told, and keeps the queue open till then.
  void Add(StreamCall& call);

  // The frame's own bytes, which live as long as any stream still sends them.
  // Most streams are sent the same frame as the one before.
  const ::grpc::Slice& BytesOf(const door::Subscription::Frame& frame);

 private:
  void Ring() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void OnRung(bool ok);

  ::grpc::ServerCompletionQueue& queue_;
  MemberEvent<WakeList, &WakeList::OnRung> on_rung_{*this};
  door::Subscription::Frame frame_;
  ::grpc::Slice bytes_;  // of frame_

  absl::Mutex mutex_;
  // Set if and only if somebody waits or is being told.
  ::grpc::Alarm alarm_ ABSL_GUARDED_BY(mutex_);
  bool rings_ ABSL_GUARDED_BY(mutex_) = false;
  std::deque<StreamCall*> waiting_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ostiary::rpc

#endif  // OSTIARY_SERVER_GRPC_WAKE_LIST_H_

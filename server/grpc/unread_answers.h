#ifndef OSTIARY_SERVER_GRPC_UNREAD_ANSWERS_H_
#define OSTIARY_SERVER_GRPC_UNREAD_ANSWERS_H_

#include <cstddef>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "grpcpp/server_context.h"

namespace ostiary::rpc {

// Answers that were given and that their callers have not taken yet. HTTP/2
// lets a caller refuse to be sent anything (a window of 0), and nobody can be
// made to read. So answered calls no longer count as in flight: eight
// connections that do not read would else keep everybody out. What they hold is
// bounded here: one answer too many gives up the one that has waited longest. A
// caller who reads takes its answer in far less time than it takes others to be
// given so many.
//
// Thread-safe.
class UnreadAnswers {
 public:
  // One call's place; belongs to the call.
  class Place {
   public:
    Place() = default;
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

   private:
    friend class UnreadAnswers;
    ::grpc::ServerContext* call_ = nullptr;  // null: not in the list
    Place* before_ = nullptr;
    Place* after_ = nullptr;
  };

  // At most `most` wait.
  explicit UnreadAnswers(int most) : most_(most) {}

  // Before the answer is sent. The call lives until Remove.
  void Add(::grpc::ServerContext& call, Place& place);
  // The answer was taken, or its caller has gone.
  void Remove(Place& place);

 private:
  void Unlink(Place& place) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const int most_;
  absl::Mutex mutex_;
  int count_ ABSL_GUARDED_BY(mutex_) = 0;
  Place* oldest_ ABSL_GUARDED_BY(mutex_) = nullptr;
  Place* newest_ ABSL_GUARDED_BY(mutex_) = nullptr;
};

}  // namespace ostiary::rpc

#endif  // OSTIARY_SERVER_GRPC_UNREAD_ANSWERS_H_

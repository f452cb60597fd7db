#ifndef OSTIARY_SERVER_HTTP_MAILBOX_H_
#define OSTIARY_SERVER_HTTP_MAILBOX_H_

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"

namespace ostiary::http {

// The way back to the server's own thread for answers that come from
// elsewhere. It may outlive the server: what arrives after Close is dropped.
//
// Thread-safe.
class Mailbox {
 public:
  explicit Mailbox(boost::asio::io_context& io) : io_(&io) {}

  // Runs `work` on the server's thread: at once if called there.
  void Deliver(absl::AnyInvocable<void()> work) {
    {
      absl::MutexLock lock(&mutex_);
      if (io_ == nullptr) return;
      if (!io_->get_executor().running_in_this_thread()) {
        boost::asio::post(*io_, std::move(work));
        return;
      }
    }
    std::move(work)();
  }

  // After this the io_context may go.
  void Close() {
    absl::MutexLock lock(&mutex_);
    io_ = nullptr;
  }

 private:
  absl::Mutex mutex_;
  boost::asio::io_context* io_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ostiary::http

#endif  // OSTIARY_SERVER_HTTP_MAILBOX_H_

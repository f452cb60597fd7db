#ifndef OSTIARY_SERVER_HTTP_SESSION_H_
#define OSTIARY_SERVER_HTTP_SESSION_H_

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "server/base/clock.h"
#include "server/http/asio.h"
#include "server/http/deadline.h"
#include "server/http/limits.h"
#include "server/http/mailbox.h"
#include "server/http/message.h"
#include "server/http/request_reader.h"
#include "server/http/response_writer.h"
#include "server/http/stream.h"

namespace ostiary::http {

// What all sessions of one server share. Outlives them.
struct SessionHouse {
  Handler& handler;
  const Clock& clock;
  const Limits limits;
  const std::shared_ptr<Mailbox> mailbox;
  bool draining = false;  // answers from now on close their connection
};

// One connection from accept to close: requests in, answers out, in order.
//
// Not thread-safe: used on the server's own thread; only the call-backs given
// to the handler come from elsewhere.
class Session : public std::enable_shared_from_this<Session> {
 public:
  struct Peer {
    std::string address;
    bool arrived_at_loopback = false;
    AnswerFrame::Transport transport = AnswerFrame::Transport::kPlain;
  };

  Session(const Executor& executor, std::unique_ptr<Stream> stream, Peer peer,
          SessionHouse& house);

  // Until the connection is over. The session must live until then.
  Task<void> Run();

  // Closes a connection on which no request has begun. Others end after their
  // answer, by `SessionHouse::draining`.
  void CloseIfIdle();
  // Ends the session without an answer.
  void Abort();

  // Since when we wait for the peer: for a request or the rest of it, or for it
  // to take an answer. The far future while its answer is being made.
  std::chrono::steady_clock::time_point waits_since() const {
    return waits_since_;
  }
  // Whether it waits between requests, which is nobody's fault.
  bool is_between_requests() const { return idle_ && !first_; }

 private:
  struct Pending;  // an answer that is awaited

  Task<bool> BecomeReady();
  Task<bool> AwaitRequest();
  Task<bool> ServeOne();
  Task<std::optional<Response>> Ask(Request request);
  Task<bool> Send(const Response& response, const AnswerFrame& frame);
  Task<void> CloseAfterRefusal();
  void WatchForDeparture(const std::shared_ptr<std::atomic<bool>>& cancelled);

  const Executor executor_;
  const std::shared_ptr<Stream> stream_;
  const Peer peer_;
  SessionHouse& house_;
  Deadline deadline_;
  RequestReader reader_;
  std::shared_ptr<Pending> pending_;
  std::chrono::steady_clock::time_point waits_since_ =
      std::chrono::steady_clock::now();
  bool first_ = true;
  bool idle_ = true;
  bool aborted_ = false;
};

}  // namespace ostiary::http

#endif  // OSTIARY_SERVER_HTTP_SESSION_H_

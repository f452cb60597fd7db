#include "server/http/session.h"

#include <sys/socket.h>

#include <algorithm>
#include <utility>

namespace ostiary::http {
namespace {

// How long a peer may take to say goodbye.
constexpr absl::Duration kFarewell = absl::Seconds(1);

using Time = std::chrono::steady_clock::time_point;

AnswerFrame::Connection ConnectionOf(const Framing& framing, bool closing) {
  if (closing || !framing.keep_alive) return AnswerFrame::Connection::kClose;
  return framing.http_1_1 ? AnswerFrame::Connection::kKeep
                          : AnswerFrame::Connection::kKeepHttp10;
}

// True if the peer has said that it will send nothing more.
bool HasLeft(Socket& socket) {
  char byte = 0;
  return recv(socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

}  // namespace

struct Session::Pending {
  explicit Pending(const Executor& executor) : wake_up(executor) {}

  void Complete(Response answer) {
    response = std::move(answer);
    wake_up.cancel();
  }

  Timer wake_up;  // rings when the handler's time is up
  std::optional<Response> response;
};

Session::Session(const Executor& executor, std::unique_ptr<Stream> stream,
                 Peer peer, SessionHouse& house)
    : executor_(executor),
      stream_(std::move(stream)),
      peer_(std::move(peer)),
      house_(house),
      deadline_(executor, stream_),
      reader_(*stream_, deadline_, house.limits) {}

Task<void> Session::Run() {
  bool open = co_await BecomeReady();
  while (open) {
    open = co_await AwaitRequest();
    if (open) open = co_await ServeOne();
  }
  deadline_.Clear();
  stream_->Close();
}

Task<bool> Session::BecomeReady() {
  deadline_.Set(house_.limits.header_time);
  error_code ec;
  co_await stream_->Handshake(ec);
  co_return !ec && !aborted_;
}

Task<bool> Session::AwaitRequest() {
  if (!first_) deadline_.Set(house_.limits.idle_time);
  const bool began = co_await reader_.AwaitFirstByte();
  if (!first_) waits_since_ = Time::clock::now();
  idle_ = false;
  first_ = false;
  co_return began && !aborted_;
}

// False: the connection is over.
Task<bool> Session::ServeOne() {
  RequestReader::Arrival arrival = co_await reader_.Read();
  if (aborted_ || arrival.outcome == RequestReader::Outcome::kGone)
    co_return false;

  AnswerFrame frame;
  frame.transport = peer_.transport;
  if (arrival.request.method == "HEAD")
    frame.body = AnswerFrame::Body::kLeftOut;
  if (arrival.outcome == RequestReader::Outcome::kRefused) {
    const bool refused = co_await Send(
        house_.handler.Refusal(arrival.request.path, arrival.status), frame);
    if (refused) co_await CloseAfterRefusal();
    co_return false;
  }

  arrival.request.peer_address = peer_.address;
  arrival.request.arrived_at_loopback = peer_.arrived_at_loopback;
  std::optional<Response> response = co_await Ask(std::move(arrival.request));
  if (aborted_) co_return false;
  const bool late = !response.has_value();
  if (late) response = WireError(504);
  frame.connection = ConnectionOf(arrival.framing, late || house_.draining);
  const bool sent = co_await Send(*response, frame);
  if (!sent) co_return false;
  if (frame.connection == AnswerFrame::Connection::kClose) {
    deadline_.Set(kFarewell);
    co_await stream_->FinishSending();
    co_return false;
  }
  idle_ = true;
  waits_since_ = Time::clock::now();
  // The drain may have begun while the answer was on its way.
  co_return !house_.draining;
}

// Nothing: the handler's time is up, or the session was aborted.
Task<std::optional<Response>> Session::Ask(Request request) {
  const auto cancelled = std::make_shared<std::atomic<bool>>(false);
  const auto pending = std::make_shared<Pending>(executor_);
  pending_ = pending;
  waits_since_ = Time::max();
  const absl::Duration time =
      std::min(house_.limits.handler_time, house_.handler.PatienceOf(request));
  request.time_to_answer = time;
  request.cancelled = [cancelled] { return cancelled->load(); };
  // Weak: an answer that comes after we have gone finds nobody.
  house_.handler.Handle(
      std::move(request),
      [mailbox = house_.mailbox,
       waiting = std::weak_ptr<Pending>(pending)](Response response) {
        mailbox->Deliver([waiting, answer = std::move(response)]() mutable {
          if (const auto still = waiting.lock())
            still->Complete(std::move(answer));
        });
      });
  if (!pending->response.has_value()) {
    WatchForDeparture(cancelled);
    error_code ec;
    pending->wake_up.expires_after(SteadyTime(time));
    co_await pending->wake_up.async_wait(Awaiting(ec));
    stream_->socket().cancel(ec);  // the watch
  }
  if (!pending->response.has_value()) cancelled->store(true);
  pending_.reset();
  co_return std::move(pending->response);
}

// Work for somebody who has gone need not be begun. A peer that has only
// closed its sending side counts as gone, as it does in Go's server.
void Session::WatchForDeparture(
    const std::shared_ptr<std::atomic<bool>>& cancelled) {
  stream_->socket().async_wait(
      asio::socket_base::wait_read,
      [cancelled, weak = std::weak_ptr<Stream>(stream_)](error_code ec) {
        if (ec) return;
        const auto stream = weak.lock();
        if (stream != nullptr && HasLeft(stream->socket()))
          cancelled->store(true);
      });
}

Task<bool> Session::Send(const Response& response, const AnswerFrame& frame) {
  AnswerFrame dated = frame;
  dated.now = house_.clock.Now();
  const std::string bytes = WriteAnswer(response, dated);
  deadline_.Set(house_.limits.body_time);
  waits_since_ = Time::clock::now();
  error_code ec;
  co_await stream_->Write(asio::const_buffer(bytes.data(), bytes.size()), ec);
  co_return !ec && !aborted_;
}

Task<void> Session::CloseAfterRefusal() {
  deadline_.Set(std::min(kFarewell, house_.limits.body_time));
  co_await stream_->FinishSending();
  co_await reader_.Discard();
}

void Session::CloseIfIdle() {
  if (idle_) Abort();
}

void Session::Abort() {
  aborted_ = true;
  stream_->Close();
  if (pending_ != nullptr) pending_->wake_up.cancel();
}

}  // namespace ostiary::http

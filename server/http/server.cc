#include "server/http/server.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <exception>
#include <list>
#include <thread>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "server/http/asio.h"
#include "server/http/connection_count.h"
#include "server/http/listen_address.h"
#include "server/http/response_writer.h"
#include "server/http/session.h"
#include "server/http/stream.h"
#include "server/http/tls.h"

namespace ostiary::http {
namespace {

using asio::ip::tcp;

// After an accept that failed, for want of file descriptors mostly: asking
// again at once would spin.
constexpr absl::Duration kAcceptPause = absl::Milliseconds(100);

absl::Status ListenError(absl::string_view text, const error_code& ec) {
  return absl::UnavailableError(absl::StrCat("cannot listen on ", text, ": ",
                                             ec.message(), " (errno ",
                                             ec.value(), ")"));
}

absl::Status Listen(const tcp::endpoint& endpoint, absl::string_view text,
                    Acceptor& acceptor) {
  error_code ec;
  acceptor.open(endpoint.protocol(), ec);
  if (!ec) acceptor.set_option(asio::socket_base::reuse_address(true), ec);
  if (!ec) acceptor.bind(endpoint, ec);
  if (!ec) acceptor.listen(asio::socket_base::max_listen_connections, ec);
  return ec ? ListenError(text, ec) : absl::OkStatus();
}

// One attempt that does not wait: whoever is not read does not hold us up.
void TurnAway(Socket& socket, const Clock& clock) {
  AnswerFrame frame;
  frame.now = clock.Now();
  const std::string answer = WriteAnswer(WireError(503), frame);
  error_code ignored;
  socket.non_blocking(true, ignored);
  socket.send(asio::const_buffer(answer.data(), answer.size()), 0, ignored);
  socket.shutdown(asio::socket_base::shutdown_send, ignored);
}

}  // namespace

// Everything that lives on the server's thread.
class Server::Loop {
 public:
  Loop(const ServerOptions& options, const Clock& clock, Handler& handler)
      : house_{handler, clock, options.limits, std::make_shared<Mailbox>(io_)},
        count_(options.limits) {
    if (options.certificates != nullptr)
      tls_ = std::make_unique<TlsContexts>(*options.certificates);
  }

  ~Loop() { Drain(absl::ZeroDuration()); }

  absl::Status Open(const std::vector<std::string>& listen);
  void Start();
  void Drain(absl::Duration patience);

  std::vector<std::string> addresses;
  std::vector<int> ports;

 private:
  Task<void> Accept(Acceptor& acceptor);
  void Admit(Socket socket);
  bool FindPlace(const std::string& key);
  bool GiveUpWhoKeepsUsWaiting();
  std::unique_ptr<Stream> MakeStream(Socket socket);
  void Leave(const std::shared_ptr<Session>& session);
  void BeginDrain();
  void CutOff();
  void NotifyIfEmpty();

  asio::io_context io_{1};
  SessionHouse house_;
  ConnectionCount count_;
  std::unique_ptr<TlsContexts> tls_;  // null: plain
  std::list<Acceptor> acceptors_;
  // Each with its key at `count_`; empty: its place was given to another.
  absl::flat_hash_map<std::shared_ptr<Session>, std::string> sessions_;
  absl::Notification empty_;  // draining, and no session is left
  absl::Mutex drain_mutex_;   // one Drain at a time
  std::thread thread_;
};

absl::Status Server::Loop::Open(const std::vector<std::string>& listen) {
  if (listen.empty())
    return absl::InvalidArgumentError("no address to listen on was given");
  if (tls_ != nullptr) {
    if (const auto context = tls_->Current(); !context.ok())
      return context.status();
  }
  for (const std::string& text : listen) {
    const absl::StatusOr<tcp::endpoint> endpoint = ParseListenAddress(text);
    if (!endpoint.ok()) return endpoint.status();
    acceptors_.emplace_back(io_.get_executor());
    if (absl::Status s = Listen(*endpoint, text, acceptors_.back()); !s.ok())
      return s;
    error_code ec;
    const tcp::endpoint bound = acceptors_.back().local_endpoint(ec);
    addresses.push_back(ListenAddressText(bound));
    ports.push_back(bound.port());
  }
  return absl::OkStatus();
}

void Server::Loop::Start() {
  for (Acceptor& acceptor : acceptors_) {
    // A server that no longer accepts must not look alive: ends the process.
    asio::co_spawn(io_.get_executor(), Accept(acceptor),
                   [](const std::exception_ptr& broken) {
                     if (broken) std::rethrow_exception(broken);
                   });
  }
  thread_ = std::thread([this] {
    const auto stay = asio::make_work_guard(io_);
    io_.run();
  });
}

Task<void> Server::Loop::Accept(Acceptor& acceptor) {
  Timer pause(io_.get_executor());
  while (acceptor.is_open()) {
    error_code ec;
    Socket socket = co_await acceptor.async_accept(Awaiting(ec));
    if (!acceptor.is_open()) co_return;
    if (!ec) {
      Admit(std::move(socket));
    } else if (ec != asio::error::connection_aborted) {
      pause.expires_after(SteadyTime(kAcceptPause));
      co_await pause.async_wait(Awaiting(ec));
    }
  }
}

std::unique_ptr<Stream> Server::Loop::MakeStream(Socket socket) {
  if (tls_ == nullptr) return MakePlainStream(std::move(socket));
  auto context = tls_->Current();
  if (!context.ok()) return nullptr;
  return MakeTlsStream(std::move(socket), *std::move(context));
}

void Server::Loop::Admit(Socket socket) {
  error_code ec;
  const tcp::endpoint peer = socket.remote_endpoint(ec);
  if (ec) return;  // gone already
  const tcp::endpoint local = socket.local_endpoint(ec);
  if (ec) return;
  const std::string key = CountingKey(peer.address());
  if (!FindPlace(key)) {
    if (tls_ == nullptr) TurnAway(socket, house_.clock);
    return;
  }
  socket.set_option(tcp::no_delay(true), ec);
  std::unique_ptr<Stream> stream = MakeStream(std::move(socket));
  if (stream == nullptr) return count_.Leave(key);
  Session::Peer facts{AddressText(peer.address()), IsLoopback(local.address()),
                      tls_ == nullptr ? AnswerFrame::Transport::kPlain
                                      : AnswerFrame::Transport::kTls};
  const auto session = std::make_shared<Session>(
      io_.get_executor(), std::move(stream), std::move(facts), house_);
  sessions_.emplace(session, key);
  asio::co_spawn(io_.get_executor(), session->Run(),
                 [this, session](const std::exception_ptr& broken) {
                   if (broken) session->Abort();
                   Leave(session);
                 });
}

bool Server::Loop::FindPlace(const std::string& key) {
  using Place = ConnectionCount::Place;
  const Place found = count_.Enter(key);
  if (found != Place::kNoneAtAll) return found == Place::kGiven;
  return GiveUpWhoKeepsUsWaiting() && count_.Enter(key) == Place::kGiven;
}

// Those who say nothing, drip, or do not take their answers must not keep out
// those who ask: when all places are taken, the one we have waited for longest
// loses its own. Only if there is none such, one between requests does.
bool Server::Loop::GiveUpWhoKeepsUsWaiting() {
  constexpr auto kNotWaiting = std::chrono::steady_clock::time_point::max();
  const auto reluctance = [](const Session& session) {
    return std::make_pair(session.is_between_requests(), session.waits_since());
  };
  auto slowest = sessions_.end();
  for (auto it = sessions_.begin(); it != sessions_.end(); ++it) {
    if (it->second.empty() || it->first->waits_since() == kNotWaiting) continue;
    if (slowest == sessions_.end() ||
        reluctance(*it->first) < reluctance(*slowest->first))
      slowest = it;
  }
  if (slowest == sessions_.end()) return false;
  count_.Leave(slowest->second);
  slowest->second.clear();
  slowest->first->Abort();
  return true;
}

void Server::Loop::Leave(const std::shared_ptr<Session>& session) {
  const auto found = sessions_.find(session);
  if (!found->second.empty()) count_.Leave(found->second);
  sessions_.erase(found);
  NotifyIfEmpty();
}

void Server::Loop::NotifyIfEmpty() {
  if (house_.draining && sessions_.empty() && !empty_.HasBeenNotified())
    empty_.Notify();
}

void Server::Loop::BeginDrain() {
  house_.draining = true;
  error_code ignored;
  for (Acceptor& acceptor : acceptors_) acceptor.close(ignored);
  for (const auto& [session, key] : sessions_) session->CloseIfIdle();
  NotifyIfEmpty();
}

void Server::Loop::CutOff() {
  for (const auto& [session, key] : sessions_) session->Abort();
}

void Server::Loop::Drain(absl::Duration patience) {
  absl::MutexLock lock(&drain_mutex_);
  if (!thread_.joinable()) return;
  asio::post(io_, [this] { BeginDrain(); });
  if (!empty_.WaitForNotificationWithTimeout(patience)) {
    asio::post(io_, [this] { CutOff(); });
    empty_.WaitForNotification();
  }
  house_.mailbox->Close();
  io_.stop();
  thread_.join();
}

Server::Server(std::unique_ptr<Loop> loop) : loop_(std::move(loop)) {}
Server::~Server() = default;

absl::StatusOr<std::unique_ptr<Server>> Server::Start(
    const ServerOptions& options, const Clock& clock, Handler& handler) {
  auto loop = std::make_unique<Loop>(options, clock, handler);
  if (absl::Status s = loop->Open(options.listen); !s.ok()) return s;
  loop->Start();
  return std::unique_ptr<Server>(new Server(std::move(loop)));
}

const std::vector<std::string>& Server::addresses() const {
  return loop_->addresses;
}
const std::vector<int>& Server::ports() const { return loop_->ports; }
void Server::Drain(absl::Duration patience) { loop_->Drain(patience); }

}  // namespace ostiary::http

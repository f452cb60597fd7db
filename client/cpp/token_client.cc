#include "ostiary/token_client.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/time/clock.h"
#include "client/cpp/jitter.h"
#include "client/cpp/link.h"
#include "client/cpp/patience.h"
#include "client/cpp/session.h"
#include "grpcpp/client_context.h"
#include "ostiary/v1/auth_service.grpc.pb.h"

namespace ostiary {
namespace {

using client::Session;

constexpr char kReasonPayload[] = "ostiary/reason";
// Below this an access token may expire on its way.
constexpr absl::Duration kAlmostExpired = absl::Seconds(1);

absl::Status StatusOf(const grpc::Status& rpc) {
  absl::Status status(static_cast<absl::StatusCode>(rpc.error_code()),
                      rpc.error_message());
  const std::string reason = client::ReasonOf(rpc);
  if (!reason.empty()) status.SetPayload(kReasonPayload, absl::Cord(reason));
  return status;
}

absl::Status NoSession() {
  return absl::UnauthenticatedError("no session: sign in");
}

// Whether asking again with the same refresh token cannot help.
bool IsOver(const absl::Status& status) {
  return TokenClient::ReasonOf(status) == "REFRESH_REJECTED" ||
         absl::IsInvalidArgument(status);
}

}  // namespace

class TokenClient::Parts {
 public:
  Parts(TokenClientOptions options, std::unique_ptr<client::Link> link)
      : options_(std::move(options)),
        link_(std::move(link)),
        thread_([this] { KeepAlive(); }) {}
  ~Parts();

  absl::Status SignIn(absl::string_view identifier, absl::string_view password);
  void Adopt(Session session);
  absl::StatusOr<std::string> AccessToken();
  std::string RefreshToken() const;
  absl::Status SignOut();

 private:
  // The thread: one refresh at a time, whoever wants it.
  void KeepAlive();
  // Until a refresh is due; nullopt when closing.
  std::optional<Session> AwaitDue();
  absl::StatusOr<Session> Refresh(const Session& session);
  void Settle(const Session& before, absl::StatusOr<Session> after);

  // With the lock held.
  absl::Duration DueAt() const;
  bool HasGoodToken() const;
  void Prepare(grpc::ClientContext& context) const;

  const TokenClientOptions options_;
  const std::unique_ptr<client::Link> link_;

  mutable std::mutex mutex_;  // guards all but the thread
  std::condition_variable changed_;
  bool closing_ = false;
  std::optional<Session> session_;
  // Why there is no session, or no good token yet.
  absl::Status last_error_ = NoSession();
  // Somebody waits for a token.
  bool wanted_ = false;
  int failures_ = 0;  // in a row
  absl::Duration retry_at_ = absl::ZeroDuration();
  std::uint64_t attempts_ = 0;
  grpc::ClientContext* call_ = nullptr;
  std::thread thread_;
};

TokenClient::Parts::~Parts() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    changed_.notify_all();
    if (call_ != nullptr) call_->TryCancel();
  }
  thread_.join();
}

void TokenClient::Parts::Prepare(grpc::ClientContext& context) const {
  context.set_deadline(absl::ToChronoTime(absl::Now() + options_.call_timeout));
  link_->Sign(context);
}

absl::Status TokenClient::Parts::SignIn(absl::string_view identifier,
                                        absl::string_view password) {
  v1::SignInWithPasswordRequest request;
  request.set_identifier(std::string(identifier));
  request.set_password(std::string(password));
  request.set_audience(options_.audience);
  request.set_scope(options_.scope);
  request.set_client_id(options_.client_id);
  grpc::ClientContext context;
  Prepare(context);
  const absl::Duration asked = options_.time->Uptime();
  v1::SignInWithPasswordResponse response;
  const grpc::Status status =
      v1::AuthService::NewStub(link_->channel())
          ->SignInWithPassword(&context, request, &response);
  if (!status.ok()) return StatusOf(status);
  Adopt(Session::Of(response.tokens(), asked));
  return absl::OkStatus();
}

void TokenClient::Parts::Adopt(Session session) {
  const std::lock_guard lock(mutex_);
  session_ = std::move(session);
  last_error_ = NoSession();
  failures_ = 0;
  retry_at_ = absl::ZeroDuration();
  changed_.notify_all();
}

bool TokenClient::Parts::HasGoodToken() const {
  return session_ &&
         options_.time->Uptime() < session_->expires_at - kAlmostExpired;
}

absl::StatusOr<std::string> TokenClient::Parts::AccessToken() {
  std::unique_lock lock(mutex_);
  if (!session_) return last_error_;
  if (!HasGoodToken()) {
    wanted_ = true;
    changed_.notify_all();
    const std::uint64_t before = attempts_;
    // One attempt may have been under way, for an answer that never came.
    const auto settled = [&] {
      return closing_ || !session_ || HasGoodToken() || attempts_ > before + 1;
    };
    client::AwaitFor(changed_, lock, 2 * options_.call_timeout, settled);
  }
  if (!HasGoodToken()) return last_error_;
  return session_->access_token.Reveal();
}

std::string TokenClient::Parts::RefreshToken() const {
  const std::lock_guard lock(mutex_);
  return session_ ? session_->refresh_token.Reveal() : "";
}

absl::Status TokenClient::Parts::SignOut() {
  v1::SignOutRequest request;
  {
    const std::lock_guard lock(mutex_);
    if (!session_) return absl::OkStatus();
    request.set_refresh_token(session_->refresh_token.Reveal());
    session_.reset();
    last_error_ = NoSession();
    changed_.notify_all();
  }
  grpc::ClientContext context;
  Prepare(context);
  v1::SignOutResponse response;
  const grpc::Status status = v1::AuthService::NewStub(link_->channel())
                                  ->SignOut(&context, request, &response);
  return status.ok() ? absl::OkStatus() : StatusOf(status);
}

void TokenClient::Parts::KeepAlive() {
  while (const auto session = AwaitDue()) {
    Settle(*session, Refresh(*session));
  }
}

absl::Duration TokenClient::Parts::DueAt() const {
  if (!session_) return absl::InfiniteDuration();
  const absl::Duration due =
      wanted_ && !HasGoodToken() ? absl::ZeroDuration() : session_->refresh_at;
  return std::max(due, retry_at_);
}

std::optional<Session> TokenClient::Parts::AwaitDue() {
  // Wakes at once for what others change, and now and then for the clock.
  constexpr absl::Duration kLongestNap = absl::Seconds(30);
  std::unique_lock lock(mutex_);
  while (!closing_) {
    const absl::Duration due = DueAt();
    const absl::Duration left = due - options_.time->Uptime();
    if (left <= absl::ZeroDuration()) return session_;
    const auto changed = [&] { return closing_ || DueAt() != due; };
    client::AwaitFor(changed_, lock, std::min(left, kLongestNap), changed);
  }
  return std::nullopt;
}

absl::StatusOr<Session> TokenClient::Parts::Refresh(const Session& session) {
  v1::RefreshRequest request;
  request.set_refresh_token(session.refresh_token.Reveal());
  request.set_request_id(session.request_id);
  grpc::ClientContext context;
  Prepare(context);
  {
    const std::lock_guard lock(mutex_);
    if (closing_) return absl::CancelledError("closing");
    call_ = &context;
  }
  const absl::Duration asked = options_.time->Uptime();
  v1::RefreshResponse response;
  const grpc::Status status = v1::AuthService::NewStub(link_->channel())
                                  ->Refresh(&context, request, &response);
  const std::lock_guard lock(mutex_);
  call_ = nullptr;
  if (!status.ok()) return StatusOf(status);
  return Session::Of(response.tokens(), asked);
}

void TokenClient::Parts::Settle(const Session& before,
                                absl::StatusOr<Session> after) {
  if (!after.ok()) link_->Renew();
  const std::lock_guard lock(mutex_);
  ++attempts_;
  changed_.notify_all();
  // Signed in or out meanwhile: this answer is about a session of the past.
  if (!session_ || session_->request_id != before.request_id) return;
  if (after.ok()) {
    session_ = *std::move(after);
    wanted_ = false;
    failures_ = 0;
    retry_at_ = absl::ZeroDuration();
    return;
  }
  last_error_ = after.status();
  if (IsOver(last_error_)) {
    last_error_.SetPayload(kReasonPayload, absl::Cord("REFRESH_REJECTED"));
    session_.reset();
    return;
  }
  retry_at_ = options_.time->Uptime() + client::Backoff(failures_++);
}

absl::StatusOr<std::unique_ptr<TokenClient>> TokenClient::Create(
    TokenClientOptions options) {
  if (options.time == nullptr) return absl::InvalidArgumentError("time: null");
  if (options.call_timeout <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError("call_timeout: expected more than 0");
  }
  auto link = client::Link::Open(options.target, options.credentials);
  if (!link.ok()) return link.status();
  return std::unique_ptr<TokenClient>(new TokenClient(
      std::make_unique<Parts>(std::move(options), *std::move(link))));
}

TokenClient::TokenClient(std::unique_ptr<Parts> parts)
    : parts_(std::move(parts)) {}
TokenClient::~TokenClient() = default;

absl::Status TokenClient::SignIn(absl::string_view identifier,
                                 absl::string_view password) {
  return parts_->SignIn(identifier, password);
}
absl::Status TokenClient::Resume(absl::string_view refresh_token) {
  if (refresh_token.empty()) return absl::InvalidArgumentError("empty");
  parts_->Adopt(Session::Resumed(refresh_token));
  return absl::OkStatus();
}
absl::StatusOr<std::string> TokenClient::AccessToken() {
  return parts_->AccessToken();
}
std::string TokenClient::RefreshToken() const { return parts_->RefreshToken(); }
absl::Status TokenClient::SignOut() { return parts_->SignOut(); }

std::string TokenClient::ReasonOf(const absl::Status& status) {
  const auto reason = status.GetPayload(kReasonPayload);
  return reason ? std::string(*reason) : "";
}

}  // namespace ostiary

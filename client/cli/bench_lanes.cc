#include "client/cli/bench_lanes.h"

#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "client/cli/failure.h"
#include "ostiary/v1/auth_service.grpc.pb.h"
#include "ostiary/v1/token_service.grpc.pb.h"

namespace ostiary::cli {
namespace {

using Auth = v1::AuthService;
using Tokens = v1::TokenService;

// One call of a method at a time, without waiting for it.
template <typename Service, typename Request, typename Response>
class AsyncCall {
 public:
  using Reader = std::unique_ptr<grpc::ClientAsyncResponseReader<Response>>;
  using Method = Reader (Service::Stub::*)(grpc::ClientContext*, const Request&,
                                           grpc::CompletionQueue*);

  AsyncCall(const Connection& connection, const ChannelPtr& channel,
            Method method)
      : connection_(connection),
        stub_(Service::NewStub(channel)),
        method_(method) {}

  void Begin(const Request& request, grpc::CompletionQueue& queue, void* tag) {
    context_.emplace();
    connection_.Prepare(*context_);
    reader_ = (*stub_.*method_)(&*context_, request, &queue);
    reader_->Finish(&response_, &status_, tag);
  }
  // After `tag` has come.
  std::optional<CallFailure> Failure() const {
    if (status_.ok()) return std::nullopt;
    const absl::Status status = FromRpc(status_);
    return CallFailure{absl::StatusCodeToString(status.code()),
                       ReasonOf(status), ExitCodeOf(status)};
  }
  Response& response() { return response_; }
  void Cancel() {
    if (context_) context_->TryCancel();
  }

 private:
  const Connection& connection_;
  const std::unique_ptr<typename Service::Stub> stub_;
  const Method method_;
  std::optional<grpc::ClientContext> context_;
  Reader reader_;
  Response response_;
  grpc::Status status_;
};

class VerifyLane final : public Lane {
 public:
  VerifyLane(const Connection& connection, const ChannelPtr& channel,
             std::shared_ptr<BenchTokens> tokens)
      : call_(connection, channel, &Tokens::Stub::AsyncVerify),
        tokens_(std::move(tokens)) {}

  void Begin(grpc::CompletionQueue& queue, void* tag) override {
    call_.Begin(tokens_->Next(), queue, tag);
  }
  std::optional<CallFailure> End() override {
    if (auto failure = call_.Failure()) return failure;
    if (call_.response().valid()) return std::nullopt;
    return CallFailure{"OK", call_.response().reason(), ExitCode::kNo};
  }
  void Cancel() override { call_.Cancel(); }

 private:
  AsyncCall<Tokens, v1::VerifyRequest, v1::VerifyResponse> call_;
  const std::shared_ptr<BenchTokens> tokens_;
};

// Signs a session out, if there is one.
class SignOutCall {
 public:
  SignOutCall(const Connection& connection, const ChannelPtr& channel)
      : call_(connection, channel, &Auth::Stub::AsyncSignOut) {}

  bool Begin(SecretText refresh_token, grpc::CompletionQueue& queue,
             void* tag) {
    if (refresh_token.empty()) return false;
    v1::SignOutRequest request;
    request.set_refresh_token(refresh_token.Reveal());
    call_.Begin(request, queue, tag);
    Wipe(*request.mutable_refresh_token());
    return true;
  }
  void Cancel() { call_.Cancel(); }

 private:
  AsyncCall<Auth, v1::SignOutRequest, v1::SignOutResponse> call_;
};

SecretText TakeRefreshToken(v1::TokenSet& tokens) {
  SecretText token(tokens.refresh_token());
  Wipe(*tokens.mutable_refresh_token());
  Wipe(*tokens.mutable_access_token());
  return token;
}

class SignInLane final : public Lane {
 public:
  SignInLane(const Connection& connection, const ChannelPtr& channel,
             std::shared_ptr<BenchAccounts> accounts)
      : call_(connection, channel, &Auth::Stub::AsyncSignInWithPassword),
        sign_out_(connection, channel),
        accounts_(std::move(accounts)) {}

  void Begin(grpc::CompletionQueue& queue, void* tag) override {
    const BenchAccounts::One& account = accounts_->Next();
    v1::SignInWithPasswordRequest request;
    request.set_identifier(account.identifier);
    request.set_password(account.password.Reveal());
    call_.Begin(request, queue, tag);
    Wipe(*request.mutable_password());
  }
  std::optional<CallFailure> End() override {
    if (auto failure = call_.Failure()) return failure;
    left_ = TakeRefreshToken(*call_.response().mutable_tokens());
    return std::nullopt;
  }
  bool TidiesEachTime() const override { return true; }
  bool BeginTidyUp(grpc::CompletionQueue& queue, void* tag) override {
    return sign_out_.Begin(std::exchange(left_, SecretText()), queue, tag);
  }
  void Cancel() override { call_.Cancel(); }

 private:
  AsyncCall<Auth, v1::SignInWithPasswordRequest, v1::SignInWithPasswordResponse>
      call_;
  SignOutCall sign_out_;
  const std::shared_ptr<BenchAccounts> accounts_;
  SecretText left_;
};

std::string NewRequestId() {
  std::random_device random;
  return absl::StrFormat("%08x%08x%08x%08x", random(), random(), random(),
                         random());
}

class RefreshLane final : public Lane {
 public:
  RefreshLane(const Connection& connection, const ChannelPtr& channel,
              SecretText refresh_token)
      : call_(connection, channel, &Auth::Stub::AsyncRefresh),
        sign_out_(connection, channel),
        token_(std::move(refresh_token)),
        request_id_(NewRequestId()) {}

  void Begin(grpc::CompletionQueue& queue, void* tag) override {
    v1::RefreshRequest request;
    request.set_refresh_token(token_.Reveal());
    request.set_request_id(request_id_);
    call_.Begin(request, queue, tag);
    Wipe(*request.mutable_refresh_token());
  }
  std::optional<CallFailure> End() override {
    if (auto failure = call_.Failure()) {
      is_over_ = failure->code == "UNAUTHENTICATED";
      return failure;
    }
    token_ = TakeRefreshToken(*call_.response().mutable_tokens());
    request_id_ = NewRequestId();
    return std::nullopt;
  }
  bool CanGoOn() const override { return !is_over_; }
  bool BeginTidyUp(grpc::CompletionQueue& queue, void* tag) override {
    return sign_out_.Begin(std::exchange(token_, SecretText()), queue, tag);
  }
  void Cancel() override { call_.Cancel(); }

 private:
  AsyncCall<Auth, v1::RefreshRequest, v1::RefreshResponse> call_;
  SignOutCall sign_out_;
  SecretText token_;
  std::string request_id_;
  bool is_over_ = false;
};

}  // namespace

std::unique_ptr<Lane> MakeVerifyLane(const Connection& connection,
                                     const ChannelPtr& channel,
                                     std::shared_ptr<BenchTokens> tokens) {
  return std::make_unique<VerifyLane>(connection, channel, std::move(tokens));
}

std::unique_ptr<Lane> MakeSignInLane(const Connection& connection,
                                     const ChannelPtr& channel,
                                     std::shared_ptr<BenchAccounts> accounts) {
  return std::make_unique<SignInLane>(connection, channel, std::move(accounts));
}

std::unique_ptr<Lane> MakeRefreshLane(const Connection& connection,
                                      const ChannelPtr& channel,
                                      SecretText refresh_token) {
  return std::make_unique<RefreshLane>(connection, channel,
                                       std::move(refresh_token));
}

absl::StatusOr<v1::TokenSet> SignInOnce(Invocation& run,
                                        const BenchAccounts::One& account) {
  v1::SignInWithPasswordRequest request;
  request.set_identifier(account.identifier);
  request.set_password(account.password.Reveal());
  auto response = run.Call<Auth>(&Auth::Stub::SignInWithPassword, request);
  Wipe(*request.mutable_password());
  if (!response.ok()) return response.status();
  return std::move(*response->mutable_tokens());
}

absl::Status SignOutOnce(Invocation& run, const std::string& refresh_token) {
  v1::SignOutRequest request;
  request.set_refresh_token(refresh_token);
  const auto response = run.Call<Auth>(&Auth::Stub::SignOut, request);
  Wipe(*request.mutable_refresh_token());
  return response.status();
}

}  // namespace ostiary::cli

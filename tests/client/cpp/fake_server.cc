#include "tests/client/cpp/fake_server.h"

#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "grpcpp/server_builder.h"

namespace ostiary::client::testing {

void WatchCall::Send(v1::WatchResponse frame) {
  absl::MutexLock lock(&mutex_);
  frames_.push_back(std::move(frame));
}

void WatchCall::End(grpc::Status status) {
  absl::MutexLock lock(&mutex_);
  if (!end_) end_ = std::move(status);
}

bool WatchCall::AwaitCancelled() {
  absl::MutexLock lock(&mutex_);
  return mutex_.AwaitWithTimeout(absl::Condition(&over_), absl::Seconds(5));
}

grpc::Status WatchCall::Serve(grpc::ServerContext& context,
                              grpc::ServerWriter<v1::WatchResponse>& writer) {
  while (true) {
    std::optional<v1::WatchResponse> frame;
    std::optional<grpc::Status> end;
    {
      absl::MutexLock lock(&mutex_);
      const auto something = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
        return !frames_.empty() || end_;
      };
      mutex_.AwaitWithTimeout(absl::Condition(&something),
                              absl::Milliseconds(5));
      if (!frames_.empty()) {
        frame = std::move(frames_.front());
        frames_.pop_front();
      } else {
        end = end_;
      }
    }
    const bool gone = context.IsCancelled() || (frame && !writer.Write(*frame));
    if (!gone && !end) continue;
    absl::MutexLock lock(&mutex_);
    over_ = true;
    return gone ? grpc::Status::CANCELLED : *end;
  }
}

class FakeServer::Revocation final : public v1::RevocationService::Service {
 public:
  explicit Revocation(FakeServer& server) : server_(server) {}
  grpc::Status Watch(grpc::ServerContext* context,
                     const v1::WatchRequest* request,
                     grpc::ServerWriter<v1::WatchResponse>* writer) override {
    auto call =
        std::make_shared<WatchCall>(request->cursor(), request->compact());
    {
      absl::MutexLock lock(&server_.mutex_);
      if (server_.closing_) return grpc::Status::CANCELLED;
      server_.calls_.push_back(call);
    }
    return call->Serve(*context, *writer);
  }

 private:
  FakeServer& server_;
};

class FakeServer::Token final : public v1::TokenService::Service {
 public:
  explicit Token(FakeServer& server) : server_(server) {}
  grpc::Status Verify(grpc::ServerContext*, const v1::VerifyRequest* request,
                      v1::VerifyResponse* response) override {
    ++server_.verify_calls_;
    OnVerify answer;
    {
      absl::MutexLock lock(&server_.mutex_);
      answer = server_.on_verify_;
    }
    if (!answer) return grpc::Status(grpc::StatusCode::UNAVAILABLE, "no");
    return answer(*request, *response);
  }

 private:
  FakeServer& server_;
};

class FakeServer::Auth final : public v1::AuthService::Service {
 public:
  explicit Auth(FakeServer& server) : server_(server) {}
  grpc::Status Refresh(grpc::ServerContext*, const v1::RefreshRequest* request,
                       v1::RefreshResponse* response) override {
    OnRefresh answer;
    {
      absl::MutexLock lock(&server_.mutex_);
      answer = server_.on_refresh_;
    }
    return answer(*request, *response);
  }
  grpc::Status SignInWithPassword(
      grpc::ServerContext*, const v1::SignInWithPasswordRequest* request,
      v1::SignInWithPasswordResponse* response) override {
    OnSignIn answer;
    {
      absl::MutexLock lock(&server_.mutex_);
      answer = server_.on_sign_in_;
    }
    return answer(*request, *response);
  }
  grpc::Status SignOut(grpc::ServerContext*, const v1::SignOutRequest*,
                       v1::SignOutResponse*) override {
    return grpc::Status::OK;
  }

 private:
  FakeServer& server_;
};

FakeServer::FakeServer()
    : revocation_(std::make_unique<Revocation>(*this)),
      token_(std::make_unique<Token>(*this)),
      auth_(std::make_unique<Auth>(*this)) {
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                           &port);
  builder.RegisterService(revocation_.get());
  builder.RegisterService(token_.get());
  builder.RegisterService(auth_.get());
  server_ = builder.BuildAndStart();
  if (server_ == nullptr) std::abort();
  address_ = absl::StrCat("127.0.0.1:", port);
}

FakeServer::~FakeServer() {
  {
    absl::MutexLock lock(&mutex_);
    closing_ = true;
    for (const auto& call : calls_) call->End(grpc::Status::CANCELLED);
  }
  server_->Shutdown(absl::ToChronoTime(absl::Now()));
  server_->Wait();
}

std::shared_ptr<WatchCall> FakeServer::NextWatch() {
  absl::MutexLock lock(&mutex_);
  const auto called = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return !calls_.empty();
  };
  if (!mutex_.AwaitWithTimeout(absl::Condition(&called), absl::Seconds(10))) {
    std::abort();
  }
  auto call = std::move(calls_.front());
  calls_.pop_front();
  return call;
}

void FakeServer::AnswerVerify(OnVerify answer) {
  absl::MutexLock lock(&mutex_);
  on_verify_ = std::move(answer);
}

void FakeServer::AnswerRefresh(OnRefresh answer) {
  absl::MutexLock lock(&mutex_);
  on_refresh_ = std::move(answer);
}

void FakeServer::AnswerSignIn(OnSignIn answer) {
  absl::MutexLock lock(&mutex_);
  on_sign_in_ = std::move(answer);
}

}  // namespace ostiary::client::testing

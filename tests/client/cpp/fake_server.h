#ifndef OSTIARY_TESTS_CLIENT_CPP_FAKE_SERVER_H_
#define OSTIARY_TESTS_CLIENT_CPP_FAKE_SERVER_H_

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "grpcpp/server.h"
#include "ostiary/v1/auth_service.grpc.pb.h"
#include "ostiary/v1/revocation_service.grpc.pb.h"
#include "ostiary/v1/token_service.grpc.pb.h"

namespace ostiary::client::testing {

// One call of Watch, whose frames the test sends. Thread-safe.
class WatchCall {
 public:
  WatchCall(std::string cursor, bool compact)
      : cursor_(std::move(cursor)), compact_(compact) {}

  const std::string& cursor() const { return cursor_; }
  bool compact() const { return compact_; }
  void Send(v1::WatchResponse frame);
  void End(grpc::Status status);
  // Whether the verifier has gone within five seconds.
  bool AwaitCancelled();

 private:
  friend class FakeServer;
  grpc::Status Serve(grpc::ServerContext& context,
                     grpc::ServerWriter<v1::WatchResponse>& writer);

  const std::string cursor_;
  const bool compact_;
  absl::Mutex mutex_;
  std::deque<v1::WatchResponse> frames_ ABSL_GUARDED_BY(mutex_);
  std::optional<grpc::Status> end_ ABSL_GUARDED_BY(mutex_);
  bool over_ ABSL_GUARDED_BY(mutex_) = false;
};

// A gRPC server whose every answer a test decides. Thread-safe.
class FakeServer {
 public:
  FakeServer();
  ~FakeServer();

  const std::string& address() const { return address_; }
  // The next call of Watch; the process ends if none comes within 10 s.
  std::shared_ptr<WatchCall> NextWatch();
  // The process's answer to Verify; UNAVAILABLE before it is said.
  using OnVerify = std::function<grpc::Status(const v1::VerifyRequest&,
                                              v1::VerifyResponse&)>;
  void AnswerVerify(OnVerify answer);
  int verify_calls() const { return verify_calls_; }
  using OnRefresh = std::function<grpc::Status(const v1::RefreshRequest&,
                                               v1::RefreshResponse&)>;
  void AnswerRefresh(OnRefresh answer);
  using OnSignIn = std::function<grpc::Status(
      const v1::SignInWithPasswordRequest&, v1::SignInWithPasswordResponse&)>;
  void AnswerSignIn(OnSignIn answer);

 private:
  class Revocation;
  class Token;
  class Auth;

  absl::Mutex mutex_;
  std::deque<std::shared_ptr<WatchCall>> calls_ ABSL_GUARDED_BY(mutex_);
  bool closing_ ABSL_GUARDED_BY(mutex_) = false;
  OnVerify on_verify_ ABSL_GUARDED_BY(mutex_);
  OnRefresh on_refresh_ ABSL_GUARDED_BY(mutex_);
  OnSignIn on_sign_in_ ABSL_GUARDED_BY(mutex_);
  std::atomic<int> verify_calls_ = 0;
  std::unique_ptr<Revocation> revocation_;
  std::unique_ptr<Token> token_;
  std::unique_ptr<Auth> auth_;
  std::string address_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace ostiary::client::testing

#endif  // OSTIARY_TESTS_CLIENT_CPP_FAKE_SERVER_H_

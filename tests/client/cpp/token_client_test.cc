#include "ostiary/token_client.h"

#include <atomic>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "client/cpp/session.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "gtest/gtest.h"
#include "tests/client/cpp/fake_server.h"
#include "tests/client/cpp/fake_time.h"
#include "tests/support/status_matchers.h"

namespace ostiary::client::testing {
namespace {

using ::ostiary::testing::HasCode;
using ::ostiary::testing::ValueOf;

void Fill(v1::TokenSet* tokens, int number, absl::Duration life) {
  tokens->set_access_token(absl::StrCat("access-", number));
  tokens->set_refresh_token(absl::StrCat("ort_", number));
  tokens->mutable_expires_in()->set_seconds(absl::ToInt64Seconds(life));
}

grpc::Status Rejected() {
  google::rpc::ErrorInfo info;
  info.set_reason("REFRESH_REJECTED");
  google::rpc::Status details;
  details.add_details()->PackFrom(info);
  return grpc::Status(grpc::StatusCode::UNAUTHENTICATED, "no",
                      details.SerializeAsString());
}

class TokenClientTest : public ::testing::Test {
 protected:
  TokenClientTest() {
    server_.AnswerSignIn([this](const auto& request, auto& response) {
      if (request.password() != "right") {
        return grpc::Status(grpc::StatusCode::UNAUTHENTICATED, "wrong");
      }
      Fill(response.mutable_tokens(), 0, life_);
      return grpc::Status::OK;
    });
    server_.AnswerRefresh([this](const auto& request, auto& response) {
      absl::MutexLock lock(&mutex_);
      presented_.push_back(request.refresh_token());
      request_ids_.push_back(request.request_id());
      if (!fail_.ok()) return fail_;
      Fill(response.mutable_tokens(), ++given_, life_);
      return grpc::Status::OK;
    });
    TokenClientOptions options;
    options.target = server_.address();
    options.time = &time_;
    client_ = ValueOf(TokenClient::Create(options));
  }

  void Fail(grpc::Status status) {
    absl::MutexLock lock(&mutex_);
    fail_ = std::move(status);
  }
  bool AwaitRefreshes(std::size_t count, absl::Duration timeout) {
    absl::MutexLock lock(&mutex_);
    const auto enough = [&]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
      return presented_.size() >= count;
    };
    return mutex_.AwaitWithTimeout(absl::Condition(&enough), timeout);
  }

  const absl::Duration life_ = absl::Minutes(10);
  FakeTime time_;
  absl::Mutex mutex_;
  std::vector<std::string> presented_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> request_ids_ ABSL_GUARDED_BY(mutex_);
  int given_ ABSL_GUARDED_BY(mutex_) = 0;
  grpc::Status fail_ ABSL_GUARDED_BY(mutex_);
  FakeServer server_;
  std::unique_ptr<TokenClient> client_;
};

TEST_F(TokenClientTest, HandsOutTheTokenOfTheSession) {
  EXPECT_THAT(client_->AccessToken(),
              HasCode(absl::StatusCode::kUnauthenticated));
  EXPECT_THAT(client_->SignIn("ada", "wrong"),
              HasCode(absl::StatusCode::kUnauthenticated));
  ASSERT_OK(client_->SignIn("ada", "right"));
  EXPECT_EQ(ValueOf(client_->AccessToken()), "access-0");
  EXPECT_EQ(client_->RefreshToken(), "ort_0");
  EXPECT_OK(client_->SignOut());
  EXPECT_THAT(client_->AccessToken(),
              HasCode(absl::StatusCode::kUnauthenticated));
  EXPECT_EQ(client_->RefreshToken(), "");
}

TEST_F(TokenClientTest, ExpiredTokenIsReplacedOnceWhoeverAsks) {
  ASSERT_OK(client_->SignIn("ada", "right"));
  time_.Advance(life_);
  std::vector<std::thread> threads;
  std::atomic<int> right = 0;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      right += ValueOf(client_->AccessToken()) == "access-1" ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 8);
  EXPECT_EQ(client_->RefreshToken(), "ort_1");
  absl::MutexLock lock(&mutex_);
  EXPECT_EQ(presented_, std::vector<std::string>{"ort_0"});
}

TEST_F(TokenClientTest, LostAnswerIsAskedForAgainWithTheSameTokenAndId) {
  ASSERT_OK(client_->SignIn("ada", "right"));
  Fail(grpc::Status(grpc::StatusCode::UNAVAILABLE, "lost"));
  time_.Advance(life_);
  std::thread asking([this] {
    EXPECT_THAT(client_->AccessToken(),
                HasCode(absl::StatusCode::kUnavailable));
  });
  for (int i = 0; i < 1000 && !AwaitRefreshes(2, absl::Milliseconds(20)); ++i) {
    time_.Advance(absl::Milliseconds(50));  // past the pause between attempts
  }
  asking.join();
  Fail(grpc::Status::OK);
  time_.Advance(absl::Seconds(10));
  EXPECT_EQ(ValueOf(client_->AccessToken()), "access-1");
  absl::MutexLock lock(&mutex_);
  EXPECT_EQ(std::set<std::string>(presented_.begin(), presented_.end()),
            std::set<std::string>{"ort_0"});
  EXPECT_EQ(
      std::set<std::string>(request_ids_.begin(), request_ids_.end()).size(),
      1u);
  EXPECT_EQ(request_ids_[0].size(), 32u);
}

TEST_F(TokenClientTest, NextRefreshHasAnotherId) {
  ASSERT_OK(client_->SignIn("ada", "right"));
  for (int i = 1; i < 3; ++i) {
    time_.Advance(life_);
    EXPECT_EQ(ValueOf(client_->AccessToken()), absl::StrCat("access-", i));
  }
  absl::MutexLock lock(&mutex_);
  EXPECT_EQ(presented_, (std::vector<std::string>{"ort_0", "ort_1"}));
  EXPECT_NE(request_ids_[0], request_ids_[1]);
}

TEST_F(TokenClientTest, RejectionEndsTheSession) {
  ASSERT_OK(client_->SignIn("ada", "right"));
  Fail(Rejected());
  time_.Advance(life_);
  const auto token = client_->AccessToken();
  EXPECT_THAT(token, HasCode(absl::StatusCode::kUnauthenticated));
  EXPECT_EQ(TokenClient::ReasonOf(token.status()), "REFRESH_REJECTED");
  EXPECT_FALSE(client_->AccessToken().ok());
  {
    absl::MutexLock lock(&mutex_);
    EXPECT_EQ(presented_.size(), 1u);
  }
  ASSERT_OK(client_->SignIn("ada", "right"));
  EXPECT_EQ(ValueOf(client_->AccessToken()), "access-0");
}

TEST_F(TokenClientTest, KeptRefreshTokenGoesOn) {
  ASSERT_OK(client_->Resume("ort_kept"));
  EXPECT_EQ(ValueOf(client_->AccessToken()), "access-1");
  absl::MutexLock lock(&mutex_);
  EXPECT_EQ(presented_, std::vector<std::string>{"ort_kept"});
}

TEST(Session, RefreshesAtARandomMomentOfItsLife) {
  v1::TokenSet tokens;
  tokens.mutable_expires_in()->set_seconds(1000);
  std::set<absl::Duration> moments;
  for (int i = 0; i < 200; ++i) {
    const Session session = Session::Of(tokens, absl::Hours(1));
    const absl::Duration moment = session.refresh_at - absl::Hours(1);
    EXPECT_GE(moment, absl::Seconds(600));
    EXPECT_LE(moment, absl::Seconds(850));
    moments.insert(moment);
  }
  EXPECT_GT(moments.size(), 150u);
  EXPECT_LT(*moments.begin(), absl::Seconds(650));
  EXPECT_GT(*moments.rbegin(), absl::Seconds(800));
}

}  // namespace
}  // namespace ostiary::client::testing

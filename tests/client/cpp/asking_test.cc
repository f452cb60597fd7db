// What a verifier does when its knowledge is too old and it may ask.
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "client/cpp/patience.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "ostiary/test_issuer.h"
#include "ostiary/verifier.h"
#include "tests/client/cpp/fake_server.h"
#include "tests/client/cpp/fake_time.h"
#include "tests/client/cpp/frames.h"
#include "tests/support/status_matchers.h"

namespace ostiary::client::testing {
namespace {

using ::ostiary::testing::ValueOf;

grpc::Status SayValid(const v1::VerifyRequest&, v1::VerifyResponse& response) {
  response.set_valid(true);
  response.mutable_claims()->set_subject("acct_asked");
  response.mutable_claims()->set_session_id("sess_asked");
  return grpc::Status::OK;
}

class AskingTest : public ::testing::Test {
 protected:
  AskingTest() {
    VerifierOptions options;
    options.target = server_.address();
    options.issuer = issuer_.issuer();
    options.time = &time_;
    options.silence_limit = absl::Seconds(30);
    options.ask_timeout = absl::Seconds(5);
    options.log = [](absl::string_view) {};
    verifier_ = ValueOf(Verifier::Create(options));
    call_ = server_.NextWatch();
  }

  void Follow() {
    call_->Send(KeySetOf(issuer_));
    call_->Send(Snapshot(1, 5, time_.Now()));
    ASSERT_TRUE(verifier_->WaitUntilReady(absl::Seconds(10)));
  }
  void GoStale() { time_.Advance(absl::Seconds(11)); }
  std::string Check(const std::string& token, const CheckOptions& check = {}) {
    const Verdict verdict = verifier_->Verify(token, check);
    return verdict.accepted() ? "ACCEPTED"
                              : std::string(RefusalName(verdict.refusal()));
  }
  std::uint64_t Asks(const std::string& outcome) const {
    return verifier_->Stats().asks.at(outcome);
  }

  FakeTime time_;
  TestIssuer issuer_{"https://id.example.test", time_};
  FakeServer server_;
  std::unique_ptr<Verifier> verifier_;
  std::shared_ptr<WatchCall> call_;
};

TEST_F(AskingTest, FreshVerifierNeverAsks) {
  Follow();
  EXPECT_EQ(Check(issuer_.Sign()), "ACCEPTED");
  EXPECT_EQ(Check(TestIssuer().Sign()), "KEY_UNKNOWN");
  EXPECT_EQ(server_.verify_calls(), 0);
}

TEST_F(AskingTest, StaleVerifierTakesTheServersWord) {
  Follow();
  GoStale();
  v1::VerifyRequest asked;
  server_.AnswerVerify([&](const auto& request, auto& response) {
    asked = request;
    return SayValid(request, response);
  });
  const std::string token =
      issuer_.Sign({.subject = "acct_ada", .scopes = {"read"}});
  const Verdict verdict = verifier_->Verify(token, {.scopes = {"read"}});
  ASSERT_TRUE(verdict.accepted());
  EXPECT_EQ(verdict.claims().subject, "acct_ada");  // the token's own
  EXPECT_EQ(asked.token(), token);
  EXPECT_EQ(asked.audience(), "api");
  EXPECT_FALSE(asked.any_audience());
  EXPECT_THAT(asked.required_scopes(), ::testing::ElementsAre("read"));
  server_.AnswerVerify([](const auto&, auto& response) {
    response.set_reason("TOKEN_REVOKED");
    return grpc::Status::OK;
  });
  EXPECT_EQ(Check(token), "TOKEN_REVOKED");
  EXPECT_EQ(Asks("valid"), 1u);
  EXPECT_EQ(Asks("invalid"), 1u);
}

TEST_F(AskingTest, NothingIsAskedAboutATokenThatIsBadByItself) {
  Follow();
  const std::string expired = issuer_.Sign({.lifetime = absl::Minutes(-5)});
  const std::string other = issuer_.Sign({.audience = "other"});
  GoStale();
  EXPECT_EQ(Check("a.b.c"), "TOKEN_MALFORMED");
  EXPECT_EQ(Check(expired), "TOKEN_EXPIRED");
  EXPECT_EQ(Check(other), "AUDIENCE_MISMATCH");
  EXPECT_EQ(Check(issuer_.Sign(), {.roles = {"admin"}}), "ROLE_MISSING");
  EXPECT_EQ(server_.verify_calls(), 0);
}

TEST_F(AskingTest, KeyMayBeNewerThanTheKnowledge) {
  Follow();
  GoStale();
  issuer_.RotateKey();
  server_.AnswerVerify(SayValid);
  const Verdict verdict = verifier_->Verify(issuer_.Sign());
  ASSERT_TRUE(verdict.accepted());
  EXPECT_EQ(verdict.claims().subject, "acct_asked");
}

TEST_F(AskingTest, BeforeTheFirstKeySetTheServerIsAsked) {
  server_.AnswerVerify(SayValid);
  EXPECT_EQ(Check(issuer_.Sign()), "ACCEPTED");
  EXPECT_EQ(server_.verify_calls(), 1);
}

TEST_F(AskingTest, WhatIsKnownToBeRevokedStaysSoWhateverTheServerSays) {
  call_->Send(KeySetOf(issuer_));
  call_->Send(
      Snapshot(1, 5, time_.Now(),
               {SessionEntry("sess_test"), SessionEntry("sess_asked")}));
  ASSERT_TRUE(verifier_->WaitUntilReady(absl::Seconds(10)));
  GoStale();
  server_.AnswerVerify(SayValid);
  EXPECT_EQ(Check(issuer_.Sign()), "TOKEN_REVOKED");
  issuer_.RotateKey();  // known by the server's claims alone
  EXPECT_EQ(Check(issuer_.Sign()), "TOKEN_REVOKED");
}

TEST_F(AskingTest, WhatTheFeedTellsWhileTheServerThinksCounts) {
  Follow();
  GoStale();
  server_.AnswerVerify([&](const auto& request, auto& response) {
    call_->Send(Delta(1, 5, 6, time_.Now(), {SessionEntry("sess_test")}));
    EXPECT_EQ(
        verifier_->WaitFor("rev_000000010000000000000006", absl::Seconds(10)),
        Arrival::kReached);
    return SayValid(request, response);
  });
  EXPECT_EQ(Check(issuer_.Sign()), "TOKEN_REVOKED");
  EXPECT_EQ(Asks("valid"), 1u);
}

TEST_F(AskingTest, TicketIsPassedOn) {
  Follow();
  std::string ticket;
  server_.AnswerVerify([&](const auto& request, auto& response) {
    ticket = request.min_revision();
    return SayValid(request, response);
  });
  const std::string ahead = "rev_000000010000000000000009";
  EXPECT_EQ(Check(issuer_.Sign(), {.min_revision = ahead}), "ACCEPTED");
  EXPECT_EQ(ticket, ahead);
}

TEST_F(AskingTest, NoAnswerInTimeIsUnavailable) {
  VerifierOptions options;
  options.target = server_.address();
  options.issuer = issuer_.issuer();
  options.time = &time_;
  options.ask_timeout = absl::Milliseconds(50);
  const auto hasty = ValueOf(Verifier::Create(options));
  // Shared: the server may still be in there when this test has gone on.
  const auto done = std::make_shared<absl::Notification>();
  server_.AnswerVerify([done](const auto& request, auto& response) {
    done->WaitForNotificationWithTimeout(absl::Seconds(5));
    return SayValid(request, response);
  });
  EXPECT_EQ(hasty->Verify(issuer_.Sign()).refusal(),
            Refusal::kCheckUnavailable);
  done->Notify();
}

TEST_F(AskingTest, BreakerHoldsBackUntilAProbeSucceeds) {
  Follow();
  GoStale();
  const std::string token = issuer_.Sign();
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(Check(token), "CHECK_UNAVAILABLE");
  }
  EXPECT_EQ(server_.verify_calls(), 5);
  EXPECT_TRUE(verifier_->Stats().breaker_open);
  EXPECT_EQ(Asks("held_back"), 15u);
  server_.AnswerVerify(SayValid);
  EXPECT_EQ(Check(token), "CHECK_UNAVAILABLE");
  time_.Advance(absl::Milliseconds(1200));
  EXPECT_EQ(Check(token), "ACCEPTED");
  EXPECT_FALSE(verifier_->Stats().breaker_open);
}

TEST_F(AskingTest, NoMoreThanSixteenAskAtATime) {
  Follow();
  GoStale();
  std::mutex mutex;
  std::condition_variable changed;
  int inside = 0;
  bool open = false;
  server_.AnswerVerify([&](const auto& request, auto& response) {
    std::unique_lock lock(mutex);
    ++inside;
    changed.notify_all();
    AwaitFor(changed, lock, absl::Seconds(10), [&open] { return open; });
    return SayValid(request, response);
  });
  const std::string token = issuer_.Sign();
  std::atomic<int> accepted = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back(
        [&] { accepted += Check(token) == "ACCEPTED" ? 1 : 0; });
  }
  {
    std::unique_lock lock(mutex);
    EXPECT_TRUE(AwaitFor(changed, lock, absl::Seconds(10),
                         [&inside] { return inside == 16; }));
  }
  EXPECT_EQ(Check(token), "CHECK_UNAVAILABLE");
  {
    const std::lock_guard lock(mutex);
    open = true;
    changed.notify_all();
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(accepted, 16);
  EXPECT_EQ(Asks("held_back"), 1u);
}

}  // namespace
}  // namespace ostiary::client::testing

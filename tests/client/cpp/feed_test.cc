// A verifier on a wire whose other end does what it should not: gaps,
// duplicates, silence, streams cut anywhere, another epoch.
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "ostiary/test_issuer.h"
#include "ostiary/verifier.h"
#include "tests/client/cpp/fake_server.h"
#include "tests/client/cpp/fake_time.h"
#include "tests/client/cpp/frames.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace ostiary::client::testing {
namespace {

using ::ostiary::testing::HasCode;
using ::ostiary::testing::TempDir;
using ::ostiary::testing::ValueOf;

constexpr absl::Duration kSoon = absl::Seconds(10);

class FeedTest : public ::testing::Test {
 protected:
  VerifierOptions Options() {
    VerifierOptions options;
    options.target = server_.address();
    options.issuer = issuer_.issuer();
    options.policy = StalenessPolicy::kRefuse;
    options.time = &time_;
    options.silence_limit = absl::Seconds(20);
    options.log = [this](absl::string_view line) {
      absl::MutexLock lock(&log_mutex_);
      log_.append(line.data(), line.size()).append("\n");
    };
    return options;
  }
  std::unique_ptr<Verifier> Open() { return Open(Options()); }
  static std::unique_ptr<Verifier> Open(VerifierOptions options) {
    return ValueOf(Verifier::Create(std::move(options)));
  }
  // The next stream, brought to epoch 1, sequence 5.
  std::shared_ptr<WatchCall> Begin() {
    auto call = server_.NextWatch();
    call->Send(KeySetOf(issuer_));
    call->Send(Snapshot(1, 5, time_.Now()));
    return call;
  }
  static std::string Ticket(std::uint64_t sequence, std::uint32_t epoch = 1) {
    char text[40];
    std::snprintf(text, sizeof(text), "rev_%08x%016llx", epoch,
                  static_cast<unsigned long long>(sequence));
    return text;
  }
  static bool Reaches(const Verifier& verifier, std::uint64_t sequence,
                      std::uint32_t epoch = 1) {
    return verifier.WaitFor(Ticket(sequence, epoch), kSoon) ==
           Arrival::kReached;
  }
  static std::string Check(const Verifier& verifier, const std::string& token) {
    const Verdict verdict = verifier.Verify(token);
    return verdict.accepted() ? "ACCEPTED"
                              : std::string(RefusalName(verdict.refusal()));
  }
  std::string Logged() {
    absl::MutexLock lock(&log_mutex_);
    return log_;
  }

  FakeTime time_;
  TestIssuer issuer_{"https://id.example.test", time_};
  FakeServer server_;
  absl::Mutex log_mutex_;
  std::string log_;
};

TEST_F(FeedTest, FirstStreamBeginsWithoutACursorAndInShortForm) {
  const auto verifier = Open();
  const auto call = server_.NextWatch();
  EXPECT_EQ(call->cursor(), "");
  EXPECT_TRUE(call->compact());
}

TEST_F(FeedTest, ReadyWithTheFirstCompleteSnapshotAndNotBefore) {
  const auto verifier = Open();
  const auto call = server_.NextWatch();
  call->Send(KeySetOf(issuer_));
  call->Send(SnapshotPart(1, 5, {}));
  EXPECT_FALSE(verifier->WaitUntilReady(absl::Milliseconds(50)));
  EXPECT_EQ(Check(*verifier, issuer_.Sign()), "CHECK_UNAVAILABLE");
  call->Send(Snapshot(1, 5, time_.Now()));
  EXPECT_TRUE(verifier->WaitUntilReady(kSoon));
  EXPECT_EQ(Check(*verifier, issuer_.Sign()), "ACCEPTED");
}

TEST_F(FeedTest, RevocationIsInForceWhenItsRevisionIsReached) {
  const auto verifier = Open();
  const auto call = Begin();
  ASSERT_TRUE(Reaches(*verifier, 5));
  const std::string token = issuer_.Sign({.session_id = "sess_ada"});
  EXPECT_EQ(Check(*verifier, token), "ACCEPTED");
  call->Send(Delta(1, 5, 6, time_.Now(), {SessionEntry("sess_ada")}));
  ASSERT_TRUE(Reaches(*verifier, 6));
  EXPECT_EQ(Check(*verifier, token), "TOKEN_REVOKED");
}

TEST_F(FeedTest, HeartbeatKeepsItFresh) {
  const auto verifier = Open();
  const auto call = Begin();
  ASSERT_TRUE(verifier->WaitUntilReady(kSoon));
  time_.Advance(absl::Seconds(11));
  EXPECT_EQ(Check(*verifier, issuer_.Sign()), "CHECK_UNAVAILABLE");
  call->Send(Heartbeat(1, 5, time_.Now()));
  EXPECT_TRUE(verifier->WaitUntilReady(kSoon));
  EXPECT_EQ(Check(*verifier, issuer_.Sign()), "ACCEPTED");
}

TEST_F(FeedTest, GapIsNotSteppedOverButResumedFrom) {
  const auto verifier = Open();
  const auto call = Begin();
  ASSERT_TRUE(Reaches(*verifier, 5));
  call->Send(Delta(1, 6, 7, time_.Now(), {SessionEntry("sess_b")}));
  EXPECT_TRUE(call->AwaitCancelled());
  const auto next = server_.NextWatch();
  EXPECT_EQ(next->cursor(), "cursor-1-5");
  next->Send(KeySetOf(issuer_));
  next->Send(Delta(1, 5, 7, time_.Now(),
                   {SessionEntry("sess_a"), SessionEntry("sess_b")}));
  ASSERT_TRUE(Reaches(*verifier, 7));
  EXPECT_EQ(Check(*verifier, issuer_.Sign({.session_id = "sess_a"})),
            "TOKEN_REVOKED");
}

TEST_F(FeedTest, DuplicateIsIgnoredAndTheStreamGoesOn) {
  const auto verifier = Open();
  const auto call = Begin();
  call->Send(Delta(1, 5, 6, time_.Now(), {SessionEntry("sess_a")}));
  call->Send(Delta(1, 5, 6, time_.Now(), {SessionEntry("sess_a")}));
  call->Send(Delta(1, 6, 7, time_.Now(), {SessionEntry("sess_b")}));
  ASSERT_TRUE(Reaches(*verifier, 7));
  EXPECT_EQ(verifier->Stats().reconnects, 0u);
  EXPECT_EQ(verifier->Stats().entries, 2u);
}

TEST_F(FeedTest, SilentStreamIsLeftAndOpenedAgain) {
  VerifierOptions options = Options();
  options.silence_limit = absl::Milliseconds(100);
  const auto verifier = Open(options);
  const auto call = Begin();
  ASSERT_TRUE(Reaches(*verifier, 5));
  EXPECT_TRUE(call->AwaitCancelled());
  EXPECT_EQ(server_.NextWatch()->cursor(), "cursor-1-5");
}

TEST_F(FeedTest, StreamThatEndsIsResumedFromTheLastFrame) {
  const auto verifier = Open();
  for (const auto code :
       {grpc::StatusCode::UNAVAILABLE, grpc::StatusCode::OK,
        grpc::StatusCode::RESOURCE_EXHAUSTED, grpc::StatusCode::INTERNAL}) {
    const auto call = Begin();
    ASSERT_TRUE(Reaches(*verifier, 5));
    call->End(grpc::Status(code, "over"));
  }
  EXPECT_EQ(server_.NextWatch()->cursor(), "cursor-1-5");
  EXPECT_EQ(verifier->Stats().reconnects, 4u);
}

TEST_F(FeedTest, StreamCutWithinASnapshotMovesNothing) {
  const auto verifier = Open();
  auto call = server_.NextWatch();
  call->Send(KeySetOf(issuer_));
  call->Send(SnapshotPart(1, 5, {SessionEntry("sess_a")}));
  call->End(grpc::Status(grpc::StatusCode::UNAVAILABLE, "cut"));
  EXPECT_EQ(server_.NextWatch()->cursor(), "");
  EXPECT_EQ(verifier->Stats().staleness, absl::InfiniteDuration());
}

TEST_F(FeedTest, NewEpochUnrevokesNothing) {
  const auto verifier = Open();
  auto call = Begin();
  call->Send(Delta(1, 5, 6, time_.Now(), {SessionEntry("sess_a")}));
  ASSERT_TRUE(Reaches(*verifier, 6));
  call->End(grpc::Status(grpc::StatusCode::UNAVAILABLE, "restored"));
  call = server_.NextWatch();
  call->Send(KeySetOf(issuer_));
  call->Send(Snapshot(2, 3, time_.Now() + absl::Seconds(1)));
  ASSERT_TRUE(Reaches(*verifier, 3, 2));
  EXPECT_EQ(Check(*verifier, issuer_.Sign({.session_id = "sess_a"})),
            "TOKEN_REVOKED");
  EXPECT_EQ(verifier->WaitFor(Ticket(6), kSoon), Arrival::kReached);
  EXPECT_EQ(verifier->WaitFor(Ticket(7), kSoon), Arrival::kLost);
}

TEST_F(FeedTest, KeysFollowTheStream) {
  const auto verifier = Open();
  const auto call = Begin();
  ASSERT_TRUE(verifier->WaitUntilReady(kSoon));
  const std::string before = issuer_.Sign();
  TestIssuer next("https://id.example.test", time_);
  EXPECT_EQ(Check(*verifier, before), "ACCEPTED");
  EXPECT_EQ(Check(*verifier, next.Sign()), "KEY_UNKNOWN");
  call->Send(KeySetOf(next));
  call->Send(Delta(1, 5, 6, time_.Now()));
  ASSERT_TRUE(Reaches(*verifier, 6));
  EXPECT_EQ(Check(*verifier, next.Sign()), "ACCEPTED");
  EXPECT_EQ(Check(*verifier, before), "KEY_UNKNOWN");
}

TEST_F(FeedTest, RejectedVerifierSaysSoLoudly) {
  const auto verifier = Open();
  server_.NextWatch()->End(
      grpc::Status(grpc::StatusCode::PERMISSION_DENIED, "not for you"));
  const absl::Time deadline = absl::Now() + kSoon;
  while (Logged().empty() && absl::Now() < deadline) {
    absl::SleepFor(absl::Milliseconds(5));
  }
  EXPECT_TRUE(absl::StrContains(Logged(), "REFUSES THIS VERIFIER"));
}

TEST_F(FeedTest, ServerThatIsNotThereIsComeBackTo) {
  VerifierOptions options = Options();
  options.target = "127.0.0.1:1";
  const auto verifier = Open(options);
  EXPECT_FALSE(verifier->WaitUntilReady(absl::Milliseconds(100)));
  EXPECT_FALSE(verifier->Stats().connected);
  EXPECT_EQ(Check(*verifier, issuer_.Sign()), "CHECK_UNAVAILABLE");
}

TEST_F(FeedTest, ClosingDoesNotWaitForTheServer) {
  for (const bool silent : {true, false}) {
    const auto verifier = Open();
    const auto call = server_.NextWatch();
    if (!silent) call->Send(KeySetOf(issuer_));
    const absl::Time start = absl::Now();
    std::thread waiting([&] {
      EXPECT_EQ(verifier->WaitFor(Ticket(99), absl::Minutes(5)),
                Arrival::kTimeout);
    });
    verifier->Close();
    waiting.join();
    verifier->Close();
    EXPECT_LT(absl::Now() - start, absl::Seconds(3));
    EXPECT_TRUE(call->AwaitCancelled());
  }
}

TEST_F(FeedTest, StateFileCarriesItOverARestart) {
  const TempDir dir;
  VerifierOptions options = Options();
  options.state_file = dir.File("state");
  const std::string revoked = issuer_.Sign({.session_id = "sess_a"});
  const std::string good = issuer_.Sign({.session_id = "sess_b"});
  {
    const auto verifier = Open(options);
    const auto call = Begin();
    call->Send(Delta(1, 5, 6, time_.Now(), {SessionEntry("sess_a")}));
    ASSERT_TRUE(Reaches(*verifier, 6));
  }
  time_.Advance(absl::Seconds(4));
  const auto verifier = Open(options);
  EXPECT_EQ(Check(*verifier, revoked), "TOKEN_REVOKED");
  EXPECT_EQ(Check(*verifier, good), "ACCEPTED");
  EXPECT_EQ(verifier->Stats().staleness, absl::Seconds(4));
  EXPECT_EQ(server_.NextWatch()->cursor(), "cursor-1-6");
  time_.Advance(absl::Seconds(7));
  EXPECT_EQ(Check(*verifier, good), "CHECK_UNAVAILABLE");
}

TEST_F(FeedTest, SpoiltStateFileIsIgnoredWithAWarning) {
  const TempDir dir;
  VerifierOptions options = Options();
  options.state_file = dir.File("state");
  {
    const auto verifier = Open(options);
    const auto call = Begin();
    ASSERT_TRUE(Reaches(*verifier, 5));
  }
  options.issuer = "https://other.example.test";
  const auto verifier = Open(options);
  EXPECT_EQ(server_.NextWatch()->cursor(), "");
  EXPECT_TRUE(absl::StrContains(Logged(), "state file ignored"));
}

TEST_F(FeedTest, CheckedByManyWhileItFollows) {
  const auto verifier = Open();
  const auto call = Begin();
  ASSERT_TRUE(verifier->WaitUntilReady(kSoon));
  const std::string good = issuer_.Sign({.session_id = "sess_good"});
  std::atomic<bool> done = false;
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&] {
      while (!done) wrong += Check(*verifier, good) == "ACCEPTED" ? 0 : 1;
    });
  }
  for (std::uint64_t n = 5; n < 205; ++n) {
    call->Send(Delta(1, n, n + 1, time_.Now(),
                     {SessionEntry(std::to_string(n)), TokenEntry("t")}));
  }
  EXPECT_TRUE(Reaches(*verifier, 205));
  done = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST_F(FeedTest, WrongOptionsAreNamed) {
  const auto fault = [this](auto change) {
    VerifierOptions options = Options();
    change(options);
    const auto verifier = Verifier::Create(options);
    EXPECT_THAT(verifier, HasCode(absl::StatusCode::kInvalidArgument));
    return std::string(verifier.status().message());
  };
  using Options = VerifierOptions;
  EXPECT_THAT(fault([](Options& o) { o.target = ""; }),
              ::testing::HasSubstr("target"));
  EXPECT_THAT(fault([](Options& o) { o.target = "unix:"; }),
              ::testing::HasSubstr("target"));
  EXPECT_THAT(fault([](Options& o) { o.algorithms = {"none"}; }),
              ::testing::HasSubstr("algorithms"));
  EXPECT_THAT(
      fault([](Options& o) { o.staleness_bound = absl::ZeroDuration(); }),
      ::testing::HasSubstr("staleness_bound"));
  EXPECT_THAT(fault([](Options& o) { o.ask_timeout = absl::ZeroDuration(); }),
              ::testing::HasSubstr("ask_timeout"));
  EXPECT_THAT(fault([](Options& o) { o.credentials.bearer_token = "a\r\nb"; }),
              ::testing::HasSubstr("bearer_token"));
  fault([](Options& o) { o.issuer = ""; });
  fault([](Options& o) { o.leeway = absl::Minutes(6); });
  fault([](Options& o) { o.algorithms = {}; });
  fault([](Options& o) { o.credentials.tls = TlsFiles{"", "chain", ""}; });
}

}  // namespace
}  // namespace ostiary::client::testing

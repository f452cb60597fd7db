#include <signal.h>
#include <unistd.h>

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/client/cli/fake_server.h"
#include "tests/client/cli/run_cli.h"

namespace ostiary::cli {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using v1::WatchResponse;

constexpr std::int64_t kTime = 1767225600;  // 2026-01-01

WatchResponse Keys() {
  WatchResponse frame;
  frame.mutable_key_set()->add_keys()->set_kid("key_1");
  return frame;
}

WatchResponse SnapshotPart(int entries, std::uint32_t fingerprints) {
  WatchResponse frame;
  for (int i = 0; i < entries; ++i) {
    frame.mutable_snapshot()->add_entries()->set_key_id("k");
  }
  frame.mutable_snapshot()->add_fingerprint_sets()->set_count(fingerprints);
  return frame;
}

WatchResponse SnapshotEnd(std::uint64_t sequence) {
  WatchResponse frame = SnapshotPart(1, 0);
  v1::RevocationSnapshot& end = *frame.mutable_snapshot();
  end.set_epoch(1);
  end.set_sequence(sequence);
  end.set_last(true);
  end.mutable_as_of()->set_seconds(kTime);
  end.set_cursor(absl::StrCat("cur_", sequence));
  return frame;
}

WatchResponse Delta(std::uint64_t from, std::uint64_t to) {
  WatchResponse frame;
  v1::RevocationDelta& delta = *frame.mutable_delta();
  delta.set_epoch(1);
  delta.set_from(from);
  delta.set_to(to);
  auto& account = *delta.add_entries();
  account.mutable_account()->set_account_id("acct_1");
  account.mutable_account()->set_min_generation(3);
  account.mutable_forget_time()->set_seconds(kTime + 900);
  delta.add_entries()->set_session_id("sess\x1b[2J");
  delta.mutable_as_of()->set_seconds(kTime);
  delta.set_cursor(absl::StrCat("cur_", to));
  return frame;
}

WatchResponse Heartbeat(std::uint64_t sequence) {
  WatchResponse frame;
  v1::RevocationHeartbeat& heartbeat = *frame.mutable_heartbeat();
  heartbeat.set_epoch(1);
  heartbeat.set_sequence(sequence);
  heartbeat.mutable_as_of()->set_seconds(kTime + 1);
  heartbeat.set_cursor(absl::StrCat("cur_", sequence));
  return frame;
}

class WatchCommandTest : public ::testing::Test {
 protected:
  Ended Watch(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(),
                     {"--socket", server_.socket(), "watch"});
    return cli_.Run(std::move(arguments));
  }
  void AddStream(std::vector<WatchResponse> frames,
                 std::optional<grpc::Status> end = std::nullopt) {
    server_.script().streams.push_back({std::move(frames), std::move(end)});
  }

  FakeServer server_;
  Cli cli_;
};

TEST_F(WatchCommandTest, FramesAreALineEach) {
  AddStream(
      {Keys(), SnapshotPart(2, 10), SnapshotEnd(5), Delta(5, 7), Heartbeat(7)});
  const Ended ended = Watch({"--duration", "300ms"});
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_EQ(
      ended.out,
      "keys       key_1\n"
      "snapshot   epoch 1, sequence 5, as of 2026-01-01T00:00:00.000Z: 13 "
      "entries\n"
      "delta      epoch 1, sequence 7, as of 2026-01-01T00:00:00.000Z: "
      "account acct_1 below generation 3, until "
      "2026-01-01T00:15:00.000Z; session sess\\u001b[2J, for ever\n"
      "heartbeat  epoch 1, sequence 7, as of 2026-01-01T00:00:01.000Z\n");
  EXPECT_THAT(server_.script().calls, ElementsAre("Watch {compact: true}"));
}

TEST_F(WatchCommandTest, JsonIsALineEach) {
  AddStream({Keys(), SnapshotEnd(5), Delta(5, 7), Heartbeat(7)});
  const Ended ended = Watch({"--duration", "300ms", "--output", "json"});
  EXPECT_EQ(
      ended.out,
      "{\"frame\":\"key_set\",\"key_ids\":[\"key_1\"]}\n"
      "{\"frame\":\"snapshot\",\"epoch\":1,\"sequence\":5,\"as_of\":"
      "\"2026-01-01T00:00:00.000Z\",\"cursor\":\"cur_5\",\"entries\":1}\n"
      "{\"frame\":\"delta\",\"epoch\":1,\"sequence\":7,\"as_of\":"
      "\"2026-01-01T00:00:00.000Z\",\"cursor\":\"cur_7\",\"from\":5,"
      "\"entries\":[{\"account\":{\"account_id\":\"acct_1\","
      "\"min_generation\":\"3\"},\"forget_time\":\"2026-01-01T00:15:00Z\"},"
      "{\"session_id\":\"sess\\u001b[2J\"}]}\n"
      "{\"frame\":\"heartbeat\",\"epoch\":1,\"sequence\":7,\"as_of\":"
      "\"2026-01-01T00:00:01.000Z\",\"cursor\":\"cur_7\"}\n");
}

TEST_F(WatchCommandTest, HeartbeatsCanBeLeftOut) {
  AddStream({SnapshotEnd(5), Heartbeat(5)});
  const Ended ended = Watch({"--duration", "200ms", "--no-heartbeats"});
  EXPECT_THAT(ended.out,
              AllOf(HasSubstr("snapshot"), Not(HasSubstr("heartbeat"))));
}

TEST_F(WatchCommandTest, ContinuesFromTheCursorThatIsGiven) {
  AddStream({Delta(5, 7)});
  const Ended ended = Watch({"--cursor", "cur_5", "--duration", "200ms"});
  EXPECT_THAT(ended.out, HasSubstr("sequence 7"));
  EXPECT_THAT(server_.script().calls,
              ElementsAre("Watch {cursor: \"cur_5\" compact: true}"));
}

TEST_F(WatchCommandTest, ComesAgainFromWhereItStood) {
  AddStream({SnapshotEnd(5), Delta(5, 7)},
            grpc::Status(grpc::StatusCode::UNAVAILABLE, "draining"));
  AddStream({Delta(7, 8)});
  const Ended ended = Watch({"--duration", "1s"});
  EXPECT_EQ(ended.code, 0);
  EXPECT_THAT(ended.out, HasSubstr("sequence 8"));
  EXPECT_THAT(ended.err, HasSubstr("coming again: "));
  EXPECT_THAT(server_.script().calls,
              ElementsAre("Watch {compact: true}",
                          "Watch {cursor: \"cur_7\" compact: true}"));
}

TEST_F(WatchCommandTest, GapIsToldAndReadAgain) {
  AddStream({SnapshotEnd(5), Delta(6, 7)});
  AddStream({Delta(5, 7)});
  const Ended ended = Watch({"--duration", "1s"});
  EXPECT_THAT(ended.err, HasSubstr("the feed goes on at epoch 1, sequence 6"));
  EXPECT_THAT(ended.out, HasSubstr("sequence 7"));
  EXPECT_THAT(server_.script().calls,
              ElementsAre("Watch {compact: true}",
                          "Watch {cursor: \"cur_5\" compact: true}"));
}

TEST_F(WatchCommandTest, PartsOfASnapshotThatWasCutOffAreNotCounted) {
  AddStream({SnapshotPart(100, 0)},
            grpc::Status(grpc::StatusCode::UNAVAILABLE, "gone"));
  AddStream({SnapshotEnd(5)});
  EXPECT_THAT(Watch({"--duration", "1s"}).out, HasSubstr(": 1 entry\n"));
}

TEST_F(WatchCommandTest, CallerWhoMayNotWatchIsToldSo) {
  server_.script().failure =
      grpc::Status(grpc::StatusCode::PERMISSION_DENIED, "not a service");
  const Ended ended = Watch({});
  EXPECT_EQ(ended.code, 4);
  EXPECT_THAT(ended.err, HasSubstr("not a service"));
  EXPECT_THAT(ended.out, IsEmpty());
}

TEST_F(WatchCommandTest, ServerThatNeverAnsweredIsNotWaitedFor) {
  EXPECT_EQ(Watch({}).code, 3);
}

TEST_F(WatchCommandTest, LostConnectionCanBeAnError) {
  AddStream({SnapshotEnd(5)},
            grpc::Status(grpc::StatusCode::UNAVAILABLE, "gone"));
  EXPECT_EQ(Watch({"--no-reconnect"}).code, 3);
  EXPECT_EQ(server_.script().calls.size(), 1u);
}

TEST_F(WatchCommandTest, InterruptEndsItWellAndTellsTheCursor) {
  AddStream({SnapshotEnd(5)});
  std::thread person([this] {
    for (;;) {
      absl::SleepFor(absl::Milliseconds(200));
      const std::lock_guard lock(server_.script().mutex);
      if (!server_.script().calls.empty()) break;
    }
    absl::SleepFor(absl::Milliseconds(200));
    ::kill(::getpid(), SIGINT);
  });
  const Ended ended = Watch({"--duration", "30s"});
  person.join();
  EXPECT_EQ(ended.code, 0);
  EXPECT_EQ(ended.err, "to continue: --cursor cur_5\n");
}

TEST_F(WatchCommandTest, DurationHasItsBounds) {
  EXPECT_EQ(Watch({"--duration", "0s"}).code, 2);
  EXPECT_EQ(Watch({"--duration", "soon"}).code, 2);
  EXPECT_THAT(server_.script().calls, IsEmpty());
}

}  // namespace
}  // namespace ostiary::cli

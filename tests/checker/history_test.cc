#include "tests/checker/history.h"

#include <fstream>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace ostiary::checker {
namespace {

using ostiary::testing::HasCode;
using ostiary::testing::IsOk;
using ostiary::testing::TempDir;
using ::testing::HasSubstr;
using ::testing::SizeIs;

Operation Full() {
  Operation op;
  op.id = 3;
  op.process = "c1";
  op.kind = Kind::kRefresh;
  op.outcome = Outcome::kRefused;
  op.reason = "REFRESH_REJECTED";
  op.start = 12;
  op.end = 34;
  op.start_time = 1'700'000'000'000'001;
  op.end_time = 1'700'000'000'000'002;
  op.account = "acct_1";
  op.session = "sess_1";
  op.token_id = "jti";
  op.token_generation = (1ull << 32) + 2;
  op.key = "kid";
  op.issue_time = 5;
  op.presented = "aa";
  op.refresh = "bb";
  op.request_id = "cc";
  op.password = "dd";
  op.new_password = "ee";
  op.epoch = 6;
  op.sequence = 7;
  op.entry = "session";
  op.action = "session.revoke";
  return op;
}

TEST(OperationLine, HoldsEveryField) {
  const auto read = FromJsonLine(ToJsonLine(Full()));
  ASSERT_OK(read);
  EXPECT_EQ(*read, Full());
}

TEST(OperationLine, CallThatWasNeverAnsweredHasNoEnd) {
  Operation op = Full();
  op.outcome = Outcome::kUnknown;
  op.end = kNever;
  const std::string line = ToJsonLine(op);
  EXPECT_THAT(line, ::testing::Not(HasSubstr("\"end\"")));
  EXPECT_EQ(*FromJsonLine(line), op);
}

TEST(OperationLine, WhatIsNotOneIsRefused) {
  for (const char* line :
       {"", "[]", "{}", R"({"kind":"verify","outcome":"ok"})",
        R"({"kind":"verify","outcome":"ok","start":1})",
        R"({"kind":"verify","outcome":"ok","start":2,"end":1})",
        R"({"kind":"verifies","outcome":"ok","start":1,"end":2})",
        R"({"kind":"verify","outcome":"fine","start":1,"end":2})",
        R"({"kind":"verify","outcome":"ok","start":"1","end":2})",
        R"({"kind":"verify","outcome":"ok","start":1,"end":2,"sesion":"s"})"}) {
    EXPECT_THAT(FromJsonLine(line), HasCode(absl::StatusCode::kInvalidArgument))
        << line;
  }
}

TEST(FingerprintOfASecret, IsWhatPythonMakesOfIt) {
  // hashlib.sha256(b"secret").hexdigest()[:32]
  EXPECT_EQ(Fingerprint("secret"), "2bb80d537b1da3e38bd30361aa855686");
  EXPECT_EQ(Fingerprint(""), "");
}

TEST(HistoryFile, IsReadAsItWasWritten) {
  TempDir dir;
  History history;
  const std::size_t begun = history.Begin({.process = "c1"});
  history.Observe({.kind = Kind::kLedgerHead, .epoch = 1, .sequence = 9});
  Operation answer = history.At(begun);
  answer.outcome = Outcome::kOk;
  history.End(begun, answer);
  history.Begin({.process = "c2"});
  ASSERT_OK(history.WriteTo(dir.File("history")));
  auto read = ReadHistory(dir.File("history"));
  ASSERT_OK(read);
  // In a file, who has no number is given that of the line.
  std::vector<Operation> written = history.operations();
  written.front().id = 1;
  EXPECT_EQ(*read, written);
}

TEST(HistoryFile, LineThatIsWrongIsNamed) {
  TempDir dir;
  std::ofstream(dir.File("history")) << "# a remark\n\n{\"kind\":\"x\"}\n";
  const auto read = ReadHistory(dir.File("history"));
  EXPECT_THAT(read.status().ToString(), HasSubstr(":3: "));
}

TEST(HistoryOfManyThreads, NumbersEveryMomentOnce) {
  History history;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 500; ++k) {
        const std::size_t begun = history.Begin({});
        Operation answer = history.At(begun);
        answer.outcome = Outcome::kOk;
        history.End(begun, answer);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::vector<bool> seen(4001);
  for (const Operation& op : history.operations()) {
    for (const std::int64_t moment : {op.start, op.end}) {
      ASSERT_FALSE(seen[static_cast<std::size_t>(moment)]);
      seen[static_cast<std::size_t>(moment)] = true;
    }
  }
  EXPECT_THAT(history.operations(), SizeIs(2000));
}

}  // namespace
}  // namespace ostiary::checker

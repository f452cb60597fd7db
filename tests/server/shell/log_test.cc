#include "server/base/log.h"

#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "boost/json.hpp"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/base/log_text.h"

namespace ostiary {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr absl::string_view kTime = "2026-01-02T03:04:05.678Z";

// What a caller might put into a name to be taken for somebody else.
const std::vector<std::string>& Attacks() {
  static const auto& attacks = *new std::vector<std::string>{
      "a\nb",
      "a\r\n2026-01-02T03:04:05.678Z info    Signed in account=root",
      "\x1b[2J\x1b[1;31m",
      "\x1b]0;title\x07",
      std::string("nul\0byte", 8),
      "\x7f",
      "\xc2\x9b"
      "31m",                  // C1: the eight-bit CSI
      "\xe2\x80\xa8line",     // U+2028
      "\xe2\x80\xaegnp.exe",  // U+202E turns the text round
      "\xff\xfe",             // never UTF-8
      "\xc3",                 // cut off
      "\xc0\xaf",             // overlong
      "\xed\xa0\x80",         // a surrogate
      "\xf4\x90\x80\x80",     // beyond the last code point
      "\" level=error x=\"",
      "\\",
      "%s%n{}{0}",  // format strings of C and of fmt
  };
  return attacks;
}

bool IsOneCleanLine(const std::string& line) {
  for (const char c : line) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F) return false;
  }
  return true;
}

TEST(LogTextTest, NoValueBreaksOutOfItsLine) {
  for (const std::string& attack : Attacks()) {
    const std::string text =
        FormatLogText(kTime, LogLevel::kInfo, attack, {{"name", attack}});
    const std::string json =
        FormatLogJson(kTime, LogLevel::kInfo, attack, {{"name", attack}});
    EXPECT_TRUE(IsOneCleanLine(text)) << text;
    EXPECT_TRUE(IsOneCleanLine(json)) << json;
    EXPECT_THAT(text, Not(HasSubstr("\xe2\x80")));
    EXPECT_THAT(text, Not(HasSubstr("\xc2\x9b")));
  }
}

TEST(LogTextTest, NoValueLooksLikeAnotherField) {
  EXPECT_EQ(FormatLogText(kTime, LogLevel::kWarning, "Refused",
                          {{"user_agent", "x level=error"}, {"n", ""}}),
            "2026-01-02T03:04:05.678Z warning Refused "
            "user_agent=\"x level=error\" n=\"\"");
  EXPECT_EQ(QuoteText("\" a=\""), R"("\" a=\"")");
}

TEST(LogTextTest, JsonIsParsedBackWithFieldsInOrder) {
  for (const std::string& attack : Attacks()) {
    const std::string json = FormatLogJson(kTime, LogLevel::kError, "Event",
                                           {{"z", attack}, {"a", "2"}});
    boost::json::error_code error;
    const boost::json::value parsed = boost::json::parse(json, error);
    ASSERT_FALSE(error) << json;
    std::vector<std::string> keys;
    for (const auto& entry : parsed.as_object()) {
      keys.emplace_back(entry.key_c_str());
    }
    EXPECT_THAT(keys, ElementsAre("time", "level", "event", "z", "a"));
    EXPECT_EQ(parsed.at("level").as_string(), "error");
  }
}

TEST(LogTextTest, JsonKeepsWellFormedTextAsItWas) {
  const std::string name = "Zo\xc3\xab \xf0\x9f\xa6\x8a \"q\" \\ \n";
  const boost::json::value parsed = boost::json::parse(
      FormatLogJson(kTime, LogLevel::kInfo, "Event", {{"name", name}}));
  EXPECT_EQ(std::string(parsed.at("name").as_string().c_str()), name);
}

TEST(LogTextTest, TextKeepsPrintableUnicode) {
  EXPECT_EQ(EscapeText("Zo\xc3\xab"), "Zo\xc3\xab");
  EXPECT_EQ(EscapeText("a\nb\x1b\xff\\"), R"(a\nb\x1b\xff\\)");
}

std::vector<std::string> LinesWritten(const std::function<void()>& write) {
  ::testing::internal::CaptureStderr();
  write();
  return absl::StrSplit(::testing::internal::GetCapturedStderr(), '\n',
                        absl::SkipEmpty());
}

TEST(LoggerTest, WritesOneLineWithAUtcTimeInMilliseconds) {
  const std::vector<std::string> lines = LinesWritten([] {
    Logger logger(LogFormat::kJson, LogLevel::kInfo);
    logger.Info("Listening {} %s", {{"address", "127.0.0.1:1\n"}});
  });
  ASSERT_EQ(lines.size(), 1u);
  const boost::json::value parsed = boost::json::parse(lines[0]);
  EXPECT_EQ(parsed.at("event").as_string(), "Listening {} %s");
  const std::string time(parsed.at("time").as_string().c_str());
  EXPECT_THAT(time, ::testing::MatchesRegex("....-..-..T..:..:..\\....Z"));
  absl::Time read;
  std::string error;
  ASSERT_TRUE(absl::ParseTime(absl::RFC3339_full, time, &read, &error));
  EXPECT_LT(absl::AbsDuration(absl::Now() - read), absl::Minutes(1));
}

TEST(LoggerTest, LeavesOutWhatIsBelowTheThreshold) {
  const std::vector<std::string> lines = LinesWritten([] {
    Logger logger(LogFormat::kText, LogLevel::kWarning);
    logger.Log(LogLevel::kDebug, "Debug");
    logger.Info("Info");
    logger.Warning("Warning");
    logger.Error("Error");
  });
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_TRUE(absl::EndsWith(lines[0], "warning Warning")) << lines[0];
  EXPECT_TRUE(absl::EndsWith(lines[1], "error   Error")) << lines[1];
}

TEST(LoggerTest, LinesOfManyThreadsDoNotMix) {
  constexpr int kThreads = 4;
  constexpr int kLines = 100;
  const std::vector<std::string> lines = LinesWritten([] {
    Logger logger(LogFormat::kText, LogLevel::kInfo);
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&logger, t] {
        for (int i = 0; i < kLines; ++i) {
          logger.Info("Worked", {{"who", absl::StrCat(t)}, {"end", "."}});
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  });
  ASSERT_EQ(lines.size(), static_cast<std::size_t>(kThreads * kLines));
  for (const std::string& line : lines) {
    EXPECT_TRUE(absl::EndsWith(line, " end=.")) << line;
  }
}

}  // namespace
}  // namespace ostiary

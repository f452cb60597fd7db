// Commands that need no server: hash verify, token verify --jwks, token
// inspect.

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/cli/jsonl.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/client/cli/run_cli.h"
#include "tests/support/temp_dir.h"

namespace ostiary::cli {
namespace {

using ::ostiary::testing::TempDir;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

constexpr char kValid[] = "{\"valid\": true}";

std::string Malformed(const std::string& name) {
  return "{\"" + name + "\": false, \"reason\": \"LINE_MALFORMED\"}";
}

std::vector<std::string> LinesOf(const std::string& text) {
  std::vector<std::string> lines = absl::StrSplit(text, '\n');
  if (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

boost::json::object ReadVectors() {
  const char* source = std::getenv("OSTIARY_SOURCE_DIR");
  std::ifstream file(absl::StrCat(source == nullptr ? "." : source,
                                  "/tests/vectors/jose/jwt-attacks.json"));
  std::stringstream text;
  text << file.rdbuf();
  return boost::json::parse(text.str()).as_object();
}

class OfflineVerifyTest : public ::testing::Test {
 protected:
  OfflineVerifyTest() : vectors_(ReadVectors()) {
    std::ofstream(dir_.File("jwks.json"))
        << boost::json::serialize(vectors_.at("jwks"));
  }

  std::string Text(const char* name) const {
    return std::string(vectors_.at(name).as_string());
  }
  const boost::json::array& cases() const {
    return vectors_.at("cases").as_array();
  }
  std::string TokenOf(const boost::json::value& one) const {
    return std::string(one.at("token").as_string());
  }
  std::vector<std::string> Arguments(std::vector<std::string> more) const {
    std::vector<std::string> arguments = {
        "token",      "verify",
        "--jwks",     dir_.File("jwks.json"),
        "--issuer",   Text("issuer"),
        "--audience", Text("audience"),
        "--at",       absl::StrCat(vectors_.at("now").as_int64())};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }

  TempDir dir_;
  boost::json::object vectors_;
  Cli cli_;
};

TEST_F(OfflineVerifyTest, EveryAttackIsJudgedRight) {
  ASSERT_EQ(cases().size(), 129U);
  for (const auto& one : cases()) {
    cli_.in +=
        boost::json::serialize(boost::json::value{{"token", one.at("token")}}) +
        "\n";
  }
  const Ended ended = cli_.Run(Arguments({"--jsonl"}));
  EXPECT_EQ(ended.code, 0) << ended.err;
  const std::vector<std::string> lines = LinesOf(ended.out);
  ASSERT_EQ(lines.size(), cases().size());
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const bool accept = cases()[i].at("expect").as_string() == "accept";
    EXPECT_EQ(lines[i] == kValid, accept)
        << cases()[i].at("id") << " " << cases()[i].at("why") << lines[i];
    if (!accept) {
      EXPECT_THAT(lines[i], StartsWith("{\"valid\": false, \"reason\": \""));
    }
  }
}

TEST_F(OfflineVerifyTest, BadLinesAreAnsweredAndTheRestIsRead) {
  const std::string good = "{\"token\": \"" + TokenOf(cases().front()) + "\"}";
  cli_.in = absl::StrCat("not json\n", "\n", "[]\n", "{\"token\": 1}\n", "{}\n",
                         "{\"token\": \"a\", \"token\": \"b\"}\n",
                         "{\"token\": \"\xff\"}\n", "{\"token\": \"a\"} x\n",
                         good, "\r\n", good);
  const Ended ended = cli_.Run(Arguments({"--jsonl"}));
  EXPECT_EQ(ended.code, 0);
  std::vector<std::string> expected(8, Malformed("valid"));
  expected.insert(expected.end(), 2, kValid);
  EXPECT_EQ(LinesOf(ended.out), expected);
}

TEST_F(OfflineVerifyTest, ALineThatIsTooLongIsReadPastAndAnswered) {
  cli_.in = "{\"token\": \"" + std::string(kMaxLineBytes, 'a') + "\"}\n" +
            "{\"token\": \"a\"}\n";
  EXPECT_EQ(LinesOf(cli_.Run(Arguments({"--jsonl"})).out),
            (std::vector<std::string>{
                "{\"valid\": false, \"reason\": \"LINE_TOO_LONG\"}",
                "{\"valid\": false, \"reason\": \"TOKEN_MALFORMED\"}"}));
}

TEST_F(OfflineVerifyTest, AGoodTokenShowsItsClaims) {
  cli_.in = TokenOf(cases().front()) + "\n";
  const Ended ended = cli_.Run(Arguments({"-"}));
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("claims.issuer"));
  EXPECT_THAT(ended.out, HasSubstr(Text("issuer")));
}

TEST_F(OfflineVerifyTest, ABadTokenIsExitCode1WithItsReason) {
  const Ended ended = cli_.Run(Arguments({"x.y.z", "--output", "json"}));
  EXPECT_EQ(ended.code, 1);
  EXPECT_EQ(ended.out, "{\"valid\":false,\"reason\":\"TOKEN_MALFORMED\"}\n");
}

TEST_F(OfflineVerifyTest, WithoutAtTheClockDecides) {
  std::vector<std::string> arguments = Arguments({"-"});
  arguments.erase(arguments.begin() + 8, arguments.begin() + 10);
  cli_.in = TokenOf(cases().front());
  EXPECT_EQ(cli_.Run(arguments).code, 0);
  cli_.now = absl::InfiniteFuture();
  EXPECT_THAT(cli_.Run(arguments).out, HasSubstr("TOKEN_EXPIRED"));
}

TEST_F(OfflineVerifyTest, NoAudienceDoesNotMeanAnyAudience) {
  Cli cli;
  const Ended ended =
      cli.Run({"token", "verify", "x", "--jwks", dir_.File("jwks.json"),
               "--issuer", Text("issuer")});
  EXPECT_EQ(ended.code, 2);
  EXPECT_THAT(ended.err, HasSubstr("--audience or --any-audience"));
}

TEST_F(OfflineVerifyTest, OnlyNamedAlgorithmsAreAccepted) {
  cli_.in = TokenOf(cases().front());  // EdDSA
  const Ended ended = cli_.Run(Arguments({"-", "--algs", "ES256,RS256"}));
  EXPECT_EQ(ended.code, 1);
  EXPECT_THAT(ended.out, HasSubstr("ALGORITHM_NOT_ALLOWED"));
  EXPECT_EQ(cli_.Run(Arguments({"-", "--algs", "HS256"})).code, 2);
  EXPECT_EQ(cli_.Run(Arguments({"-", "--algs", "ES256,"})).code, 2);
}

TEST_F(OfflineVerifyTest, LeewayHasItsBounds) {
  for (const char* leeway : {"6m", "-1s", "60", "x"}) {
    EXPECT_EQ(cli_.Run(Arguments({"a", "--leeway", leeway})).code, 2);
  }
}

TEST_F(OfflineVerifyTest, AMissingScopeIsNamed) {
  cli_.in = TokenOf(cases().front());
  const Ended ended = cli_.Run(Arguments({"-", "--scope", "never-granted"}));
  EXPECT_EQ(ended.code, 1);
  EXPECT_THAT(ended.out, HasSubstr("SCOPE_MISSING"));
}

TEST_F(OfflineVerifyTest, AFileWithoutUsableKeysIsAUsageError) {
  std::ofstream(dir_.File("jwks.json")) << "{\"keys\": []}";
  EXPECT_THAT(cli_.Run(Arguments({"a"})).err, HasSubstr("no usable key"));
  std::ofstream(dir_.File("jwks.json")) << "keys";
  EXPECT_EQ(cli_.Run(Arguments({"a"})).code, 2);
  EXPECT_EQ(cli_.Run(Arguments({"a", "--min-revision", "r"})).code, 2);
}

TEST(TokenInspectTest, SaysThatNothingIsVerified) {
  Cli cli;
  cli.in = "eyJhbGciOiJub25lIn0.eyJleHAiOjE3NjcyMjU2MDAsInN1YiI6ImFkYSJ9.";
  const Ended table = cli.Run({"token", "inspect", "-"});
  EXPECT_EQ(table.code, 0) << table.err;
  EXPECT_EQ(table.out,
            "NOT VERIFIED: anyone can write such a token; nothing below is "
            "proven.\n"
            "header\n  alg: \"none\"\n"
            "claims\n  exp: 1767225600  2026-01-01T00:00:00Z\n"
            "  sub: \"ada\"\n");
  EXPECT_EQ(cli.Run({"token", "inspect", "-", "--output", "json"}).out,
            "{\"verified\":false,\"header\":{\"alg\":\"none\"},"
            "\"claims\":{\"exp\":1767225600,\"sub\":\"ada\"}}\n");
}

TEST(TokenInspectTest, TextThatIsNoTokenIsExitCode1) {
  for (const char* text : {"x", "a.b.c", "e30.e30", "e30.e30.e30.e30",
                           "ort_AAAA", "bnVsbA.e30."}) {
    Cli cli;
    EXPECT_EQ(cli.Run({"token", "inspect", text}).code, 1) << text;
  }
}

TEST(TokenInspectTest, ClaimsCannotDriveTheTerminal) {
  Cli cli;
  // {} and {"sub":"\u001b[31m\u009b"}: the escapes are JSON's, so the text
  // itself holds the control characters once decoded.
  const Ended ended = cli.Run(
      {"token", "inspect", "e30.eyJzdWIiOiJcdTAwMWJbMzFtXHUwMDliIn0.x"});
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out,
              AllOf(Not(HasSubstr("\x1b")), Not(HasSubstr("\xc2\x9b")),
                    HasSubstr("\\u009b")));
}

class HashVerifyTest : public ::testing::Test {
 protected:
  HashVerifyTest() {
    cli_.hash_verifier = [](absl::string_view hash,
                            absl::string_view password) -> HashVerdict {
      if (hash == "broken") return {false, "HASH_MALFORMED"};
      if (hash == password) return {true, ""};
      return {false, "PASSWORD_MISMATCH"};
    };
  }

  testing::TempDir dir_;
  Cli cli_;
};

TEST_F(HashVerifyTest, LinesInVerdictsOut) {
  cli_.in =
      "{\"hash\": \"abc\", \"password\": \"abc\", \"id\": \"p-001\"}\n"
      "{\"hash\": \"abc\", \"password_b64\": \"YWJj\"}\n"
      "{\"hash\": \"abc\", \"password\": \"abd\"}\n"
      "{\"hash\": \"broken\", \"password\": \"abc\"}\n"
      "{\"hash\": \"\", \"password\": \"\"}\n";
  const Ended ended = cli_.Run({"hash", "verify", "--jsonl"});
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_EQ(ended.out,
            "{\"match\": true}\n"
            "{\"match\": true}\n"
            "{\"match\": false, \"reason\": \"PASSWORD_MISMATCH\"}\n"
            "{\"match\": false, \"reason\": \"HASH_MALFORMED\"}\n"
            "{\"match\": true}\n");
}

TEST_F(HashVerifyTest, LinesWithoutOneHashAndOnePasswordAreMalformed) {
  cli_.in =
      "{\"hash\": \"abc\"}\n"
      "{\"password\": \"abc\"}\n"
      "{\"hash\": \"abc\", \"password\": \"abc\", \"password_b64\": "
      "\"YWJj\"}\n"
      "{\"hash\": \"abc\", \"password_b64\": \"YWJ\"}\n"
      "{\"hash\": \"abc\", \"password_b64\": \"YWJ j\"}\n"
      "{\"hash\": 7, \"password\": \"abc\"}\n";
  EXPECT_EQ(LinesOf(cli_.Run({"hash", "verify", "--jsonl"}).out),
            std::vector<std::string>(6, Malformed("match")));
}

TEST_F(HashVerifyTest, BytesThatAreNotTextReachTheVerifier) {
  std::string seen;
  cli_.hash_verifier = [&seen](absl::string_view, absl::string_view password) {
    seen = std::string(password);
    return HashVerdict{true, ""};
  };
  cli_.in = "{\"hash\": \"h\", \"password_b64\": \"AP8=\"}\n";
  cli_.Run({"hash", "verify", "--jsonl"});
  EXPECT_EQ(seen, std::string("\0\xff", 2));
}

TEST_F(HashVerifyTest, OneHashIsJudgedByTheExitCode) {
  std::ofstream(dir_.File("hash")) << "abc\n";
  const std::vector<std::string> arguments = {
      "hash", "verify", "--hash-file", dir_.File("hash"), "--password-stdin"};
  cli_.in = "abc\n";
  EXPECT_EQ(cli_.Run(arguments).code, 0);
  cli_.in = "abd\n";
  const Ended ended = cli_.Run(arguments);
  EXPECT_EQ(ended.code, 1);
  EXPECT_THAT(ended.out, HasSubstr("PASSWORD_MISMATCH"));
}

TEST_F(HashVerifyTest, ExactlyOneWayMustBeNamed) {
  EXPECT_EQ(cli_.Run({"hash", "verify"}).code, 2);
  EXPECT_EQ(cli_.Run({"hash", "verify", "--jsonl", "--hash-file", "f"}).code,
            2);
}

TEST_F(HashVerifyTest, AProgramBuiltWithoutHashesSaysSo) {
  cli_.hash_verifier = nullptr;
  const Ended ended = cli_.Run({"hash", "verify", "--jsonl"});
  EXPECT_EQ(ended.code, 5);
  EXPECT_THAT(ended.err, HasSubstr("built without"));
  EXPECT_THAT(ended.out, IsEmpty());
}

}  // namespace
}  // namespace ostiary::cli

#include "server/config.h"

#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/option_rows.h"
#include "server/option_sources.h"
#include "tests/server/shell/config_sources.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace ostiary {
namespace {

using ::ostiary::testing::TempDir;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class ConfigTest : public ::testing::Test {
 protected:
  std::string File(const std::string& text) {
    const std::string path = dir_.File("ostiary.toml");
    std::ofstream(path, std::ios::trunc) << text;
    return path;
  }
  TempDir dir_;
};

TEST_F(ConfigTest, WithoutAnyOptionTheDefaultsOfTheDesignHold) {
  ASSERT_OK_AND_ASSIGN(const Config config, Load({}));
  EXPECT_EQ(config.mode, Mode::kServe);
  EXPECT_EQ(config.data_dir, "./ostiary-data");
  EXPECT_EQ(config.store, "sqlite:./ostiary-data/ostiary.db");
  EXPECT_EQ(config.operator_socket, "./ostiary-data/ostiary.sock");
  EXPECT_EQ(config.key_encryption_key_file, "./ostiary-data/kek");
  EXPECT_THAT(config.grpc_listen,
              ElementsAre(ListenAddress{"127.0.0.1", 50051}));
  EXPECT_THAT(config.http_listen,
              ElementsAre(ListenAddress{"127.0.0.1", 8080}));
  EXPECT_THAT(config.ops_listen, ElementsAre(ListenAddress{"127.0.0.1", 9464}));
  EXPECT_EQ(config.issuer, "http://127.0.0.1:8080");
  EXPECT_EQ(config.sign_up, SignUp::kOpen);
  EXPECT_EQ(config.service_access, ServiceAccess::kOpen);
  EXPECT_EQ(config.default_audience, "api");
  EXPECT_THAT(config.audiences, ElementsAre("api", "http://127.0.0.1:8080"));
  EXPECT_THAT(config.scopes, IsEmpty());
  EXPECT_EQ(config.access_token_lifetime, absl::Minutes(15));
  EXPECT_EQ(config.refresh_idle_lifetime, 14 * absl::Hours(24));
  EXPECT_EQ(config.refresh_absolute_lifetime, 90 * absl::Hours(24));
  EXPECT_EQ(config.retry_window, absl::Seconds(10));
  EXPECT_EQ(config.max_sessions_per_account, 100);
  EXPECT_EQ(config.signing_algorithm, SigningAlgorithm::kEs256);
  EXPECT_EQ(config.key_rotation_period, 90 * absl::Hours(24));
  EXPECT_EQ(config.key_prepare_lead, absl::Hours(48));
  EXPECT_EQ(config.jwks_max_age, absl::Seconds(300));
  EXPECT_EQ(config.password_min_length, 8);
  EXPECT_EQ(config.hash_memory_kib, 19456);
  EXPECT_EQ(config.hash_iterations, 2);
  EXPECT_EQ(config.hash_threads, 8);
  EXPECT_EQ(config.grpc_queues, 2);
  EXPECT_EQ(config.sign_in_limit_identifier_prefix,
            (Rate{10, absl::Minutes(15)}));
  EXPECT_TRUE(config.reflection);
  EXPECT_FALSE(config.allow_plaintext);
  EXPECT_FALSE(config.UsesTls());
  EXPECT_THAT(config.warnings, IsEmpty());
}

// Every option in every combination of the three sources: the strongest wins.
TEST_F(ConfigTest, FlagBeatsEnvironmentBeatsFileBeatsDefault) {
  for (int sources = 0; sources < 8; ++sources) {
    const bool in_file = (sources & 1) != 0;
    const bool in_environment = (sources & 2) != 0;
    const bool on_line = (sources & 4) != 0;
    std::vector<std::string> arguments;
    std::map<std::string, std::string> environment;
    arguments.push_back("--config=" + File(in_file
                                               ? "retry-window = \"11s\"\n"
                                                 "scopes = [\"f1\", \"f2\"]\n"
                                                 "reflection = false\n"
                                               : "# nothing\n"));
    if (in_environment) {
      environment = {{"OSTIARY_RETRY_WINDOW", "12s"},
                     {"OSTIARY_SCOPES", "e1, e2"},
                     {"OSTIARY_REFLECTION", "true"}};
    }
    if (on_line) {
      arguments.insert(arguments.end(), {"--retry-window", "13s", "--scopes=l1",
                                         "--scopes=l2,l3", "--reflection=off"});
    }
    ASSERT_OK_AND_ASSIGN(const Config config, Load(arguments, environment));
    const int seconds = on_line ? 13 : in_environment ? 12 : in_file ? 11 : 10;
    EXPECT_EQ(config.retry_window, absl::Seconds(seconds)) << sources;
    EXPECT_EQ(config.reflection, on_line          ? false
                                 : in_environment ? true
                                                  : !in_file)
        << sources;
    const std::vector<std::string> scopes =
        on_line          ? std::vector<std::string>{"l1", "l2", "l3"}
        : in_environment ? std::vector<std::string>{"e1", "e2"}
        : in_file        ? std::vector<std::string>{"f1", "f2"}
                         : std::vector<std::string>{};
    EXPECT_EQ(config.scopes, scopes) << sources;
  }
}

TEST_F(ConfigTest, AnEmptyEnvironmentVariableCountsAsNotSet) {
  const std::string file = File("retry-window = 11s\n");
  ASSERT_OK_AND_ASSIGN(
      const Config config,
      Load({}, {{"OSTIARY_CONFIG", file}, {"OSTIARY_RETRY_WINDOW", ""}}));
  EXPECT_EQ(config.retry_window, absl::Seconds(11));
}

TEST_F(ConfigTest, TheFlagNamesTheFileBeforeTheEnvironmentDoes) {
  const std::string file = File("retry-window = 11s\n");
  EXPECT_OK(Load({"--config", file}, {{"OSTIARY_CONFIG", "/nowhere"}}));
  EXPECT_THAT(ProblemsOf({}, {{"OSTIARY_CONFIG", "/nowhere"}}),
              AllOf(HasSubstr("--config"), HasSubstr("/nowhere")));
  EXPECT_THAT(ProblemsOf({"--config", dir_.path()}), HasSubstr("not a file"));
}

TEST_F(ConfigTest, ABadValueNamesOptionValueOriginAndWhatWasExpected) {
  const std::string expected = "expected a duration from 0s to 60s";
  EXPECT_EQ(ProblemsOf({"--retry-window=5m"}),
            "--retry-window: got '5m' from the command line, " + expected);
  EXPECT_EQ(ProblemsOf({}, {{"OSTIARY_RETRY_WINDOW", "61s"}}),
            "--retry-window: got '61s' from OSTIARY_RETRY_WINDOW, " + expected);
  const std::string file = File("# one\n\nretry-window = 10 # unit?\n");
  EXPECT_EQ(
      ProblemsOf({"--config=" + file}),
      absl::StrCat("--retry-window: got '10' from ", file, ":3, ", expected));
}

TEST_F(ConfigTest, EveryProblemIsToldAtOnce) {
  const std::string problems =
      ProblemsOf({"--retry-window=x", "--sign-up=maybe", "--nonsense"},
                 {{"OSTIARY_LOG_LEVEL", "loud"}});
  for (const char* name :
       {"--retry-window", "--sign-up", "--nonsense", "--log-level"}) {
    EXPECT_THAT(problems, HasSubstr(name));
  }
}

// No option takes a value that is not of its kind, wherever it comes from.
TEST_F(ConfigTest, EveryOptionRefusesNonsenseByName) {
  for (const OptionRow& row : OptionRows()) {
    if (row.name == "config") continue;
    const std::string nonsense = "\x01 ?";
    const std::string line = ProblemsOf({row.Flag() + "=" + nonsense});
    EXPECT_THAT(line, HasSubstr(row.Flag()));
    EXPECT_THAT(line, HasSubstr("expected " + row.expects));
    EXPECT_THAT(line, Not(HasSubstr("\x01")));
    EXPECT_THAT(ProblemsOf({}, {{row.Environment(), nonsense}}),
                HasSubstr(row.Environment()));
    EXPECT_THAT(ProblemsOf({"--config=" + File(row.name + " = \"\x01 ?\"\n")}),
                HasSubstr("ostiary.toml:1"));
  }
}

TEST_F(ConfigTest, AValueThatMayBeSecretIsNeverRepeated) {
  const std::string url = "postgres://u:hunter2@db/x";
  for (const std::string& problems :
       {ProblemsOf({"--store=" + url}),
        ProblemsOf({}, {{"OSTIARY_STORE", url}}),
        ProblemsOf({"--config=" + File("store = \"" + url + "\"\n")}),
        ProblemsOf({"--stroe=" + url}),
        ProblemsOf({"--config=" + File("stroe = \"" + url + "\"\n")}),
        ProblemsOf({"--config=" + File("store = \"" + url + "\" x\n")})}) {
    EXPECT_THAT(problems, Not(IsEmpty()));
    EXPECT_THAT(problems, Not(HasSubstr("hunter2")));
  }
}

TEST_F(ConfigTest, AnUnknownFlagOrKeyIsRefusedAndTheNearOneNamed) {
  EXPECT_THAT(ProblemsOf({"--grpc-lisen=127.0.0.1:1"}),
              AllOf(HasSubstr("--grpc-lisen:"), HasSubstr("grpc-listen?")));
  EXPECT_THAT(ProblemsOf({"--grpc"}), HasSubstr("--grpc:")) << "no prefixes";
  EXPECT_THAT(ProblemsOf({"serve"}), HasSubstr("'serve'"));
  const std::string file = File("sign-up = open\nsingup = \"x\"\n");
  EXPECT_THAT(ProblemsOf({"--config=" + file}),
              AllOf(HasSubstr("'singup'"), HasSubstr(file + ":2")));
  EXPECT_THAT(ProblemsOf({"--config=" + File("config = \"other\"\n")}),
              HasSubstr("'config'"));
}

TEST_F(ConfigTest, AMisspeltVariableIsRefusedAndAForeignOneWarnedAbout) {
  EXPECT_THAT(
      ProblemsOf({}, {{"OSTIARY_SIGNUP", "operator"}}),
      AllOf(HasSubstr("OSTIARY_SIGNUP"), HasSubstr("OSTIARY_SIGN_UP?")));
  ASSERT_OK_AND_ASSIGN(
      const Config config,
      Load({}, {{"OSTIARY_SERVICE_HOST", "10.0.0.1"}, {"PATH", "/bin"}}));
  EXPECT_THAT(config.warnings, ElementsAre(HasSubstr("OSTIARY_SERVICE_HOST")));
  ASSERT_OK_AND_ASSIGN(const Config tested,
                       Load({}, {{"OSTIARY_SOURCE_DIR", "x"},
                                 {"OSTIARY_BIN_DIR", "x"},
                                 {"OSTIARY_SHARED", "x"}}));
  EXPECT_THAT(tested.warnings, IsEmpty());
}

TEST_F(ConfigTest, AnOptionGivenTwiceIsRefusedUnlessItIsAList) {
  EXPECT_THAT(ProblemsOf({"--retry-window=1s", "--retry-window=2s"}),
              AllOf(HasSubstr("--retry-window"), HasSubstr("2 times")));
  EXPECT_THAT(
      ProblemsOf({"--config=" + File("scopes = \"a\"\nscopes = \"b\"\n")}),
      AllOf(HasSubstr("scopes"), HasSubstr("twice"), HasSubstr(":2")));
  EXPECT_THAT(
      ProblemsOf({"--config=" + File("retry-window = [\"1s\", \"2s\"]\n")}),
      HasSubstr("expected one value"));
}

TEST_F(ConfigTest, AFlagWithoutItsValueSaysWhatWasExpected) {
  EXPECT_THAT(ProblemsOf({"--retry-window"}),
              AllOf(HasSubstr("--retry-window"), HasSubstr("no value"),
                    HasSubstr("0s to 60s")));
  EXPECT_THAT(ProblemsOf({"--scopes="}), HasSubstr("--scopes"));
}

TEST_F(ConfigTest, AValueMayFollowItsFlagAndOnlyOneDoes) {
  ASSERT_OK_AND_ASSIGN(const Config config,
                       Load({"--scopes", "a", "--audiences", "api,b"}));
  EXPECT_THAT(config.scopes, ElementsAre("a"));
  EXPECT_THAT(config.audiences, ElementsAre("api", "b"));
  EXPECT_THAT(ProblemsOf({"--scopes", "a", "b"}), HasSubstr("'b'"));
}

TEST_F(ConfigTest, ASwitchAloneMeansOn) {
  ASSERT_OK_AND_ASSIGN(const Config on, Load({"--allow-plaintext"}));
  EXPECT_TRUE(on.allow_plaintext);
  ASSERT_OK_AND_ASSIGN(const Config off, Load({"--reflection=false"}));
  EXPECT_FALSE(off.reflection);
}

TEST_F(ConfigTest, ModesAreFlags) {
  const std::map<std::string, Mode> modes = {
      {"--help", Mode::kHelp},
      {"-h", Mode::kHelp},
      {"--version", Mode::kVersion},
      {"--check-config", Mode::kCheckConfig},
      {"--calibrate-hash", Mode::kCalibrateHash},
      {"--print-options", Mode::kPrintOptions},
      {"--print-options=markdown", Mode::kPrintOptions}};
  for (const auto& [flag, mode] : modes) {
    ASSERT_OK_AND_ASSIGN(const Config config, Load({flag}));
    EXPECT_EQ(config.mode, mode) << flag;
    EXPECT_EQ(config.table_format == TableFormat::kMarkdown,
              absl::EndsWith(flag, "markdown"));
  }
  EXPECT_THAT(ProblemsOf({"--print-options=html"}), HasSubstr("markdown"));
}

TEST_F(ConfigTest, HelpIsGivenHoweverBrokenTheRestIs) {
  ASSERT_OK_AND_ASSIGN(
      const Config config,
      Load({"--help", "--retry-window=x"}, {{"OSTIARY_CONFIG", "/nowhere"}}));
  EXPECT_EQ(config.mode, Mode::kHelp);
}

TEST_F(ConfigTest, RestoreMustSayWhatBecomesOfTheSessions) {
  ASSERT_OK_AND_ASSIGN(const Config end, Load({"restore", "--sessions=end"}));
  EXPECT_EQ(end.mode, Mode::kRestore);
  EXPECT_EQ(end.restored_sessions, RestoredSessions::kEnd);
  ASSERT_OK_AND_ASSIGN(const Config keep, Load({"restore", "--sessions=keep"}));
  EXPECT_EQ(keep.restored_sessions, RestoredSessions::kKeep);
  EXPECT_THAT(ProblemsOf({"restore"}), HasSubstr("--sessions"));
  EXPECT_THAT(ProblemsOf({"restore", "--sessions=x"}), HasSubstr("end"));
  EXPECT_THAT(ProblemsOf({"--sessions=end"}), HasSubstr("only for"));
}

TEST_F(ConfigTest, RestoreMayNameABackupAndAReport) {
  ASSERT_OK_AND_ASSIGN(const Config in_place,
                       Load({"restore", "--sessions=end"}));
  EXPECT_EQ(in_place.restore_from, "");
  EXPECT_EQ(in_place.restore_output, RestoreOutput::kText);
  ASSERT_OK_AND_ASSIGN(const Config config,
                       Load({"restore", "--sessions=end", "--from=a.db",
                             "--report=r.json", "--output=json"}));
  EXPECT_EQ(config.restore_from, "a.db");
  EXPECT_EQ(config.restore_report, "r.json");
  EXPECT_EQ(config.restore_output, RestoreOutput::kJson);
  EXPECT_THAT(ProblemsOf({"restore", "--sessions=end", "--output=xml"}),
              HasSubstr("json"));
  EXPECT_THAT(ProblemsOf({"restore", "--sessions=end", "--from="}),
              HasSubstr("--from"));
  for (const char* flag : {"--from=a", "--report=a", "--output=json"})
    EXPECT_THAT(ProblemsOf({flag}), HasSubstr("only for"));
}

TEST(OptionRowsTest, EveryDefaultIsAValueOfItsOwnOption) {
  for (const OptionRow& row : OptionRows()) {
    EXPECT_NE(row.default_text.empty(), row.default_note.empty()) << row.name;
    if (row.default_text.empty()) continue;
    Config config{};
    ASSERT_TRUE(row.set(SplitValues(row, {row.default_text}), config))
        << row.name;
    EXPECT_EQ(row.show(config), row.default_text) << row.name;
  }
}

TEST(OptionRowsTest, WhatIsShownOfTheEffectiveConfigCanBeTypedAgain) {
  ASSERT_OK_AND_ASSIGN(const Config config, Load({"--scopes=a,b"}));
  for (const OptionRow& row : OptionRows()) {
    const std::string shown = row.show(config);
    if (shown.empty()) continue;
    Config again{};
    ASSERT_TRUE(row.set(SplitValues(row, {shown}), again)) << row.name;
    EXPECT_EQ(row.show(again), shown);
  }
}

TEST(OptionRowsTest, NamesAreUniqueAndSpelledOneWay) {
  std::set<std::string> names;
  for (const OptionRow& row : OptionRows()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_EQ(row.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz-"),
              std::string::npos);
    EXPECT_FALSE(row.help.empty());
    EXPECT_FALSE(row.expects.empty());
    EXPECT_EQ(FindOptionRowByEnvironment(row.Environment()), &row);
  }
}

TEST(ConfigTextTest, TheTableAndTheHelpHoldEveryOption) {
  for (const OptionRow& row : OptionRows()) {
    const std::string cell = absl::StrCat("| `", row.Flag(), "` |");
    EXPECT_THAT(OptionTable(TableFormat::kMarkdown), HasSubstr(cell));
    EXPECT_THAT(OptionTable(TableFormat::kText), HasSubstr(row.Flag() + "\n"));
    EXPECT_THAT(HelpText(), HasSubstr(row.Flag() + "\n"));
    EXPECT_THAT(HelpText(), HasSubstr(row.subject + "\n"));
  }
}

TEST(ConfigTextTest, EffectiveValuesAreShownWithoutSecrets) {
  ASSERT_OK_AND_ASSIGN(Config config,
                       Load({"--retry-window=7s", "--cors-origins=https://a.b"},
                            {{"OSTIARY_ELSEWHERE", "x"}}));
  const std::string text = EffectiveValues(config);
  EXPECT_TRUE(absl::StartsWith(text, "configuration ok\n"));
  EXPECT_THAT(text, ::testing::ContainsRegex("retry-window +. 7s"));
  EXPECT_THAT(text, HasSubstr("sqlite:./ostiary-data/ostiary.db"));
  EXPECT_THAT(text, HasSubstr("OSTIARY_ELSEWHERE"));
  config.store = "postgres://u:hunter2@db/x";
  EXPECT_THAT(EffectiveValues(config), Not(HasSubstr("hunter2")));
}

}  // namespace
}  // namespace ostiary

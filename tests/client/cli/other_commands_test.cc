#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/client/cli/fake_server.h"
#include "tests/client/cli/run_cli.h"
#include "tests/support/temp_dir.h"

namespace ostiary::cli {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

class CommandsTest : public ::testing::Test {
 protected:
  Ended Run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"--socket", server_.socket()});
    return cli_.Run(std::move(arguments));
  }
  void AddKey(const std::string& id, v1::SigningKeyState state) {
    v1::SigningKey key;
    key.set_key_id(id);
    key.set_state(state);
    server_.script().keys.push_back(std::move(key));
  }
  const std::vector<std::string>& calls() { return server_.script().calls; }

  FakeServer server_;
  Cli cli_;
};

TEST_F(CommandsTest, SignInPrintsTheTokenSet) {
  cli_.AnswerPrompts({"secret-password"});
  const Ended ended = Run({"sign-in", "ada", "--audience", "api", "--scope",
                           "read write", "--output", "json"});
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out, AllOf(StartsWith("{\"access_token\":\"access\","),
                               HasSubstr("\"expires_in\":\"900s\""),
                               HasSubstr("\"refresh_token\":\"ort_next\""),
                               HasSubstr("\"scope\":\"\"")));
  EXPECT_THAT(calls(),
              ElementsAre("SignInWithPassword {identifier: \"ada\" password: "
                          "\"secret-password\" audience: \"api\" scope: "
                          "\"read write\"}"));
  EXPECT_THAT(cli_.terminal.prompts, ElementsAre("Password: "));
}

TEST_F(CommandsTest, TheSessionSeesWhichProgramSignedIn) {
  cli_.in = "pw";
  Run({"sign-in", "ada", "--password-stdin"});
  EXPECT_THAT(server_.script().user_agent,
              StartsWith("ostiary-cli/" OSTIARY_VERSION));
}

TEST_F(CommandsTest, RefreshAndSignOutTakeTheTokenFromStdinToo) {
  cli_.in = "ort_abc\n";
  EXPECT_EQ(Run({"refresh", "-", "--request-id", "r"}).code, 0);
  EXPECT_EQ(Run({"refresh", "--token-stdin"}).code, 0);
  EXPECT_EQ(Run({"sign-out", "ort_arg"}).code, 0);
  EXPECT_THAT(calls(),
              ElementsAre("Refresh {refresh_token: \"ort_abc\" request_id: "
                          "\"r\"}",
                          "Refresh {refresh_token: \"ort_abc\"}",
                          "SignOut {refresh_token: \"ort_arg\"}"));
}

TEST_F(CommandsTest, VerifyAsksTheServer) {
  const Ended good = Run({"token", "verify", "t.o.k", "--scope", "a", "--scope",
                          "b", "--role", "c", "--min-revision", "r"});
  EXPECT_EQ(good.code, 0);
  EXPECT_THAT(good.out, AllOf(HasSubstr("valid "), HasSubstr("acct_1")));
  EXPECT_THAT(calls(),
              ElementsAre("Verify {token: \"t.o.k\" required_scopes: \"a\" "
                          "required_scopes: \"b\" required_roles: \"c\" "
                          "min_revision: \"r\"}"));
  server_.script().token_is_valid = false;
  const Ended bad = Run({"token", "verify", "t.o.k"});
  EXPECT_EQ(bad.code, 1);
  EXPECT_THAT(bad.out, HasSubstr("TOKEN_REVOKED"));
  EXPECT_THAT(bad.err, IsEmpty());
}

TEST_F(CommandsTest, VerifyAsksTheServerLineByLine) {
  server_.script().token_is_valid = false;
  cli_.in = "{\"token\": \"a\"}\nx\n{\"token\": \"b\"}\n";
  const Ended ended = Run({"token", "verify", "--jsonl"});
  EXPECT_EQ(ended.code, 0);
  EXPECT_EQ(ended.out,
            "{\"valid\": false, \"reason\": \"TOKEN_REVOKED\"}\n"
            "{\"valid\": false, \"reason\": \"LINE_MALFORMED\"}\n"
            "{\"valid\": false, \"reason\": \"TOKEN_REVOKED\"}\n");
  EXPECT_THAT(calls(), SizeIs(2));
}

TEST_F(CommandsTest, RevokeTakesEachKindOfTarget) {
  cli_.in = "t.o.k\n";
  EXPECT_EQ(Run({"token", "revoke", "-"}).code, 0);
  EXPECT_EQ(Run({"token", "revoke", "--session", "sess_1"}).code, 0);
  EXPECT_EQ(Run({"token", "revoke", "--account", "acct_1"}).code, 0);
  EXPECT_EQ(Run({"token", "revoke", "--client", "cli_1"}).code, 0);
  EXPECT_EQ(
      Run({"token", "revoke", "--key", "k", "--yes", "--reason", "x"}).code, 0);
  EXPECT_THAT(calls(), ElementsAre("Revoke {token: \"t.o.k\"}",
                                   "Revoke {session_id: \"sess_1\"}",
                                   "Revoke {account_id: \"acct_1\"}",
                                   "Revoke {client_id: \"cli_1\"}",
                                   "Revoke {key_id: \"k\" reason: \"x\"}"));
}

TEST_F(CommandsTest, SessionsAreListedWithoutTheirControlCharacters) {
  const Ended ended = Run({"session", "list", "acct_1"});
  EXPECT_EQ(ended.code, 0);
  EXPECT_THAT(ended.out,
              AllOf(HasSubstr("2026-01-01T00:00:00Z"),
                    HasSubstr("curl\\u001b[2J"), Not(HasSubstr("\x1b"))));
}

TEST_F(CommandsTest, SessionsAreRevoked) {
  EXPECT_EQ(Run({"session", "list"}).code, 0);
  EXPECT_EQ(Run({"session", "revoke", "sess_1"}).code, 0);
  EXPECT_EQ(Run({"session", "revoke-all", "acct_1"}).code, 0);
  EXPECT_THAT(calls(), ElementsAre("ListSessions {}",
                                   "RevokeSession {session_id: \"sess_1\"}",
                                   "RevokeAllSessions {account_id: "
                                   "\"acct_1\"}"));
}

TEST_F(CommandsTest, RotateActivatesTheOldestPreparedKey) {
  AddKey("old", v1::SIGNING_KEY_STATE_ACTIVE);
  AddKey("first", v1::SIGNING_KEY_STATE_PREPARED);
  AddKey("second", v1::SIGNING_KEY_STATE_PREPARED);
  EXPECT_EQ(Run({"key", "rotate"}).code, 0);
  EXPECT_EQ(calls().back(), "ActivateSigningKey {key_id: \"first\"}");
  EXPECT_EQ(Run({"key", "rotate", "--now"}).code, 0);
  EXPECT_EQ(calls().back(),
            "ActivateSigningKey {key_id: \"first\" force: true}");
}

TEST_F(CommandsTest, RotateWithoutAPreparedKeySaysWhatToDo) {
  AddKey("old", v1::SIGNING_KEY_STATE_ACTIVE);
  const Ended ended = Run({"key", "rotate"});
  EXPECT_EQ(ended.code, 1);
  EXPECT_THAT(ended.err, HasSubstr("ostiary key prepare"));
  EXPECT_THAT(calls(), SizeIs(1));
  EXPECT_EQ(Run({"key", "rotate", "--now"}).code, 0);
  EXPECT_EQ(calls().back(),
            "ActivateSigningKey {key_id: \"made\" force: true}");
}

TEST_F(CommandsTest, KeysAreListedPreparedRetiredAndRevoked) {
  AddKey("k1", v1::SIGNING_KEY_STATE_RETIRED);
  EXPECT_THAT(Run({"key", "list"}).out, HasSubstr("retired"));
  EXPECT_EQ(Run({"key", "prepare", "--algorithm", "RS256"}).code, 0);
  EXPECT_EQ(Run({"key", "retire", "k1"}).code, 0);
  EXPECT_EQ(Run({"key", "revoke", "k1", "--yes", "--reason", "x"}).code, 0);
  cli_.AnswerPrompts({"n"});
  EXPECT_EQ(Run({"key", "revoke", "k1"}).code, 1);
  EXPECT_THAT(calls(),
              ElementsAre("ListSigningKeys {}",
                          "PrepareSigningKey {algorithm: \"RS256\"}",
                          "RetireSigningKey {key_id: \"k1\"}",
                          "RevokeSigningKey {key_id: \"k1\" reason: \"x\"}"));
}

TEST_F(CommandsTest, KeyEncryptionKeysAreListed) {
  EXPECT_THAT(Run({"key", "encryption"}).out,
              AllOf(HasSubstr("0a1b2c3d"), HasSubstr("sealing")));
  EXPECT_THAT(Run({"key", "encryption", "--output", "json"}).out,
              HasSubstr("\"sealed_count\":5"));
}

TEST_F(CommandsTest, AKeyEncryptionKeyIsChangedByWhoSaysThatBackupsAreSafe) {
  cli_.AnswerPrompts({"n"});
  EXPECT_EQ(Run({"key", "rotate-encryption-key"}).code, 1);
  EXPECT_THAT(calls(), SizeIs(0));
  const Ended ended = Run({"key", "rotate-encryption-key", "--yes"});
  EXPECT_EQ(ended.code, 0);
  EXPECT_THAT(ended.out, AllOf(HasSubstr("5 keys sealed anew"),
                               HasSubstr("cannot replace it")));
  EXPECT_THAT(calls(), ElementsAre("RotateKeyEncryptionKey {}"));
}

TEST_F(CommandsTest, AKeyIdThatLooksLikeAnOptionIsAKeyId) {
  const std::string id = "-" + std::string(42, 'x');
  EXPECT_EQ(Run({"key", "retire", id}).code, 0);
  EXPECT_EQ(Run({"key", "revoke", id, "--reason", "leaked", "--yes"}).code, 0);
  EXPECT_EQ(Run({"key", "revoke", "--yes", "--", id}).code, 0);
  EXPECT_EQ(Run({"token", "revoke", "--key", id, "--yes"}).code, 0);
  EXPECT_THAT(calls(), ElementsAre("RetireSigningKey {key_id: \"" + id + "\"}",
                                   "RevokeSigningKey {key_id: \"" + id +
                                       "\" reason: \"leaked\"}",
                                   "RevokeSigningKey {key_id: \"" + id + "\"}",
                                   "Revoke {key_id: \"" + id + "\"}"));
}

TEST_F(CommandsTest, HealthIsInTheExitCode) {
  EXPECT_EQ(Run({"health"}).out, "status  serving\n");
  server_.script().serving = false;
  const Ended ended = Run({"health", "--output", "json"});
  EXPECT_EQ(ended.code, 3);
  EXPECT_EQ(ended.out, "{\"status\":\"NOT_SERVING\"}\n");
}

TEST_F(CommandsTest, ServerInfoIsShown) {
  EXPECT_THAT(Run({"server", "info"}).out, HasSubstr("live_revocations  7\n"));
}

TEST_F(CommandsTest, ABackupIsMadeWhereThePathPoints) {
  const Ended made = Run({"backup"});
  EXPECT_EQ(made.code, 0) << made.err;
  EXPECT_THAT(made.out, HasSubstr("/srv/backups/made.db"));
  EXPECT_THAT(made.err, HasSubstr("key-encryption key"));
  const std::string here = std::filesystem::current_path().string();
  const Ended named = Run({"backup", "x/../copy.db", "--output", "json"});
  EXPECT_THAT(named.out, HasSubstr("\"path\":\"" + here + "/copy.db\""));
  EXPECT_EQ(named.err, "");
}

TEST_F(CommandsTest, ABackupThatFailsSaysWhy) {
  server_.script().failure = grpc::Status(grpc::StatusCode::UNAVAILABLE, "no");
  const Ended ended = Run({"backup"});
  EXPECT_EQ(ended.code, 3);
  EXPECT_EQ(ended.out, "");
}

TEST_F(CommandsTest, TheCallersTokenIsSent) {
  Run({"health"});
  EXPECT_EQ(server_.script().authorization, "");
  cli_.environment["OSTIARY_TOKEN"] = "from-environment";
  Run({"health"});
  EXPECT_EQ(server_.script().authorization, "Bearer from-environment");
  const testing::TempDir dir;
  std::ofstream(dir.File("token")) << "from-file\n";
  Run({"health", "--token-file", dir.File("token")});
  EXPECT_EQ(server_.script().authorization, "Bearer from-file");
}

TEST_F(CommandsTest, ASocketPathMayHoldAnyCharacter) {
  const testing::TempDir dir;
  const std::string odd = dir.File("a b%41?#ü.sock");
  ASSERT_EQ(symlink(server_.socket().c_str(), odd.c_str()), 0);
  EXPECT_EQ(cli_.Run({"health", "--socket", odd}).code, 0);
}

}  // namespace
}  // namespace ostiary::cli

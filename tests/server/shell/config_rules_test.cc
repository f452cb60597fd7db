#include "server/config_rules.h"

#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/shell/config_sources.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace ostiary {
namespace {

using ::ostiary::testing::TempDir;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const char kIssuer[] = "--issuer=https://auth.example.com";
const char kSignUp[] = "--sign-up=operator";

class ConfigRulesTest : public ::testing::Test {
 protected:
  ConfigRulesTest() {
    for (const char* name : {"cert.pem", "key.pem", "ca.pem"}) {
      std::ofstream(dir_.File(name)) << "x";
    }
    cert_ = "--tls-cert=" + dir_.File("cert.pem");
    key_ = "--tls-key=" + dir_.File("key.pem");
    ca_ = "--tls-client-ca=" + dir_.File("ca.pem");
  }
  TempDir dir_;
  std::string cert_, key_, ca_;
};

TEST_F(ConfigRulesTest, BeyondLoopbackWithoutTlsIsRefusedAndTheWaysOutNamed) {
  for (const std::string listener : {"--grpc-listen", "--http-listen"}) {
    for (const std::string address :
         {"0.0.0.0:1", "[::]:1", "10.1.2.3:1", "[::ffff:127.0.0.1]:1",
          "127.0.0.1:2,192.168.0.1:1"}) {
      const std::vector<std::string> arguments = {listener + "=" + address,
                                                  kIssuer, kSignUp};
      EXPECT_THAT(ProblemsOf(arguments),
                  AllOf(HasSubstr(listener + ": "), HasSubstr("--tls-cert"),
                        HasSubstr("--tls-key"), HasSubstr("127.0.0.1"),
                        HasSubstr("--allow-plaintext")));
      std::vector<std::string> allowed = arguments;
      allowed.push_back("--allow-plaintext");
      EXPECT_THAT(ProblemsOf(allowed), IsEmpty());
      std::vector<std::string> encrypted = arguments;
      encrypted.insert(encrypted.end(), {cert_, key_});
      EXPECT_THAT(ProblemsOf(encrypted), IsEmpty());
    }
  }
}

TEST_F(ConfigRulesTest, EveryLoopbackAddressNeedsNoTls) {
  EXPECT_THAT(ProblemsOf({"--grpc-listen=127.9.9.9:1", "--http-listen=[::1]:1",
                          "--ops-listen=localhost:0"}),
              IsEmpty());
}

TEST_F(ConfigRulesTest, TheOpsListenerNeverHasTlsSoCertificatesDoNotHelpIt) {
  EXPECT_THAT(
      ProblemsOf({"--ops-listen=0.0.0.0:9464", kIssuer, kSignUp, cert_, key_}),
      AllOf(HasSubstr("--ops-listen"), HasSubstr("never has TLS"),
            HasSubstr("--allow-plaintext")));
  EXPECT_THAT(ProblemsOf({"--ops-listen=0.0.0.0:9464", kIssuer, kSignUp,
                          "--allow-plaintext"}),
              IsEmpty());
}

TEST_F(ConfigRulesTest, SignUpAndIssuerHaveNoDefaultBeyondLoopback) {
  const std::vector<std::string> open = {"--http-listen=0.0.0.0:1",
                                         "--allow-plaintext"};
  EXPECT_THAT(ProblemsOf(open), AllOf(HasSubstr("--issuer: has no default"),
                                      HasSubstr("--sign-up: has no default")));
  EXPECT_THAT(ProblemsOf({open[0], open[1], kIssuer, "--sign-up=open"}),
              IsEmpty());
  EXPECT_THAT(ProblemsOf({open[0], open[1]},
                         {{"OSTIARY_ISSUER", "https://auth.example.com"},
                          {"OSTIARY_SIGN_UP", "operator"}}),
              IsEmpty())
      << "given is given, whatever the source";
}

TEST_F(ConfigRulesTest, TheIssuerIsAnUrlThatOthersCanCompare) {
  for (const char* good :
       {"https://auth.example.com", "https://auth.example.com:8443/tenant",
        "http://localhost:1", "http://[::1]:8080"}) {
    EXPECT_THAT(ProblemsOf({absl::StrCat("--issuer=", good)}), IsEmpty())
        << good;
  }
  for (const char* bad :
       {"auth.example.com", "ftp://a.b", "https://", "https://a.b?x=1",
        "https://a.b#x", "https://u:p@a.b", "https://a.b:99999", "https://a b",
        "https://a.b\\c", "HTTPS://a.b"}) {
    EXPECT_THAT(ProblemsOf({absl::StrCat("--issuer=", bad)}),
                AllOf(HasSubstr("--issuer"), HasSubstr("URL")))
        << bad;
  }
}

TEST_F(ConfigRulesTest, ATrailingSlashOnTheIssuerIsExplained) {
  EXPECT_THAT(ProblemsOf({"--issuer=https://auth.example.com/"}),
              AllOf(HasSubstr("byte for byte"),
                    HasSubstr("write https://auth.example.com"),
                    Not(HasSubstr("write https://auth.example.com/"))));
}

TEST_F(ConfigRulesTest, KeysOfARemoteIssuerAreNotFetchedWithoutTls) {
  EXPECT_THAT(ProblemsOf({"--issuer=http://auth.example.com"}),
              AllOf(HasSubstr("--issuer"), HasSubstr("https")));
  EXPECT_THAT(
      ProblemsOf({"--issuer=http://auth.example.com", "--allow-plaintext"}),
      IsEmpty());
}

TEST_F(ConfigRulesTest, AnIssuerThatTheHttpListenerLeftIsWarnedAbout) {
  ASSERT_OK_AND_ASSIGN(const Config moved,
                       Load({"--http-listen=127.0.0.1:9999"}));
  EXPECT_THAT(moved.warnings,
              ::testing::ElementsAre(HasSubstr("http://127.0.0.1:8080")));
  ASSERT_OK_AND_ASSIGN(
      const Config told,
      Load({"--http-listen=127.0.0.1:9999", "--issuer=http://127.0.0.1:9999"}));
  EXPECT_THAT(told.warnings, IsEmpty());
}

TEST_F(ConfigRulesTest, AudiencesThatBeginLikeClientIdsAreReserved) {
  EXPECT_THAT(ProblemsOf({"--audiences=api,cli_web"}),
              AllOf(HasSubstr("--audiences"), HasSubstr("cli_")));
  EXPECT_THAT(ProblemsOf({"--default-audience=cli_web"}),
              AllOf(HasSubstr("--default-audience"), HasSubstr("cli_")));
}

TEST_F(ConfigRulesTest, TheDefaultAudienceIsAmongTheAudiences) {
  EXPECT_THAT(ProblemsOf({"--audiences=web"}),
              AllOf(HasSubstr("--audiences"), HasSubstr("'api'")));
  ASSERT_OK_AND_ASSIGN(
      const Config config,
      Load({"--default-audience=web", "--issuer=https://a.example"}));
  EXPECT_THAT(config.audiences,
              ::testing::ElementsAre("web", "https://a.example"));
}

TEST_F(ConfigRulesTest, ServicesMustProveThemselvesOnceGrpcIsBeyondLoopback) {
  ASSERT_OK_AND_ASSIGN(
      const Config beyond,
      Load({"--grpc-listen=0.0.0.0:1", "--allow-plaintext", kIssuer, kSignUp}));
  EXPECT_EQ(beyond.service_access, ServiceAccess::kAuthenticated);
  ASSERT_OK_AND_ASSIGN(
      const Config http,
      Load({"--http-listen=0.0.0.0:1", "--allow-plaintext", kIssuer, kSignUp}));
  EXPECT_EQ(http.service_access, ServiceAccess::kOpen);
  ASSERT_OK_AND_ASSIGN(const Config told,
                       Load({"--grpc-listen=0.0.0.0:1", "--allow-plaintext",
                             kIssuer, kSignUp, "--service-access=open"}));
  EXPECT_EQ(told.service_access, ServiceAccess::kOpen);
}

TEST_F(ConfigRulesTest, CertificateAndKeyComeTogether) {
  EXPECT_THAT(ProblemsOf({cert_}), HasSubstr("expected --tls-key"));
  EXPECT_THAT(ProblemsOf({key_}), HasSubstr("expected --tls-cert"));
  EXPECT_THAT(ProblemsOf({ca_}), HasSubstr("--tls-client-ca"));
  EXPECT_THAT(ProblemsOf({cert_, key_, "--tls-client-auth=require"}),
              AllOf(HasSubstr("--tls-client-auth"),
                    HasSubstr("expected --tls-client-ca")));
  ASSERT_OK_AND_ASSIGN(const Config config,
                       Load({cert_, key_, ca_, "--tls-client-auth=require"}));
  EXPECT_EQ(config.tls_client_auth, ClientAuth::kRequire);
  EXPECT_TRUE(config.UsesTls());
}

TEST_F(ConfigRulesTest, FilesThatCannotBeReadAreNamed) {
  EXPECT_THAT(ProblemsOf({"--tls-cert=" + dir_.File("no.pem"), key_}),
              AllOf(HasSubstr("--tls-cert"), HasSubstr("no.pem")));
  EXPECT_THAT(ProblemsOf({cert_, "--tls-key=" + dir_.path()}),
              HasSubstr("--tls-key"));
  EXPECT_THAT(ProblemsOf({"--data-dir=" + dir_.File("no/data")}),
              HasSubstr("--data-dir"));
  EXPECT_THAT(ProblemsOf({"--store=sqlite:" + dir_.File("no/x.db")}),
              HasSubstr("--store"));
  EXPECT_THAT(ProblemsOf({"--store=sqlite:"}), HasSubstr("--store"));
}

TEST_F(ConfigRulesTest, ASocketPathThatIsTooLongIsRefusedBeforeBinding) {
  const std::string name(120, 'd');
  EXPECT_THAT(ProblemsOf({"--data-dir=" + dir_.File(name)}),
              AllOf(HasSubstr("--operator-socket"), HasSubstr("107")));
  EXPECT_THAT(ProblemsOf({"--data-dir=" + dir_.File(name),
                          "--operator-socket=" + dir_.File("s")}),
              IsEmpty());
}

TEST_F(ConfigRulesTest, TwoListenersCannotShareAnAddress) {
  EXPECT_THAT(ProblemsOf({"--ops-listen=127.0.0.1:8080"}),
              AllOf(HasSubstr("--ops-listen"), HasSubstr("127.0.0.1:8080"),
                    HasSubstr("--http-listen")));
  EXPECT_THAT(
      ProblemsOf({"--grpc-listen=127.0.0.1:0", "--http-listen=127.0.0.1:0"}),
      IsEmpty());
}

TEST_F(ConfigRulesTest, AServerThatListensNowhereIsRefused) {
  EXPECT_THAT(ProblemsOf({"--grpc-listen=off", "--http-listen=off"}),
              HasSubstr("both are off"));
  ASSERT_OK_AND_ASSIGN(const Config config,
                       Load({"--grpc-listen=off", "--ops-listen=off"}));
  EXPECT_THAT(config.grpc_listen, IsEmpty());
}

TEST_F(ConfigRulesTest, LifetimesNestInsideEachOther) {
  EXPECT_THAT(ProblemsOf({"--access-token-lifetime=25h"}),
              HasSubstr("1s to 24h"));
  EXPECT_THAT(ProblemsOf({"--refresh-idle-lifetime=91d"}),
              AllOf(HasSubstr("--refresh-idle-lifetime"), HasSubstr("90d")));
  EXPECT_THAT(ProblemsOf({"--refresh-idle-lifetime=10m"}),
              HasSubstr("--access-token-lifetime"));
}

TEST_F(ConfigRulesTest, AKeyScheduleThatWouldBreakAConsumerIsRefused) {
  EXPECT_THAT(ProblemsOf({"--key-prepare-lead=12h"}),
              AllOf(HasSubstr("--key-prepare-lead"), HasSubstr("12h5m")));
  EXPECT_THAT(ProblemsOf({"--key-prepare-lead=12h5m"}), IsEmpty());
  EXPECT_THAT(ProblemsOf({"--key-rotation-period=2d"}),
              HasSubstr("--key-rotation-period"));
  EXPECT_THAT(ProblemsOf({"--key-rotation-period=49h"}), IsEmpty());
}

}  // namespace
}  // namespace ostiary

#include <fstream>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/client/cli/fake_server.h"
#include "tests/client/cli/run_cli.h"
#include "tests/client/cli/test_certificate.h"
#include "tests/support/temp_dir.h"

namespace ostiary::cli {
namespace {

using ::testing::HasSubstr;

class TlsTest : public ::testing::Test {
 protected:
  TlsTest() : ours_(MakeTestCertificate()), server_(CredentialsOf(ours_)) {
    Write("server.pem", ours_.certificate);
    Write("client.pem", client_.certificate);
    Write("client.key", client_.key);
  }

  // Asks for a client certificate and wants one that chains to `client_`.
  std::shared_ptr<grpc::ServerCredentials> CredentialsOf(
      const TestCertificate& certificate) {
    grpc::SslServerCredentialsOptions options(
        GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
    options.pem_key_cert_pairs.push_back(
        {certificate.key, certificate.certificate});
    options.pem_root_certs = client_.certificate;
    return grpc::SslServerCredentials(options);
  }
  void Write(const char* name, const std::string& text) {
    std::ofstream(dir_.File(name)) << text;
  }
  std::string Address() const {
    return absl::StrCat("127.0.0.1:", server_.port());
  }

  testing::TempDir dir_;
  TestCertificate client_ = MakeTestCertificate();
  TestCertificate ours_;
  FakeServer server_;
  Cli cli_;
};

TEST_F(TlsTest, BothSidesProveThemselves) {
  const Ended ended =
      cli_.Run({"health", "--server", Address(), "--tls-ca",
                dir_.File("server.pem"), "--tls-cert", dir_.File("client.pem"),
                "--tls-key", dir_.File("client.key")});
  EXPECT_EQ(ended.code, 0) << ended.err;
}

TEST_F(TlsTest, WithoutACertificateOfItsOwnTheClientIsTurnedAway) {
  const Ended ended = cli_.Run(
      {"health", "--server", Address(), "--tls-ca", dir_.File("server.pem")});
  EXPECT_EQ(ended.code, 3);
}

TEST_F(TlsTest, AServerOfAnotherAuthorityIsNotTrusted) {
  const Ended ended =
      cli_.Run({"health", "--server", Address(), "--tls-ca",
                dir_.File("client.pem"), "--tls-cert", dir_.File("client.pem"),
                "--tls-key", dir_.File("client.key")});
  EXPECT_EQ(ended.code, 3);
  EXPECT_THAT(ended.err, HasSubstr("from the authority in --tls-ca"));
}

TEST_F(TlsTest, PlaintextToATlsPortHintsAtTheFlag) {
  const Ended ended = cli_.Run({"health", "--server", Address()});
  EXPECT_EQ(ended.code, 3);
  EXPECT_THAT(ended.err, HasSubstr("give --tls-ca FILE"));
}

TEST_F(TlsTest, FilesThatHoldNoCertificateAreAClearError) {
  Write("server.pem", "not a certificate");
  const Ended ended = cli_.Run(
      {"health", "--server", Address(), "--tls-ca", dir_.File("server.pem")});
  EXPECT_EQ(ended.code, 2);
  EXPECT_THAT(ended.err, HasSubstr("holds no PEM certificate"));
}

TEST(PlaintextTest, OnLoopbackTcpWorksAndCarriesTheToken) {
  FakeServer server(grpc::InsecureServerCredentials());
  Cli cli;
  cli.environment["OSTIARY_TOKEN"] = "abc";
  const Ended ended = cli.Run(
      {"health", "--server", absl::StrCat("127.0.0.1:", server.port())});
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_EQ(server.script().authorization, "Bearer abc");
}

}  // namespace
}  // namespace ostiary::cli

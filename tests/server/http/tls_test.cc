#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <cstdio>
#include <memory>
#include <string>

#include "server/base/certificates.h"
#include "server/base/clock.h"
#include "server/http/server.h"
#include "tests/server/http/socket_client.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace ostiary::http {
namespace {

// A fresh key and a certificate for it that it signed itself.
void WritePair(const std::string& name, const std::string& chain,
               const std::string& key_path) {
  EVP_PKEY* const key = EVP_EC_gen("P-256");
  X509* const certificate = X509_new();
  X509_set_version(certificate, 2);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_set_pubkey(certificate, key);
  X509_NAME* const subject = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(
      subject, "CN", MBSTRING_ASC,
      reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_issuer_name(certificate, subject);
  X509_sign(certificate, key, EVP_sha256());
  std::FILE* file = std::fopen(chain.c_str(), "w");
  PEM_write_X509(file, certificate);
  std::fclose(file);
  file = std::fopen(key_path.c_str(), "w");
  PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
  std::fclose(file);
  X509_free(certificate);
  EVP_PKEY_free(key);
}

class OkHandler final : public Handler {
 public:
  void Handle(Request, Done done) override { done(Response{200, {}, "ok"}); }
};

class TlsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    WritePair("first", dir_.File("cert.pem"), dir_.File("key.pem"));
    auto store = CertificateStore::Open(
        {dir_.File("cert.pem"), dir_.File("key.pem"), ""});
    ASSERT_OK(store);
    store_ = *std::move(store);
    ServerOptions options;
    options.listen = {"127.0.0.1:0"};
    options.certificates = store_.get();
    options.limits.header_time = absl::Milliseconds(500);
    auto server = Server::Start(options, clock_, handler_);
    ASSERT_OK(server);
    server_ = *std::move(server);
  }
  int port() const { return server_->ports().at(0); }

  testing::TempDir dir_;
  SystemClock clock_;
  OkHandler handler_;
  std::unique_ptr<CertificateStore> store_;
  std::unique_ptr<Server> server_;
};

TEST_F(TlsTest, ServesOverTlsAndSaysSoToBrowsers) {
  SocketClient client(port());
  ASSERT_TRUE(client.StartTls());
  for (int i = 0; i < 3; ++i) {
    const SeenAnswer answer = client.Ask(Get("/"));
    EXPECT_EQ(answer.body, "ok");
    EXPECT_EQ(answer.headers.count("strict-transport-security"), 1u);
  }
  EXPECT_EQ(client.Ask(Get("/", "Connection: close\r\n")).status, 200);
  EXPECT_TRUE(client.IsClosedByServer());
}

TEST_F(TlsTest, LimitsHoldOverTls) {
  SocketClient client(port());
  ASSERT_TRUE(client.StartTls());
  EXPECT_EQ(client.Ask(JsonPost("/", std::string(65537, 'x'))).status, 413);
}

TEST_F(TlsTest, NothingOlderThanTls12IsSpoken) {
  SocketClient old(port());
  EXPECT_FALSE(old.StartTls(TLS1_1_VERSION));
  SocketClient twelve(port());
  ASSERT_TRUE(twelve.StartTls(TLS1_2_VERSION));
  EXPECT_EQ(twelve.Ask(Get("/")).status, 200);
}

TEST_F(TlsTest, OnlyHttp11IsAgreedOn) {
  SocketClient both(port());
  EXPECT_TRUE(both.StartTls(0, std::string("\x02h2\x08http/1.1")));
  EXPECT_EQ(both.Ask(Get("/")).status, 200);
  SocketClient other(port());
  EXPECT_FALSE(other.StartTls(0, std::string("\x02h2")));
}

TEST_F(TlsTest, ANewPairServesNewConnectionsAndABadOneNone) {
  SocketClient old(port());
  ASSERT_TRUE(old.StartTls());
  EXPECT_EQ(old.ServerName(), "first");

  WritePair("second", dir_.File("cert.pem"), dir_.File("key.pem"));
  ASSERT_OK(store_->Reload());
  SocketClient fresh(port());
  ASSERT_TRUE(fresh.StartTls());
  EXPECT_EQ(fresh.ServerName(), "second");
  EXPECT_EQ(fresh.Ask(Get("/")).status, 200);
  EXPECT_EQ(old.Ask(Get("/")).status, 200);

  WritePair("third", dir_.File("cert.pem"), dir_.File("other-key.pem"));
  EXPECT_FALSE(store_->Reload().ok());
  SocketClient still(port());
  ASSERT_TRUE(still.StartTls());
  EXPECT_EQ(still.ServerName(), "second");
}

TEST_F(TlsTest, AStalledHandshakeIsCut) {
  SocketClient client(port());
  client.Send("\x16\x03\x01");
  EXPECT_TRUE(client.IsClosedByServer());
}

TEST_F(TlsTest, PlainHttpGetsNoAnswer) {
  SocketClient client(port());
  EXPECT_EQ(client.Ask(Get("/")).status, 0);
}

TEST_F(TlsTest, DrainingEndsIdleTlsConnections) {
  SocketClient client(port());
  ASSERT_TRUE(client.StartTls());
  EXPECT_EQ(client.Ask(Get("/")).status, 200);
  server_->Drain(absl::Seconds(5));
  EXPECT_TRUE(client.IsClosedByServer());
}

}  // namespace
}  // namespace ostiary::http

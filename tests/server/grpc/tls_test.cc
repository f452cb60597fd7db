#include <fstream>

#include "grpcpp/security/credentials.h"
#include "server/base/certificates.h"
#include "tests/server/grpc/test_certificates.h"
#include "tests/server/grpc/wire_test.h"

namespace ostiary::rpc {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class TlsTest : public WireTest {
 protected:
  TlsTest() {
    door_.On<v1::RevokeRequest, v1::RevokeResponse>(
        kRevoke, door::LaneName::kInline,
        [this](const door::CallContext& context, const v1::RevokeRequest&,
               v1::RevokeResponse&) {
          seen_ = context;
          return absl::OkStatus();
        });
  }

  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(dir_.File(name), std::ios::trunc) << text;
  }

  void InstallServerPair(const TestAuthority& authority) {
    const PemPair pair = authority.Issue("server", "DNS:localhost");
    Write("chain.pem", pair.certificate);
    Write("key.pem", pair.private_key);
  }

  void StartTls() {
    InstallServerPair(authority_);
    OpenAndStart("", ClientCertificates::kRequested);
  }

  void StartMutualTls(ClientCertificates client_certificates) {
    InstallServerPair(authority_);
    Write("ca.pem", client_authority_.certificate_pem());
    OpenAndStart(dir_.File("ca.pem"), client_certificates);
  }

  void OpenAndStart(const std::string& client_ca,
                    ClientCertificates client_certificates) {
    ASSERT_OK_AND_ASSIGN(
        store_, CertificateStore::Open(
                    {dir_.File("chain.pem"), dir_.File("key.pem"), client_ca}));
    ServerOptions options = TcpOptions();
    options.certificates = store_.get();
    options.client_certificates = client_certificates;
    Start(options);
  }

  ::grpc::Status Call(const TestAuthority& trusted, const PemPair& own = {}) {
    ::grpc::SslCredentialsOptions options;
    options.pem_root_certs = trusted.certificate_pem();
    options.pem_cert_chain = own.certificate;
    options.pem_private_key = own.private_key;
    // By address: Debian's c-ares leaks what it looks up.
    ::grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetSslTargetNameOverride("localhost");
    const auto channel = ::grpc::CreateCustomChannel(
        Address(), ::grpc::SslCredentials(options), arguments);
    ::grpc::ClientContext call;
    call.set_deadline(Soon());
    v1::RevokeResponse response;
    return v1::TokenService::NewStub(channel)->Revoke(
        &call, v1::RevokeRequest(), &response);
  }

  testing::TempDir dir_;
  TestAuthority authority_{"server authority"};
  TestAuthority other_authority_{"other authority"};
  TestAuthority client_authority_{"client authority"};
  std::unique_ptr<CertificateStore> store_;
  door::CallContext seen_;
};

// The server calls back into the store.
class TlsServerTest : public TlsTest {
 protected:
  ~TlsServerTest() override { server_.reset(); }
};

TEST_F(TlsServerTest, ServesThoseWhoTrustItsCertificate) {
  StartTls();
  const ::grpc::Status status = Call(authority_);
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(seen_.listener, door::Listener::kGrpc);
  EXPECT_EQ(Call(other_authority_).error_code(),
            ::grpc::StatusCode::UNAVAILABLE);
}

TEST_F(TlsServerTest, PlaintextIsNotServed) {
  StartTls();
  EXPECT_EQ(Verify(Connect(Address())).error_code(),
            ::grpc::StatusCode::UNAVAILABLE);
}

TEST_F(TlsServerTest, ANewPairIsServedAtTheNextHandshake) {
  StartTls();
  ASSERT_TRUE(Call(authority_).ok());
  InstallServerPair(other_authority_);
  ASSERT_OK(store_->Reload());
  EXPECT_TRUE(Call(other_authority_).ok());
  EXPECT_FALSE(Call(authority_).ok());
}

TEST_F(TlsServerTest, AMismatchedPairLeavesTheOldOneServing) {
  StartTls();
  Write("chain.pem",
        other_authority_.Issue("server", "DNS:localhost").certificate);
  EXPECT_FALSE(store_->Reload().ok());
  EXPECT_TRUE(Call(authority_).ok());
}

TEST_F(TlsServerTest, NoClientCaMeansNoIdentity) {
  StartTls();
  ASSERT_TRUE(Call(authority_, client_authority_.Issue("x", "DNS:api")).ok());
  EXPECT_THAT(seen_.certificate_identities, IsEmpty());
}

TEST_F(TlsServerTest, EveryAlternativeNameOfAClientIsAnIdentity) {
  StartMutualTls(ClientCertificates::kRequested);
  ASSERT_TRUE(Call(authority_, client_authority_.Issue(
                                   "x", "URI:spiffe://home/api,DNS:api"))
                  .ok());
  EXPECT_THAT(seen_.certificate_identities,
              ElementsAre("spiffe://home/api", "api"));
}

TEST_F(TlsServerTest, ACommonNameIsNoIdentity) {
  StartMutualTls(ClientCertificates::kRequested);
  ASSERT_TRUE(Call(authority_, client_authority_.Issue("admin", "")).ok());
  EXPECT_THAT(seen_.certificate_identities, IsEmpty());
}

TEST_F(TlsServerTest, ARequestedCertificateMayBeMissing) {
  StartMutualTls(ClientCertificates::kRequested);
  ASSERT_TRUE(Call(authority_).ok());
  EXPECT_THAT(seen_.certificate_identities, IsEmpty());
}

TEST_F(TlsServerTest, ARequiredCertificateMayNot) {
  StartMutualTls(ClientCertificates::kRequired);
  EXPECT_FALSE(Call(authority_).ok());
  EXPECT_TRUE(Call(authority_, client_authority_.Issue("x", "DNS:api")).ok());
}

TEST_F(TlsServerTest, ACertificateOfAnotherAuthorityIsRefused) {
  StartMutualTls(ClientCertificates::kRequested);
  EXPECT_FALSE(Call(authority_, other_authority_.Issue("x", "DNS:api")).ok());
  // Nor one of the server's own authority.
  EXPECT_FALSE(Call(authority_, authority_.Issue("x", "DNS:api")).ok());
}

}  // namespace
}  // namespace ostiary::rpc

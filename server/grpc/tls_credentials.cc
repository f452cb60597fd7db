#include "server/grpc/tls_credentials.h"

#include <atomic>
#include <cstdint>
#include <string>

#include "grpc/grpc.h"
#include "grpc/grpc_security.h"

// The one file that overrides a private virtual of gRPC's ServerCredentials:
// the C++ API has no way to change certificates that keeps the old ones when
// the new ones are bad (its file watcher takes the listener down).
namespace ostiary::rpc {
namespace {

class StoreCredentials final : public ::grpc::ServerCredentials {
 public:
  StoreCredentials(const CertificateStore& store,
                   ClientCertificates client_certificates)
      : store_(store),
        asks_clients_(!store.Current()->client_ca_pem.empty()),
        credentials_(grpc_ssl_server_credentials_create_with_options(
            grpc_ssl_server_credentials_create_options_using_config_fetcher(
                RequestType(client_certificates), &Fetch, this))) {}
  ~StoreCredentials() override {
    grpc_server_credentials_release(credentials_);
  }

  void SetAuthMetadataProcessor(
      const std::shared_ptr<::grpc::AuthMetadataProcessor>&) override {}

  bool are_served() const { return are_served_; }

 private:
  int AddPortToServer(const std::string& address,
                      grpc_server* server) override {
    const int port =
        grpc_server_add_http2_port(server, address.c_str(), credentials_);
    are_served_ = port != 0;
    return port;
  }

  grpc_ssl_client_certificate_request_type RequestType(
      ClientCertificates client_certificates) const {
    if (!asks_clients_) return GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE;
    return client_certificates == ClientCertificates::kRequired
               ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
               : GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_AND_VERIFY;
  }

  // Called by gRPC at start and at each handshake, under a lock of its own.
  static grpc_ssl_certificate_config_reload_status Fetch(
      void* self, grpc_ssl_server_certificate_config** config) {
    return static_cast<StoreCredentials*>(self)->FetchInto(config);
  }

  grpc_ssl_certificate_config_reload_status FetchInto(
      grpc_ssl_server_certificate_config** config) {
    const std::shared_ptr<const Certificates> current = store_.Current();
    if (current->serial == served_serial_)
      return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
    // The roots below must never become the server's own chain while clients
    // are verified against them.
    if (asks_clients_ && current->client_ca_pem.empty())
      return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_FAIL;
    *config = Config(*current);
    served_serial_ = current->serial;
    return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
  }

  grpc_ssl_server_certificate_config* Config(
      const Certificates& certificates) const {
    const grpc_ssl_pem_key_cert_pair pair = {
        certificates.private_key_pem.c_str(), certificates.chain_pem.c_str()};
    // gRPC insists on roots even if it verifies nobody.
    const std::string& roots =
        asks_clients_ ? certificates.client_ca_pem : certificates.chain_pem;
    return grpc_ssl_server_certificate_config_create(roots.c_str(), &pair, 1);
  }

  // No pair has this serial.
  static constexpr std::uint64_t kNone = UINT64_MAX;

  const CertificateStore& store_;
  const bool asks_clients_;
  bool are_served_ = false;
  std::atomic<std::uint64_t> served_serial_{kNone};
  grpc_server_credentials* const credentials_;
};

}  // namespace

std::shared_ptr<::grpc::ServerCredentials> TlsCredentials(
    const CertificateStore& store, ClientCertificates client_certificates) {
  return std::make_shared<StoreCredentials>(store, client_certificates);
}

bool AreServed(const ::grpc::ServerCredentials& credentials) {
  return static_cast<const StoreCredentials&>(credentials).are_served();
}

}  // namespace ostiary::rpc

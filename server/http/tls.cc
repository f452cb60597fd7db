#include "server/http/tls.h"

#include <openssl/ssl.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ssl/context.hpp>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace ostiary::http {
namespace {

namespace ssl = boost::asio::ssl;
using boost::system::error_code;

constexpr char kTls12Suites[] =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

// A client that speaks only other protocols is told so in the handshake; one
// made for another service cannot be talked into speaking to us (ALPACA).
int SelectHttp11(SSL*, const unsigned char** out, unsigned char* out_size,
                 const unsigned char* offered, unsigned int offered_size,
                 void*) {
  static constexpr unsigned char kOurs[] = "\x08http/1.1";
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_size, kOurs, sizeof(kOurs) - 1,
                            offered, offered_size) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

error_code TakePair(const Certificates& pair, ssl::context& context) {
  error_code ec;
  context.use_certificate_chain(boost::asio::buffer(pair.chain_pem), ec);
  if (ec) return ec;
  context.use_private_key(boost::asio::buffer(pair.private_key_pem),
                          ssl::context::pem, ec);
  return ec;
}

absl::StatusOr<std::shared_ptr<ssl::context>> MakeContext(
    const Certificates& pair) {
  const auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  SSL_CTX* const native = context->native_handle();
  if (SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION) != 1 ||
      SSL_CTX_set_cipher_list(native, kTls12Suites) != 1) {
    return absl::InternalError("OpenSSL refuses TLS 1.2 with AEAD suites");
  }
  SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                  // Requests do not stay in its buffers.
                                  SSL_OP_CLEANSE_PLAINTEXT);
  SSL_CTX_set_alpn_select_cb(native, SelectHttp11, nullptr);
  if (const error_code ec = TakePair(pair, *context); ec) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the certificate cannot be used for HTTPS: ", ec.message()));
  }
  return context;
}

}  // namespace

absl::StatusOr<std::shared_ptr<ssl::context>> TlsContexts::Current() {
  const std::shared_ptr<const Certificates> pair = store_.Current();
  if (context_ != nullptr && pair->serial == seen_serial_) return context_;
  absl::StatusOr<std::shared_ptr<ssl::context>> made = MakeContext(*pair);
  if (!made.ok() && context_ == nullptr) return made;
  seen_serial_ = pair->serial;
  if (made.ok()) context_ = *std::move(made);
  return context_;
}

}  // namespace ostiary::http

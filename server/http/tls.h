#ifndef OSTIARY_SERVER_HTTP_TLS_H_
#define OSTIARY_SERVER_HTTP_TLS_H_

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "server/base/certificates.h"

namespace boost::asio::ssl {
class context;
}  // namespace boost::asio::ssl

namespace ostiary::http {

// The TLS settings for new connections: TLS 1.2 and 1.3 with AEAD suites, the
// store's current pair. Client certificates are not asked for: this is the
// public face, and browsers would ask their users which one to show.
//
// Not thread-safe: used on the server's own thread.
class TlsContexts {
 public:
  // `store` must outlive this object.
  explicit TlsContexts(const CertificateStore& store) : store_(store) {}

  // A new context once the store has a new pair. One that OpenSSL refuses
  // leaves the context before it in use; an error if there is none.
  absl::StatusOr<std::shared_ptr<boost::asio::ssl::context>> Current();

 private:
  const CertificateStore& store_;
  std::uint64_t seen_serial_ = 0;
  std::shared_ptr<boost::asio::ssl::context> context_;
};

}  // namespace ostiary::http

#endif  // OSTIARY_SERVER_HTTP_TLS_H_

#ifndef OSTIARY_CLIENT_CLI_ENDPOINT_H_
#define OSTIARY_CLIENT_CLI_ENDPOINT_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace ostiary::cli {

// Where a server may be, as the flags say it. Exactly one of `socket` and
// `server` is set.
struct Place {
  std::string socket;    // path of the operator socket
  std::string server;    // HOST:PORT
  std::string tls_ca;    // file of CA certificates the server must chain to
  std::string tls_cert;  // file of the client's certificate chain
  std::string tls_key;   // file of its private key
  bool allow_plaintext = false;
};

enum class Protection {
  kLocalSocket,  // the kernel says who may open it
  kPlaintext,
  kTls,
};

// A place found good.
struct Endpoint {
  std::string target;       // for gRPC
  std::string description;  // for people
  Protection protection;
  // The operator socket or a loopback address.
  bool is_on_this_machine;
};

// Usage errors:
// - a socket path longer than the 107 bytes the kernel takes;
// - a server that is not HOST:PORT (never a URL: a scheme would choose another
//   resolver);
// - TLS files without --server, or a certificate without its key;
// - beyond loopback neither --tls-ca nor --allow-plaintext: passwords and
//   tokens would cross the network readable.
absl::StatusOr<Endpoint> ResolveEndpoint(const Place& place);

// Why nobody could be reached at `place`, found by looking, and what to try:
// UNAVAILABLE. `detail` is gRPC's own account of it.
absl::Status ExplainUnreachable(const Place& place, absl::string_view detail);

}  // namespace ostiary::cli

#endif  // OSTIARY_CLIENT_CLI_ENDPOINT_H_

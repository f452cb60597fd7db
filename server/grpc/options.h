#ifndef OSTIARY_SERVER_GRPC_OPTIONS_H_
#define OSTIARY_SERVER_GRPC_OPTIONS_H_

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "server/base/certificates.h"
#include "server/grpc/open_connections.h"

namespace ostiary::rpc {

// What a client has to show where a client CA is configured.
enum class ClientCertificates {
  kRequested,  // a certificate that verifies, or none
  kRequired,   // a certificate that verifies
};

enum class Reflection { kOff, kOn };

struct ServerOptions {
  // "host:port", "[::1]:50051"; port 0 takes a free one. Empty: no TCP.
  std::vector<std::string> listen;
  // Serves TLS on `listen`; null: plaintext. Must outlive the server.
  const CertificateStore* certificates = nullptr;
  ClientCertificates client_certificates = ClientCertificates::kRequested;
  // The path of the operator's Unix socket, at most 107 bytes. Empty: none. The
  // lock of its folder must be held: gRPC takes a path over from a server that
  // runs.
  std::string operator_socket;

  // Completion queues, each with one polling thread. 0: one up to four cores,
  // then one for every four. gRPC has one epoll set per process, so that more
  // pollers cost more than they bring.
  int queues = 0;
  Reflection reflection = Reflection::kOn;

  // Of TCP, open at a time; one more is closed at once.
  ConnectionLimits connections;

  // Largest message taken off the wire; raised to the largest row of the policy
  // table. What is over its row's bound gets our answer; over this one gRPC
  // itself answers RESOURCE_EXHAUSTED, without our details.
  std::size_t max_message_bytes = 512 << 10;
  int max_metadata_bytes = 8 << 10;
  // Per connection; further calls wait at the client. Open streams count.
  int max_concurrent_streams = 128;
  // Calls served at a time; more are answered RESOURCE_EXHAUSTED at once.
  int max_calls_in_flight = 1000;
  // Open health watches at a time.
  int max_watches = 256;

  // A connection is closed after this age, so that clients spread again over
  // the servers there are; calls get `age_grace` to end.
  absl::Duration max_connection_age = absl::Minutes(10);
  absl::Duration age_grace = absl::Seconds(30);
  absl::Duration max_connection_idle = absl::Minutes(5);
  // A client that pings more often is cut off after two strikes.
  absl::Duration min_ping_interval = absl::Seconds(10);
  // A client that has gone without a word is found out after the sum.
  absl::Duration keepalive_interval = absl::Minutes(1);
  absl::Duration keepalive_timeout = absl::Seconds(20);
  absl::Duration handshake_timeout = absl::Seconds(10);

  // How often health watches look whether the door's readiness has changed.
  absl::Duration health_interval = absl::Milliseconds(500);

  // Returns once no lane has work of a call left. Called while draining; empty:
  // nothing to wait for.
  std::function<void()> wait_for_lanes;
};

}  // namespace ostiary::rpc

#endif  // OSTIARY_SERVER_GRPC_OPTIONS_H_

#ifndef OSTIARY_SERVER_GRPC_LISTENERS_H_
#define OSTIARY_SERVER_GRPC_LISTENERS_H_

#include <string>

#include "absl/status/status.h"

namespace ostiary::rpc {

// gRPC reports a failed bind without saying what failed. These try first, so
// that the error names the address and the cause: bad syntax, unknown host, an
// address of another machine, already in use, not permitted.

// `listen` is "host:port" or "[v6]:port".
absl::Status CheckTcpAddress(const std::string& listen);

// Also refuses a path at which a server answers: gRPC would silently take it
// over. A socket that a dead server left behind is fine.
absl::Status CheckSocketPath(const std::string& path);

// Whether the bound socket is open to its owner alone.
absl::Status CheckSocketIsPrivate(const std::string& path);

}  // namespace ostiary::rpc

#endif  // OSTIARY_SERVER_GRPC_LISTENERS_H_

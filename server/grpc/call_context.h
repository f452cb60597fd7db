#ifndef OSTIARY_SERVER_GRPC_CALL_CONTEXT_H_
#define OSTIARY_SERVER_GRPC_CALL_CONTEXT_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/status.h"
#include "server/door/call.h"
#include "server/door/door.h"

namespace ostiary::rpc {

// What a method's row asks of a caller.
enum class Asked {
  kNothing,   // Access::kAnonymous
  kWhoCalls,  // anything else
};
inline Asked AskedBy(const door::MethodRow& row) {
  return row.access == door::Access::kAnonymous ? Asked::kNothing
                                                : Asked::kWhoCalls;
}

// What the wire knows about a call, into `out`: of who calls only what is
// asked. `cancelled` is left alone.
void FillCallContext(const ::grpc::ServerContext& call, Asked asked,
                     door::CallContext& out);

// The address in gRPC's name for a peer: "ipv4:127.0.0.1:4711" and
// "ipv6:%5B::1%5D:4711" give "127.0.0.1" and "::1"; a Unix socket and anything
// else give nothing.
std::string PeerAddress(absl::string_view peer);

// The door's error as gRPC carries it: google.rpc.Status in
// grpc-status-details-bin. `status` must not be OK.
::grpc::Status ToGrpcStatus(const absl::Status& status);

}  // namespace ostiary::rpc

#endif  // OSTIARY_SERVER_GRPC_CALL_CONTEXT_H_

#ifndef OSTIARY_SERVER_GRPC_LIMITS_H_
#define OSTIARY_SERVER_GRPC_LIMITS_H_

#include <cstddef>

#include "grpcpp/server_builder.h"
#include "server/grpc/options.h"

namespace ostiary::rpc {

// Bounds what a connection may cost. `largest_request` is the most that any
// method takes.
void SetLimits(const ServerOptions& options, std::size_t largest_request,
               ::grpc::ServerBuilder& builder);

// Lets clients ask for the contract, or not, whatever else is linked.
void SetReflection(Reflection reflection, ::grpc::ServerBuilder& builder);

}  // namespace ostiary::rpc

#endif  // OSTIARY_SERVER_GRPC_LIMITS_H_

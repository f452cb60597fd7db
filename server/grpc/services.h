#ifndef OSTIARY_SERVER_GRPC_SERVICES_H_
#define OSTIARY_SERVER_GRPC_SERVICES_H_

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "grpcpp/completion_queue.h"
#include "grpcpp/server_builder.h"
#include "server/door/door.h"
#include "server/grpc/exchange_call.h"
#include "server/grpc/raw_service.h"
#include "server/grpc/stream_call.h"
#include "server/grpc/traffic.h"
#include "server/grpc/unary_call.h"

namespace ostiary::rpc {

// Every service that the door has a method of, joined to the door.
class Services {
 public:
  // An error names the row of the door's that no service of the contract has a
  // method for.
  static absl::StatusOr<std::unique_ptr<Services>> Create(door::Door& door);
  Services(const Services&) = delete;
  Services& operator=(const Services&) = delete;

  // Full names of the services: "ostiary.v1.AuthService".
  std::vector<std::string> names() const;
  // The largest request that any method takes.
  std::size_t LargestRequest() const;

  void Register(::grpc::ServerBuilder& builder);
  // Ends every stream, and each one to come.
  void DrainStreams();
  // Arms every method on `queue`, before it is polled. The answer must outlive
  // the queue.
  std::vector<std::unique_ptr<CallSlots>> Arm(
      Traffic& traffic, ::grpc::ServerCompletionQueue& queue);

 private:
  explicit Services(door::Door& door) : door_(door) {}
  absl::Status AddServices();
  void AddMethods(RawService& service);

  door::Door& door_;
  // Addresses are kept.
  std::deque<RawService> services_;
  std::deque<Method> methods_;
  std::deque<StreamMethod> streams_;
  std::deque<ExchangeMethod> exchanges_;
};

}  // namespace ostiary::rpc

#endif  // OSTIARY_SERVER_GRPC_SERVICES_H_

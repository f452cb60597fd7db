#ifndef OSTIARY_SERVER_GRPC_SERVICES_H_
#define OSTIARY_SERVER_GRPC_SERVICES_H_

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "grpcpp/completion_queue.h"
#include "grpcpp/server_builder.h"
#include "server/door/door.h"
#include "server/grpc/traffic.h"
#include "server/grpc/unary_call.h"

namespace ostiary::rpc {

// A method of the contract and how gRPC is asked for a call of it.
struct Wire {
  std::string name;  // "ostiary.v1.AuthService/SignUp"
  CallSlots::Make make;
};

// Every service of the contract, joined to the door.
class Services {
 public:
  // Checks the wiring: every method of every service has a line in the table
  // (one without would hang its callers), and every row of the door's is wired.
  // An error names the method.
  static absl::StatusOr<std::unique_ptr<Services>> Create(door::Door& door);
  ~Services();
  Services(const Services&) = delete;
  Services& operator=(const Services&) = delete;

  // Full names of the services: "ostiary.v1.AuthService".
  const std::vector<std::string>& names() const { return names_; }
  // The largest request that any method takes.
  std::size_t LargestRequest() const;

  void Register(::grpc::ServerBuilder& builder);
  // Arms every method on `queue`, before it is polled. The answer must outlive
  // the queue.
  std::vector<std::unique_ptr<CallSlots>> Arm(
      Traffic& traffic, ::grpc::ServerCompletionQueue& queue);

 private:
  struct Contract;  // the generated services

  explicit Services(door::Door& door);
  absl::Status CheckEveryMethodIsWired() const;
  absl::Status CheckEveryRowIsWired() const;
  bool IsWired(absl::string_view name) const;
  void MakeMethods();

  door::Door& door_;
  const std::unique_ptr<Contract> contract_;
  const std::vector<Wire> wires_;
  std::vector<std::string> names_;
  std::deque<Method> methods_;  // beside wires_; addresses are kept
};

}  // namespace ostiary::rpc

#endif  // OSTIARY_SERVER_GRPC_SERVICES_H_

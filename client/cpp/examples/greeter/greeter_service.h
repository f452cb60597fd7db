#ifndef OSTIARY_CLIENT_CPP_EXAMPLES_GREETER_GREETER_SERVICE_H_
#define OSTIARY_CLIENT_CPP_EXAMPLES_GREETER_GREETER_SERVICE_H_

#include <atomic>

#include "greeter/v1/greeter.grpc.pb.h"
#include "ostiary/grpc_guard.h"

namespace greeter {

// Every method begins with what its caller must be. Thread-safe.
class GreeterService final : public v1::Greeter::Service {
 public:
  explicit GreeterService(const ostiary::Verifier& verifier)
      : guard_(verifier) {}

  grpc::Status Greet(grpc::ServerContext* context, const v1::GreetRequest*,
                     v1::GreetResponse* response) override;
  grpc::Status Close(grpc::ServerContext* context, const v1::CloseRequest*,
                     v1::CloseResponse* response) override;

 private:
  const ostiary::Guard guard_;
  std::atomic<bool> closed_ = false;
};

}  // namespace greeter

#endif  // OSTIARY_CLIENT_CPP_EXAMPLES_GREETER_GREETER_SERVICE_H_

#include "greeter/greeter_service.h"

namespace greeter {

grpc::Status GreeterService::Greet(grpc::ServerContext* context,
                                   const v1::GreetRequest*,
                                   v1::GreetResponse* response) {
  const ostiary::Admission caller =
      guard_.Check(*context, {.scopes = {"greet"}});
  if (!caller.ok()) return caller.status();
  if (closed_) {
    return grpc::Status(grpc::StatusCode::FAILED_PRECONDITION, "closed");
  }
  response->set_text("Hello, " + caller.claims().subject);
  return grpc::Status::OK;
}

grpc::Status GreeterService::Close(grpc::ServerContext* context,
                                   const v1::CloseRequest*,
                                   v1::CloseResponse*) {
  const ostiary::Admission caller =
      guard_.Check(*context, {.roles = {"admin"}});
  if (!caller.ok()) return caller.status();
  closed_ = true;
  return grpc::Status::OK;
}

}  // namespace greeter

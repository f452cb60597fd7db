// The guarded methods, tested without a server of Ostiary's.
#include <grpcpp/create_channel.h>
#include <grpcpp/server_builder.h>

#include <cstdlib>
#include <iostream>

#include "greeter/greeter_service.h"
#include "ostiary/test_issuer.h"

namespace {

void Expect(bool held, const char* what) {
  if (held) return;
  std::cerr << "not so: " << what << "\n";
  std::exit(1);
}

grpc::StatusCode Greet(greeter::v1::Greeter::Stub& stub,
                       const std::string& token, std::string* text) {
  grpc::ClientContext context;
  if (!token.empty()) context.AddMetadata("authorization", "Bearer " + token);
  greeter::v1::GreetResponse response;
  const grpc::Status status = stub.Greet(&context, {}, &response);
  *text = response.text();
  return status.error_code();
}

grpc::StatusCode Close(greeter::v1::Greeter::Stub& stub,
                       const std::string& token) {
  grpc::ClientContext context;
  context.AddMetadata("authorization", "Bearer " + token);
  greeter::v1::CloseResponse response;
  return stub.Close(&context, {}, &response).error_code();
}

}  // namespace

int main() {
  ostiary::TestIssuer issuer;
  const auto verifier = issuer.MakeVerifier();
  greeter::GreeterService service(*verifier);
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                           &port);
  builder.RegisterService(&service);
  const auto server = builder.BuildAndStart();
  Expect(server != nullptr, "the server starts");
  const auto stub = greeter::v1::Greeter::NewStub(grpc::CreateChannel(
      "127.0.0.1:" + std::to_string(port), grpc::InsecureChannelCredentials()));

  std::string text;
  const std::string ada = issuer.Sign(
      {.subject = "acct_ada", .scopes = {"greet"}, .session_id = "sess_ada"});
  Expect(Greet(*stub, ada, &text) == grpc::StatusCode::OK, "Ada may call");
  Expect(text == "Hello, acct_ada", "Ada is greeted by name");
  Expect(Greet(*stub, "", &text) == grpc::StatusCode::UNAUTHENTICATED,
         "nobody is refused");
  Expect(
      Greet(*stub, issuer.Sign(), &text) == grpc::StatusCode::PERMISSION_DENIED,
      "without the scope it is denied");
  Expect(Close(*stub, ada) == grpc::StatusCode::PERMISSION_DENIED,
         "Ada may not close");
  issuer.RevokeSession("sess_ada");
  Expect(Greet(*stub, ada, &text) == grpc::StatusCode::UNAUTHENTICATED,
         "a revoked session is refused at once");
  Expect(
      Close(*stub, issuer.Sign({.roles = {"admin"}})) == grpc::StatusCode::OK,
      "an admin may close");
  std::cout << "greeter: all as it should be\n";
}

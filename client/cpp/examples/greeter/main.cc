// greeter TARGET ISSUER LISTEN: greets on LISTEN those to whom the Ostiary at
// TARGET has given a token as ISSUER.
//   greeter 127.0.0.1:7401 http://127.0.0.1:7400 127.0.0.1:7500
#include <grpcpp/server_builder.h>

#include <iostream>

#include "greeter/greeter_service.h"

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: greeter TARGET ISSUER LISTEN\n";
    return 2;
  }
  ostiary::VerifierOptions options;
  options.target = argv[1];
  options.issuer = argv[2];
  const auto verifier = ostiary::Verifier::Create(options);
  if (!verifier.ok()) {
    std::cerr << verifier.status().message() << "\n";
    return 2;
  }

  greeter::GreeterService service(**verifier);
  grpc::ServerBuilder builder;
  builder.AddListeningPort(argv[3], grpc::InsecureServerCredentials());
  builder.RegisterService(&service);
  const auto server = builder.BuildAndStart();
  if (server == nullptr) return 1;
  std::cout << "greeting on " << argv[3] << std::endl;
  server->Wait();
}

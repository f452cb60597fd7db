#ifndef OSTIARY_SERVER_GRPC_TLS_CREDENTIALS_H_
#define OSTIARY_SERVER_GRPC_TLS_CREDENTIALS_H_

#include <memory>

#include "grpcpp/security/server_credentials.h"
#include "server/base/certificates.h"
#include "server/grpc/options.h"

namespace ostiary::rpc {

// TLS with whatever pair `store` holds at each handshake. Clients are asked for
// a certificate if the store has a client CA.
//
// gRPC does not keep the answer alive, but calls back into it: it and `store`
// must outlive the server.
std::shared_ptr<::grpc::ServerCredentials> TlsCredentials(
    const CertificateStore& store, ClientCertificates client_certificates);

// Whether gRPC serves with them. It does not say so of a listener whose
// connections others accept: those would hang. `credentials` are TlsCredentials
// and the server has been built.
bool AreServed(const ::grpc::ServerCredentials& credentials);

}  // namespace ostiary::rpc

#endif  // OSTIARY_SERVER_GRPC_TLS_CREDENTIALS_H_

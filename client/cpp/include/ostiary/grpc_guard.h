#ifndef OSTIARY_CLIENT_CPP_INCLUDE_OSTIARY_GRPC_GUARD_H_
#define OSTIARY_CLIENT_CPP_INCLUDE_OSTIARY_GRPC_GUARD_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/status.h>

#include <memory>
#include <utility>

#include "ostiary/options.h"
#include "ostiary/verifier.h"

namespace ostiary {

// The claims of a caller who may pass, or the status to end the call with.
class Admission {
 public:
  explicit Admission(std::shared_ptr<const Claims> claims)
      : claims_(std::move(claims)) {}
  explicit Admission(grpc::Status status) : status_(std::move(status)) {}

  bool ok() const { return claims_ != nullptr; }
  // Requires ok().
  const Claims& claims() const { return *claims_; }
  const std::shared_ptr<const Claims>& shared_claims() const { return claims_; }
  // OK if ok().
  const grpc::Status& status() const { return status_; }

 private:
  std::shared_ptr<const Claims> claims_;
  grpc::Status status_;
};

// Stands before the methods of a gRPC service, of whichever kind: synchronous,
// callback or with a completion queue.
//
//   grpc::Status Greet(grpc::ServerContext* context, ...) override {
//     const Admission caller = guard_.Check(*context, {.scopes = {"greet"}});
//     if (!caller.ok()) return caller.status();
//     reply->set_text("Hello, " + caller.claims().subject);
//
// Errors carry google.rpc.ErrorInfo with domain "ostiary" and the reason:
//   UNAUTHENTICATED    no bearer token, more than one (UNAUTHENTICATED), or one
//                      that is refused (TOKEN_EXPIRED, TOKEN_REVOKED, ...)
//   PERMISSION_DENIED  SCOPE_MISSING, ROLE_MISSING
//   UNAVAILABLE        CHECK_UNAVAILABLE: nobody knows now; try again
//
// Blocks when Verifier::Verify does: with StalenessPolicy::kAskServer for the
// ask time-out while the knowledge is stale. Thread-safe.
class Guard {
 public:
  // `verifier` must outlive the guard.
  explicit Guard(const Verifier& verifier) : verifier_(verifier) {}

  Admission Check(const grpc::ServerContextBase& context,
                  const CheckOptions& requirement = {}) const;

 private:
  const Verifier& verifier_;
};

}  // namespace ostiary

#endif  // OSTIARY_CLIENT_CPP_INCLUDE_OSTIARY_GRPC_GUARD_H_

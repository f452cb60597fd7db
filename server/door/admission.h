#ifndef OSTIARY_SERVER_DOOR_ADMISSION_H_
#define OSTIARY_SERVER_DOOR_ADMISSION_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/base/clock.h"
#include "server/door/call.h"
#include "server/door/method.h"
#include "server/flow/caller.h"
#include "server/flow/verify.h"
#include "server/limit/network_prefix.h"

namespace ostiary::door {

// May they? Finds out who calls and whether the method's row lets them.
//
// Thread-safe; no I/O.
class Admission {
 public:
  struct Options {
    std::string issuer;
    std::string default_audience;
    std::vector<limit::AddressRange> trusted_proxies;
    // Whether a service must prove that it is one (--service-access).
    bool services_prove_themselves = true;
  };
  Admission(const Clock& clock, const flow::Verify& verify, Options options)
      : clock_(clock), verify_(verify), options_(std::move(options)) {}

  // kUnauthenticated without a usable authorization header where one is
  // needed, kAccessTokenRejected if its token does not pass, kPermissionDenied
  // if the caller is known and may not.
  absl::StatusOr<flow::Caller> Admit(const MethodRow& row,
                                     const CallContext& context) const;

 private:
  flow::Caller Describe(const CallContext& context) const;
  absl::Status Identify(const CallContext& context, flow::Caller& caller) const;
  absl::Status IdentifyService(const CallContext& context,
                               flow::Caller& caller) const;
  using Token = std::shared_ptr<const jwt::VerifiedToken>;
  absl::StatusOr<Token> TokenOf(const CallContext& context) const;
  bool IsForIssuer(const jwt::Claims& claims) const;

  const Clock& clock_;
  const flow::Verify& verify_;
  const Options options_;
};

}  // namespace ostiary::door

#endif  // OSTIARY_SERVER_DOOR_ADMISSION_H_

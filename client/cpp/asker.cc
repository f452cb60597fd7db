#include "client/cpp/asker.h"

#include <memory>

#include "absl/cleanup/cleanup.h"
#include "absl/time/clock.h"
#include "grpcpp/client_context.h"
#include "ostiary/v1/token_service.grpc.pb.h"

namespace ostiary::client {
namespace {

// The server is well and says that it cannot judge by this ticket. Counting it
// would let one caller's old ticket cut off all others.
bool IsAboutTheTicket(const grpc::Status& status) {
  const std::string reason = ReasonOf(status);
  return reason == "REVISION_NOT_REACHED" || reason == "REVISION_LOST";
}

}  // namespace

std::optional<v1::VerifyResponse> Asker::Ask(const v1::VerifyRequest& request) {
  const absl::Cleanup leave = [this] { --under_way_; };
  if (++under_way_ > kMostAtATime) {
    ++held_back_;
    return std::nullopt;
  }
  const Breaker::Pass pass = breaker_.Enter(time_.Uptime());
  if (pass == Breaker::Pass::kNone) {
    ++held_back_;
    return std::nullopt;
  }
  return Call(request, pass);
}

std::optional<v1::VerifyResponse> Asker::Call(const v1::VerifyRequest& request,
                                              Breaker::Pass pass) {
  const auto stub = v1::TokenService::NewStub(link_.channel());
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + timeout_));
  link_.Sign(context);
  v1::VerifyResponse response;
  const grpc::Status status = stub->Verify(&context, request, &response);
  if (status.ok() || IsAboutTheTicket(status)) {
    breaker_.Succeed(pass);
  } else {
    breaker_.Fail(pass, time_.Uptime());
  }
  ++(!status.ok() ? failed_ : response.valid() ? valid_ : invalid_);
  if (!status.ok()) return std::nullopt;
  return response;
}

std::map<std::string, std::uint64_t> Asker::counts() const {
  return {{"valid", valid_},
          {"invalid", invalid_},
          {"failed", failed_},
          {"held_back", held_back_}};
}

}  // namespace ostiary::client

#ifndef OSTIARY_CLIENT_CLI_BENCH_LANES_H_
#define OSTIARY_CLIENT_CLI_BENCH_LANES_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "client/cli/bench_accounts.h"
#include "client/cli/connection.h"
#include "client/cli/invocation.h"
#include "client/cli/load.h"
#include "client/cli/secret_text.h"
#include "ostiary/v1/token_service.pb.h"
#include "ostiary/v1/token_set.pb.h"

namespace ostiary::cli {

// The tokens that are verified, in turn.
class BenchTokens {
 public:
  // Each is a request with its token; never empty.
  explicit BenchTokens(std::vector<v1::VerifyRequest> requests)
      : requests_(std::move(requests)) {}
  const v1::VerifyRequest& Next() {
    return requests_[next_++ % requests_.size()];
  }

 private:
  const std::vector<v1::VerifyRequest> requests_;
  std::size_t next_ = 0;
};

// `connection` must outlive the lanes; each calls on `channel`.
using ChannelPtr = std::shared_ptr<grpc::Channel>;

// Verify. A verdict that is no is a failure, with its reason.
std::unique_ptr<Lane> MakeVerifyLane(const Connection& connection,
                                     const ChannelPtr& channel,
                                     std::shared_ptr<BenchTokens> tokens);
// SignInWithPassword. Each session is signed out at once.
std::unique_ptr<Lane> MakeSignInLane(const Connection& connection,
                                     const ChannelPtr& channel,
                                     std::shared_ptr<BenchAccounts> accounts);
// Refresh: the next token of one session each time, which is signed out in the
// end. A call that failed on the way is tried again as the same attempt; a
// session whose token is rejected is over.
std::unique_ptr<Lane> MakeRefreshLane(const Connection& connection,
                                      const ChannelPtr& channel,
                                      SecretText refresh_token);

// One sign-in and one sign-out, not part of a load.
absl::StatusOr<v1::TokenSet> SignInOnce(Invocation& run,
                                        const BenchAccounts::One& account);
absl::Status SignOutOnce(Invocation& run, const std::string& refresh_token);

}  // namespace ostiary::cli

#endif  // OSTIARY_CLIENT_CLI_BENCH_LANES_H_

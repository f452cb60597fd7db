#ifndef OSTIARY_SERVER_SETTINGS_H_
#define OSTIARY_SERVER_SETTINGS_H_

#include <string>
#include <vector>

#include "client/jwt/verifier.h"
#include "server/config.h"
#include "server/door/admission.h"
#include "server/door/revocation_feed.h"
#include "server/flow/sign_up.h"
#include "server/grpc/options.h"
#include "server/http/limits.h"
#include "server/key/key_ring.h"
#include "server/limit/rate_limiter.h"
#include "server/limit/sign_in_limiter.h"
#include "server/password/hash_workers.h"
#include "server/password/hasher.h"
#include "server/password/password_policy.h"
#include "server/session/sessions.h"
#include "server/status_list/slot_issuer.h"

// What an operator decided, in each room's own words. Pure; the configuration
// has been checked.
namespace ostiary {

inline constexpr std::size_t kSignUpCounters = 1 << 14;

// What the rooms themselves have to say against it; the message names the
// option.
absl::Status CheckSettings(const Config& config);

jwt::Algorithm AlgorithmOf(const Config& config);
jwt::VerifierOptions VerifierOptionsOf(const Config& config);
key::KeyRingOptions KeyRingOptionsOf(const Config& config);
session::Lifetimes LifetimesOf(const Config& config);
status_list::SlotIssuer::Options SlotOptionsOf(const Config& config,
                                               absl::Duration access_ceiling);
session::RotationPolicy RotationPolicyOf(const Config& config);
limit::SignInLimiter::Options SignInLimitsOf(const Config& config);
limit::Rule SignUpLimitOf(const Config& config);
password::PasswordPolicy::Options PasswordPolicyOf(const Config& config);
password::HashParameters HashParametersOf(const Config& config);
password::HashWorkers::Options HashWorkersOf(const Config& config);
// Threads that carry a sign-in from its look-up to its commit and wait for the
// hash in between; as many as the hash queue can hold.
int PasswordThreads(const Config& config);
// Those that wait for such a thread: --hash-queue bounds all who wait, since
// nobody has a use for a sign-in that is answered after many seconds.
std::size_t PasswordQueue(const Config& config);
flow::SignUpPolicy SignUpPolicyOf(const Config& config);
door::Admission::Options AdmissionOptionsOf(const Config& config);
// Bodies as large as the policy table's largest request is as JSON.
http::Limits HttpLimits();
door::RevocationFeed::Options FeedOptionsOf(const Config& config);
rpc::ServerOptions GrpcOptionsOf(const Config& config);
std::vector<std::string> TextsOf(const std::vector<ListenAddress>& addresses);

}  // namespace ostiary

#endif  // OSTIARY_SERVER_SETTINGS_H_

#include "server/settings.h"

#include <algorithm>
#include <array>
#include <limits>

#include "server/data_dir.h"
#include "server/door/policy.h"

namespace ostiary {
namespace {

constexpr int kMostPasswordThreads = 128;

// A limit that is switched off: one that nobody reaches.
limit::Rule RuleOf(const std::optional<Rate>& rate) {
  if (!rate.has_value()) return {1'000'000'000, absl::Seconds(1)};
  return {rate->count, rate->per};
}

}  // namespace

absl::Status CheckSettings(const Config& config) {
  if (auto status = key::ValidateSchedule(KeyRingOptionsOf(config).schedule);
      !status.ok()) {
    return status;
  }
  return password::CheckParameters(HashParametersOf(config));
}

jwt::Algorithm AlgorithmOf(const Config& config) {
  switch (config.signing_algorithm) {
    case SigningAlgorithm::kEs256:
      return jwt::Algorithm::kEs256;
    case SigningAlgorithm::kRs256:
      return jwt::Algorithm::kRs256;
    case SigningAlgorithm::kEdDsa:
      return jwt::Algorithm::kEdDsa;
  }
  return jwt::Algorithm::kEs256;
}

jwt::VerifierOptions VerifierOptionsOf(const Config& config) {
  jwt::VerifierOptions options;
  options.issuer = config.issuer;
  // All of them: keys of an algorithm that was in use before still verify.
  options.algorithms = {jwt::Algorithm::kEs256, jwt::Algorithm::kRs256,
                        jwt::Algorithm::kEdDsa};
  options.maximum_lifetime = key::kAccessLifetimeCap;
  return options;
}

key::KeyRingOptions KeyRingOptionsOf(const Config& config) {
  key::KeyRingOptions options;
  options.schedule.rotation_period = config.key_rotation_period;
  options.schedule.prepare_lead = config.key_prepare_lead;
  options.schedule.jwks_max_age = config.jwks_max_age;
  options.algorithm = AlgorithmOf(config);
  options.revoked_keys_file = RevokedKeysPath(config.key_encryption_key_file);
  return options;
}

session::Lifetimes LifetimesOf(const Config& config) {
  return {config.access_token_lifetime, config.refresh_idle_lifetime,
          config.refresh_absolute_lifetime};
}

status_list::SlotIssuer::Options SlotOptionsOf(const Config& config,
                                               absl::Duration access_ceiling) {
  status_list::SlotIssuer::Options options;
  options.issuing = config.status_lists ? status_list::Issuing::kOn
                                        : status_list::Issuing::kOff;
  options.access_ceiling = access_ceiling;
  return options;
}

session::RotationPolicy RotationPolicyOf(const Config& config) {
  session::RotationPolicy policy;
  policy.retry_window = config.retry_window;
  return policy;
}

limit::SignInLimiter::Options SignInLimitsOf(const Config& config) {
  limit::SignInLimiter::Options options;
  options.pair = RuleOf(config.sign_in_limit_identifier_prefix);
  options.identifier = RuleOf(config.sign_in_limit_identifier);
  options.origin = RuleOf(config.sign_in_limit_prefix);
  return options;
}

limit::Rule SignUpLimitOf(const Config& config) {
  return RuleOf(config.sign_up_limit);
}

password::PasswordPolicy::Options PasswordPolicyOf(const Config& config) {
  // zxcvbn's scores are bands of expected guesses: 10^3, 10^6, 10^8, 10^10.
  constexpr std::array<double, 5> kBitsOfScore = {0, 9.97, 19.93, 26.58, 33.22};
  password::PasswordPolicy::Options options;
  options.min_bytes = static_cast<std::size_t>(config.password_min_length);
  options.min_guess_bits =
      kBitsOfScore.at(static_cast<std::size_t>(config.password_min_strength));
  return options;
}

password::HashParameters HashParametersOf(const Config& config) {
  return {static_cast<std::uint32_t>(config.hash_memory_kib),
          static_cast<std::uint32_t>(config.hash_iterations)};
}

password::HashWorkers::Options HashWorkersOf(const Config& config) {
  password::HashWorkers::Options options =
      password::HashWorkers::ForThisMachine();
  options.threads = static_cast<std::size_t>(config.hash_threads);
  options.queue_limit = static_cast<std::size_t>(config.hash_queue);
  return options;
}

int PasswordThreads(const Config& config) {
  return std::min(config.hash_threads + config.hash_queue,
                  kMostPasswordThreads);
}

std::size_t PasswordQueue(const Config& config) {
  return static_cast<std::size_t>(std::max(
      1, config.hash_threads + config.hash_queue - PasswordThreads(config)));
}

flow::SignUpPolicy SignUpPolicyOf(const Config& config) {
  return config.sign_up == ostiary::SignUp::kOpen
             ? flow::SignUpPolicy::kOpen
             : flow::SignUpPolicy::kOperatorOnly;
}

door::Admission::Options AdmissionOptionsOf(const Config& config) {
  door::Admission::Options options;
  options.issuer = config.issuer;
  options.default_audience = config.default_audience;
  options.services_prove_themselves =
      config.service_access == ServiceAccess::kAuthenticated;
  for (const std::string& text : config.trusted_proxies) {
    auto range = limit::AddressRange::Parse(text);
    if (range.ok()) options.trusted_proxies.push_back(*range);
  }
  return options;
}

http::Limits HttpLimits() {
  http::Limits limits;
  for (const door::MethodRow& row : door::PolicyTable()) {
    // Names and quotes come on top of what the binary form takes.
    limits.body = std::max(limits.body, row.max_request_bytes * 5 / 4);
  }
  return limits;
}

door::RevocationFeed::Options FeedOptionsOf(const Config& config) {
  door::RevocationFeed::Options options;
  options.most_watchers = static_cast<std::size_t>(config.max_watchers);
  return options;
}

rpc::ServerOptions GrpcOptionsOf(const Config& config) {
  rpc::ServerOptions options;
  options.listen = TextsOf(config.grpc_listen);
  options.client_certificates = config.tls_client_auth == ClientAuth::kRequire
                                    ? rpc::ClientCertificates::kRequired
                                    : rpc::ClientCertificates::kRequested;
  options.operator_socket = config.operator_socket;
  options.queues = config.grpc_queues;
  options.reflection =
      config.reflection ? rpc::Reflection::kOn : rpc::Reflection::kOff;
  options.max_calls_in_flight = config.max_in_flight;
  return options;
}

std::vector<std::string> TextsOf(const std::vector<ListenAddress>& addresses) {
  std::vector<std::string> texts;
  for (const ListenAddress& address : addresses)
    texts.push_back(address.ToString());
  return texts;
}

}  // namespace ostiary

#ifndef OSTIARY_CLIENT_CPP_INCLUDE_OSTIARY_OPTIONS_H_
#define OSTIARY_CLIENT_CPP_INCLUDE_OSTIARY_OPTIONS_H_

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "ostiary/time_source.h"

namespace ostiary {

// Whom a token must be meant for. Nothing empty means that anything goes: an
// empty name is met by no token.
class Audience {
 public:
  // One of the token's audiences must be exactly `name`.
  static Audience Exactly(absl::string_view name) {
    return Audience(std::string(name));
  }
  // The service has another way to know that the token is meant for it.
  static Audience Any() { return Audience(std::nullopt); }

  // None: any.
  const std::optional<std::string>& name() const { return name_; }

 private:
  explicit Audience(std::optional<std::string> name) : name_(std::move(name)) {}

  std::optional<std::string> name_;
};

// What to do with a token that is good as far as this verifier knows, when its
// knowledge is older than the bound.
enum class StalenessPolicy {
  // Call Ostiary's Verify; CHECK_UNAVAILABLE if it does not answer.
  kAskServer,
  // CHECK_UNAVAILABLE.
  kRefuse,
  // Accept it. A token revoked meanwhile passes until the feed is back.
  kAccept,
};

struct TlsFiles {
  // PEM texts, not paths. Empty roots: those of the system.
  std::string root_certificates;
  // Both or neither: what this service shows of itself.
  std::string certificate_chain;
  std::string private_key;
};

// How the server is known, and this service to it.
struct ServerCredentials {
  // None: plaintext. For loopback, a local socket or a network that encrypts
  // by itself: tokens and passwords travel here.
  std::optional<TlsFiles> tls;
  // Sent as "authorization: Bearer"; empty: none.
  std::string bearer_token;
};

// One line about something an operator should know. No secrets, no tokens.
using LogSink = std::function<void(absl::string_view line)>;

// Everything has the default of docs/verifiers.md but target and issuer.
struct VerifierOptions {
  // Where Ostiary's gRPC listens: "host:port", or "unix:PATH".
  std::string target;
  // Compared with `iss` byte by byte.
  std::string issuer;
  Audience audience = Audience::Exactly("api");
  // How far the clocks may be apart; 0 to 5 min.
  absl::Duration leeway = absl::Seconds(60);
  // What this service trusts, of "ES256", "RS256" and "EdDSA".
  std::vector<std::string> algorithms = {"ES256", "RS256", "EdDSA"};
  // How old the knowledge may be. Smaller: a cut feed is noticed earlier, and
  // the server is asked sooner. At least 1 s; the server says every second
  // that nothing happened.
  absl::Duration staleness_bound = absl::Seconds(10);
  StalenessPolicy policy = StalenessPolicy::kAskServer;
  // For one call of Verify.
  absl::Duration ask_timeout = absl::Seconds(1);
  // Tokens whose signature need not be checked again; 0: none. About 2 KB and
  // the token's text each.
  std::size_t cache_size = 10'000;
  // Keeps keys, position and entries over a restart; empty: nothing is kept.
  std::string state_file;
  ServerCredentials credentials;
  // After how long without a frame the stream is opened again. Zero: 5 s, or
  // half of the staleness bound if that is less, but at least 2 s.
  absl::Duration silence_limit = absl::ZeroDuration();
  // Empty: standard error.
  LogSink log;
  // Not owned; must outlive the verifier.
  const TimeSource* time = &TimeSource::OfMachine();
};

// What one token must be good for, beyond what the verifier always asks.
struct CheckOptions {
  // All of them.
  std::vector<std::string> scopes = {};
  std::vector<std::string> roles = {};
  // Each instead of the verifier's own.
  std::optional<Audience> audience = std::nullopt;
  std::optional<StalenessPolicy> policy = std::nullopt;
  // A ticket of Revoke: knowledge that has not reached it is like stale
  // knowledge, and kAccept does not help. Empty: none.
  std::string min_revision = {};
};

}  // namespace ostiary

#endif  // OSTIARY_CLIENT_CPP_INCLUDE_OSTIARY_OPTIONS_H_

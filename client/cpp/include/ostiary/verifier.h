#ifndef OSTIARY_CLIENT_CPP_INCLUDE_OSTIARY_VERIFIER_H_
#define OSTIARY_CLIENT_CPP_INCLUDE_OSTIARY_VERIFIER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "ostiary/claims.h"
#include "ostiary/options.h"
#include "ostiary/refusal.h"

namespace ostiary {

// The claims of a good token, or why it is refused.
class Verdict {
 public:
  Verdict(std::shared_ptr<const Claims> claims)  // NOLINT
      : outcome_(std::move(claims)) {}
  Verdict(Refusal refusal) : outcome_(refusal) {}  // NOLINT

  bool accepted() const { return outcome_.index() == 0; }
  // Requires accepted(); the process ends otherwise.
  const Claims& claims() const;
  // The same, to keep: shared with the verifier's cache.
  std::shared_ptr<const Claims> shared_claims() const;
  // Requires !accepted(); the process ends otherwise.
  Refusal refusal() const;

 private:
  std::variant<std::shared_ptr<const Claims>, Refusal> outcome_;
};

// How a wait for a revision ended.
enum class Arrival {
  kReached,
  kTimeout,
  // REVISION_LOST: the ticket is of a past epoch, and this verifier had not
  // reached it there. Ask the server.
  kLost,
};

struct VerifierStats {
  // Infinite before the first complete snapshot.
  absl::Duration staleness = absl::InfiniteDuration();
  std::size_t entries = 0;
  // The position; 0 and 0 before the first complete snapshot.
  std::uint32_t epoch = 0;
  std::int64_t sequence = 0;
  // Whether a stream is open and has said something.
  bool connected = false;
  // "ACCEPTED" or a RefusalName, and how often.
  std::map<std::string, std::uint64_t> checks;
  // "valid", "invalid", "failed" (sent, no verdict), "held_back" (not sent:
  // too many under way, or the breaker is open).
  std::map<std::string, std::uint64_t> asks;
  bool breaker_open = false;
  std::uint64_t reconnects = 0;
  std::uint64_t cache_hits = 0;
  std::uint64_t cache_misses = 0;
};

// Checks access tokens in this process, and refuses a revoked one a fraction
// of a second after the revocation. docs/verifiers.md says what exactly it
// does.
//
//   VerifierOptions options;
//   options.target = "127.0.0.1:7401";
//   options.issuer = "https://id.example.com";
//   auto verifier = Verifier::Create(options);
//   const Verdict verdict = (*verifier)->Verify(token, {.scopes = {"read"}});
//   if (!verdict.accepted()) return verdict.refusal();
//   Greet(verdict.claims().subject);
//
// One for a process is enough. A thread of its own follows the feed; `Verify`
// does no I/O unless that knowledge is stale and the policy is kAskServer.
// Thread-safe.
class Verifier {
 public:
  // Reads the state file and starts to follow the feed; does not wait for it.
  // INVALID_ARGUMENT names the option that is wrong.
  static absl::StatusOr<std::unique_ptr<Verifier>> Create(
      VerifierOptions options);

  // Closes. Nobody may be inside of any method.
  ~Verifier();
  Verifier(const Verifier&) = delete;
  Verifier& operator=(const Verifier&) = delete;

  // Judges a token: the compact JWS, without "Bearer ". With kAskServer this
  // may block for the ask time-out while the knowledge is stale.
  Verdict Verify(absl::string_view token, const CheckOptions& check = {}) const;

  // Blocks until this verifier knows every revocation up to a ticket that
  // Revoke answered with. A text that is no ticket, and a verifier that is
  // closed, are kTimeout.
  Arrival WaitFor(absl::string_view revision, absl::Duration timeout) const;
  // Blocks until the knowledge is complete and within its bound.
  bool WaitUntilReady(absl::Duration timeout) const;

  VerifierStats Stats() const;

  // Stops following the feed and writes the state file. Takes no longer than a
  // second and the time of writing; later calls do nothing. What is known
  // stays, and becomes stale.
  void Close();

 private:
  friend class TestIssuer;
  class Parts;
  explicit Verifier(std::unique_ptr<Parts> parts);

  const std::unique_ptr<Parts> parts_;
};

}  // namespace ostiary

#endif  // OSTIARY_CLIENT_CPP_INCLUDE_OSTIARY_VERIFIER_H_

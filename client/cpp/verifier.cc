#include "ostiary/verifier.h"

#include <algorithm>
#include <iostream>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "client/cpp/verifier_parts.h"

namespace ostiary {
namespace {

using client::Rules;

absl::StatusOr<std::vector<jwt::Algorithm>> AlgorithmsOf(
    const VerifierOptions& options) {
  std::vector<jwt::Algorithm> algorithms;
  for (const std::string& name : options.algorithms) {
    const auto algorithm = jwt::ParseAlgorithm(name);
    if (!algorithm) {
      return absl::InvalidArgumentError(
          absl::StrCat("algorithms: ", name, "; expected ES256, RS256, EdDSA"));
    }
    algorithms.push_back(*algorithm);
  }
  return algorithms;
}

// Revocations are forgotten after that.
constexpr absl::Duration kLongestToken = absl::Hours(24);

absl::StatusOr<jwt::Verifier> SignaturesOf(const VerifierOptions& options) {
  const auto algorithms = AlgorithmsOf(options);
  if (!algorithms.ok()) return algorithms.status();
  jwt::VerifierOptions signatures;
  signatures.issuer = options.issuer;
  signatures.algorithms = *algorithms;
  signatures.maximum_lifetime = kLongestToken;
  return jwt::Verifier::Create(std::move(signatures));
}

absl::Status CheckDurations(const VerifierOptions& options) {
  if (options.staleness_bound < absl::Seconds(1) ||
      options.staleness_bound == absl::InfiniteDuration()) {
    return absl::InvalidArgumentError(
        "staleness_bound: expected 1 s or more, and an end");
  }
  if (options.ask_timeout <= absl::ZeroDuration() ||
      options.ask_timeout > absl::Minutes(1)) {
    return absl::InvalidArgumentError("ask_timeout: expected up to 1 min");
  }
  if (options.silence_limit < absl::ZeroDuration()) {
    return absl::InvalidArgumentError("silence_limit: expected 0 or more");
  }
  if (options.time == nullptr) return absl::InvalidArgumentError("time: null");
  return absl::OkStatus();
}

absl::Duration SilenceLimitOf(const VerifierOptions& options) {
  if (options.silence_limit > absl::ZeroDuration()) {
    return options.silence_limit;
  }
  return std::clamp(options.staleness_bound / 2, absl::Seconds(2),
                    absl::Seconds(5));
}

void LogToStandardError(absl::string_view line) {
  std::cerr << absl::StrCat("ostiary: ", line, "\n");
}

}  // namespace

const Claims& Verdict::claims() const { return *std::get<0>(outcome_); }
std::shared_ptr<const Claims> Verdict::shared_claims() const {
  return std::get<0>(outcome_);
}
Refusal Verdict::refusal() const { return std::get<1>(outcome_); }

absl::StatusOr<std::unique_ptr<Verifier::Parts>> Verifier::Parts::Make(
    VerifierOptions options) {
  if (const auto status = CheckDurations(options); !status.ok()) return status;
  const auto leeway = jwt::Leeway::Of(options.leeway);
  if (!leeway.ok()) return leeway.status();
  auto signatures = SignaturesOf(options);
  if (!signatures.ok()) return signatures.status();
  if (!options.log) options.log = LogToStandardError;
  Rules rules{options.audience, *leeway, options.staleness_bound,
              options.policy};
  return std::unique_ptr<Parts>(
      new Parts(std::move(options), std::move(rules), *std::move(signatures)));
}

Verifier::Parts::Parts(VerifierOptions options, Rules rules,
                       jwt::Verifier signatures)
    : options_(std::move(options)),
      rules_(std::move(rules)),
      signatures_(std::move(signatures)) {}

void Verifier::Parts::StandAlone(std::shared_ptr<client::Knowledge> knowledge) {
  knowledge_ = std::move(knowledge);
  MakeJudge();
}

absl::Status Verifier::Parts::Connect() {
  auto link = client::Link::Open(options_.target, options_.credentials);
  if (!link.ok()) return link.status();
  link_ = *std::move(link);
  knowledge_ = std::make_shared<client::Knowledge>();
  ReadStateFile();
  asker_ = std::make_unique<client::Asker>(*link_, *options_.time,
                                           options_.ask_timeout);
  MakeJudge();
  last_forgotten_ = last_written_ = options_.time->Uptime();
  feed_ = std::make_unique<client::Feed>(*link_, *knowledge_, *options_.time,
                                         SilenceLimitOf(options_), options_.log,
                                         [this] { KeepHouse(); });
  return absl::OkStatus();
}

void Verifier::Parts::MakeJudge() {
  judge_ = std::make_unique<client::Judge>(rules_, signatures_, *knowledge_,
                                           options_.cache_size, *options_.time,
                                           asker_.get());
}

void Verifier::Parts::ReadStateFile() {
  if (options_.state_file.empty()) return;
  const absl::Status status = client::ReadState(
      options_.state_file, options_.issuer, options_.time->Now(),
      options_.time->Uptime(), *knowledge_);
  if (status.ok() || absl::IsNotFound(status)) return;
  options_.log(absl::StrCat("state file ignored: ", status.message()));
}

void Verifier::Parts::WriteStateFile() {
  if (options_.state_file.empty()) return;
  const absl::Status status =
      client::WriteState(options_.state_file, options_.issuer, *knowledge_);
  if (status.ok()) return;
  options_.log(absl::StrCat("state file not written: ", status.message()));
}

void Verifier::Parts::KeepHouse() {
  const absl::Duration uptime = options_.time->Uptime();
  if (uptime - last_forgotten_ >= absl::Minutes(1)) {
    last_forgotten_ = uptime;
    knowledge_->revoked().Forget(options_.time->Now(), knowledge_->as_of());
  }
  if (uptime - last_written_ >= absl::Seconds(30)) {
    last_written_ = uptime;
    WriteStateFile();
  }
}

void Verifier::Parts::Close() {
  if (closed_.exchange(true)) return;
  knowledge_->StopWaiting();
  if (feed_ == nullptr) return;
  feed_->Close();
  WriteStateFile();
}

VerifierStats Verifier::Parts::Stats() const {
  VerifierStats stats;
  stats.staleness =
      knowledge_->Staleness(options_.time->Now(), options_.time->Uptime());
  stats.entries = knowledge_->revoked().size();
  if (const auto position = knowledge_->position()) {
    stats.epoch = position->revision.epoch;
    stats.sequence = position->revision.sequence;
  }
  stats.checks = judge_->counts();
  stats.cache_hits = judge_->cache_hits();
  stats.cache_misses = judge_->cache_misses();
  if (asker_ != nullptr) {
    stats.asks = asker_->counts();
    stats.breaker_open = asker_->breaker_open();
  }
  if (feed_ != nullptr) {
    stats.connected = feed_->connected();
    stats.reconnects = feed_->reconnects();
  }
  return stats;
}

absl::StatusOr<std::unique_ptr<Verifier>> Verifier::Create(
    VerifierOptions options) {
  auto parts = Parts::Make(std::move(options));
  if (!parts.ok()) return parts.status();
  if (const auto status = (*parts)->Connect(); !status.ok()) return status;
  return std::unique_ptr<Verifier>(new Verifier(*std::move(parts)));
}

Verifier::Verifier(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Verifier::~Verifier() { Close(); }

Verdict Verifier::Verify(absl::string_view token,
                         const CheckOptions& check) const {
  return parts_->judge().Verify(token, check);
}

Arrival Verifier::WaitFor(absl::string_view revision,
                          absl::Duration timeout) const {
  const auto ticket = revocation::ParseRevision(revision);
  if (!ticket) return Arrival::kTimeout;
  return parts_->knowledge().WaitFor(*ticket, timeout);
}

bool Verifier::WaitUntilReady(absl::Duration timeout) const {
  return parts_->knowledge().WaitUntil(
      [this] { return parts_->judge().IsFresh(); }, timeout);
}

VerifierStats Verifier::Stats() const { return parts_->Stats(); }
void Verifier::Close() { parts_->Close(); }

}  // namespace ostiary

#include "client/cpp/driver/driver.h"

#include <boost/json/array.hpp>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace ostiary::driver {
namespace {

using Object = boost::json::object;

std::string Text(const Object& command, const char* member) {
  const auto* value = command.if_contains(member);
  return value == nullptr ? "" : std::string(value->as_string());
}

absl::Duration Millis(const Object& command, const char* member,
                      absl::Duration otherwise) {
  const auto* value = command.if_contains(member);
  if (value == nullptr) return otherwise;
  return absl::Milliseconds(value->to_number<std::int64_t>());
}

std::vector<std::string> Texts(const Object& command, const char* member) {
  std::vector<std::string> texts;
  const auto* value = command.if_contains(member);
  if (value == nullptr) return texts;
  for (const auto& text : value->as_array()) {
    texts.emplace_back(text.as_string());
  }
  return texts;
}

StalenessPolicy PolicyOf(const std::string& name) {
  if (name == "ask-server") return StalenessPolicy::kAskServer;
  if (name == "refuse") return StalenessPolicy::kRefuse;
  if (name == "accept") return StalenessPolicy::kAccept;
  throw std::invalid_argument("policy: " + name);
}

VerifierOptions OptionsOf(const Object& command) {
  VerifierOptions options;
  options.target = Text(command, "target");
  options.issuer = Text(command, "issuer");
  if (command.contains("audience")) {
    options.audience = Audience::Exactly(Text(command, "audience"));
  }
  if (command.contains("policy")) {
    options.policy = PolicyOf(Text(command, "policy"));
  }
  options.staleness_bound =
      Millis(command, "staleness_ms", options.staleness_bound);
  options.leeway = Millis(command, "leeway_ms", options.leeway);
  options.ask_timeout = Millis(command, "ask_timeout_ms", options.ask_timeout);
  options.state_file = Text(command, "state_file");
  options.silence_limit = Millis(command, "silence_ms", options.silence_limit);
  return options;
}

CheckOptions CheckOf(const Object& command) {
  CheckOptions check;
  check.scopes = Texts(command, "scopes");
  check.roles = Texts(command, "roles");
  check.min_revision = Text(command, "min_revision");
  if (const std::string policy = Text(command, "policy"); !policy.empty()) {
    check.policy = PolicyOf(policy);
  }
  const auto* any = command.if_contains("any_audience");
  if (any != nullptr && any->as_bool()) check.audience = Audience::Any();
  return check;
}

std::string ReasonOf(const Verdict& verdict) {
  return std::string(verdict.accepted() ? "" : RefusalName(verdict.refusal()));
}

boost::json::array ArrayOf(const std::vector<std::string>& texts) {
  boost::json::array array;
  for (const std::string& text : texts) array.emplace_back(text);
  return array;
}

}  // namespace

Object Driver::Answer(const Object& command) {
  try {
    const std::string op = Text(command, "op");
    if (op == "open") return Open(command);
    if (verifier_ == nullptr) return {{"error", "not open"}};
    if (op == "verify") return Verify(command);
    if (op == "wait_for") return WaitFor(command);
    if (op == "wait_ready") return WaitReady(command);
    if (op == "spin") return Spin(command);
    if (op == "status") return Status();
    if (op == "close") {
      verifier_.reset();
      return {{"ok", true}};
    }
    return {{"error", "unknown op: " + op}};
  } catch (const std::exception& wrong) {  // the JSON library's, and PolicyOf
    return {{"error", wrong.what()}};
  }
}

Object Driver::Open(const Object& command) {
  verifier_.reset();
  auto verifier = Verifier::Create(OptionsOf(command));
  if (!verifier.ok()) {
    return {{"error", std::string(verifier.status().message())}};
  }
  verifier_ = *std::move(verifier);
  return {{"ok", true}};
}

Object Driver::Verify(const Object& command) const {
  const Verdict verdict =
      verifier_->Verify(Text(command, "token"), CheckOf(command));
  if (!verdict.accepted()) {
    return {{"valid", false}, {"reason", ReasonOf(verdict)}};
  }
  const Claims& claims = verdict.claims();
  return {{"valid", true},
          {"subject", claims.subject},
          {"session_id", claims.session_id},
          {"scopes", ArrayOf(claims.scopes)},
          {"roles", ArrayOf(claims.roles)}};
}

Object Driver::WaitFor(const Object& command) const {
  switch (verifier_->WaitFor(Text(command, "revision"),
                             Millis(command, "timeout_ms", absl::Seconds(5)))) {
    case Arrival::kReached:
      return {{"reached", true}};
    case Arrival::kLost:
      return {{"reached", false}, {"reason", "REVISION_LOST"}};
    case Arrival::kTimeout:
      break;
  }
  return {{"reached", false}, {"reason", "TIMEOUT"}};
}

Object Driver::WaitReady(const Object& command) const {
  return {{"ready", verifier_->WaitUntilReady(
                        Millis(command, "timeout_ms", absl::Seconds(5)))}};
}

Object Driver::Spin(const Object& command) const {
  const std::string token = Text(command, "token");
  const std::string until = Text(command, "until_reason");
  const CheckOptions check = CheckOf(command);
  const absl::Time deadline =
      absl::Now() + Millis(command, "timeout_ms", absl::Seconds(5));
  std::int64_t checks = 0;
  while (true) {
    const Verdict verdict = verifier_->Verify(token, check);
    const absl::Time now = absl::Now();
    ++checks;
    const bool seen = ReasonOf(verdict) == until;
    if (!seen && now < deadline) continue;
    return {{"seen", seen},
            {"at_unix_us", absl::ToUnixMicros(now)},
            {"checks", checks}};
  }
}

Object Driver::Status() const {
  const VerifierStats stats = verifier_->Stats();
  const auto asks = [&stats](const char* outcome) {
    const auto found = stats.asks.find(outcome);
    return found == stats.asks.end() ? 0 : found->second;
  };
  const bool finite = stats.staleness != absl::InfiniteDuration();
  return {{"staleness_ms",
           finite ? absl::ToInt64Milliseconds(stats.staleness) : -1},
          {"entries", stats.entries},
          {"epoch", stats.epoch},
          {"sequence", stats.sequence},
          {"connected", stats.connected},
          {"asks", asks("valid") + asks("invalid") + asks("failed")},
          {"reconnects", stats.reconnects},
          {"breaker_open", stats.breaker_open}};
}

}  // namespace ostiary::driver

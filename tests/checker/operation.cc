#include "tests/checker/operation.h"

#include <array>
#include <boost/json.hpp>
#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"

namespace ostiary::checker {
namespace {

namespace json = boost::json;

constexpr std::array<std::pair<Kind, const char*>, 19> kKinds = {{
    {Kind::kSignUp, "sign_up"},
    {Kind::kSignIn, "sign_in"},
    {Kind::kRefresh, "refresh"},
    {Kind::kVerify, "verify"},
    {Kind::kSignOut, "sign_out"},
    {Kind::kRevokeToken, "revoke_token"},
    {Kind::kRevokeSession, "revoke_session"},
    {Kind::kRevokeAll, "revoke_all"},
    {Kind::kChangePassword, "change_password"},
    {Kind::kSetPassword, "set_password"},
    {Kind::kDisable, "disable"},
    {Kind::kEnable, "enable"},
    {Kind::kDelete, "delete"},
    {Kind::kRestart, "restart"},
    {Kind::kLedgerRow, "ledger_row"},
    {Kind::kLedgerHead, "ledger_head"},
    {Kind::kAuditRow, "audit_row"},
    {Kind::kKeyPublished, "key_published"},
    {Kind::kKeyRevoked, "key_revoked"},
}};

constexpr std::array<std::pair<Outcome, const char*>, 3> kOutcomes = {{
    {Outcome::kOk, "ok"},
    {Outcome::kRefused, "refused"},
    {Outcome::kUnknown, "unknown"},
}};

// Calls text(name, field) and number(name, field) for what is optional in a
// line. `op` is an Operation, const or not.
template <typename Op, typename Text, typename Number>
void EachOptionalField(Op& op, const Text& text, const Number& number) {
  text("reason", op.reason);
  text("account", op.account);
  text("session", op.session);
  text("token_id", op.token_id);
  text("key", op.key);
  text("presented", op.presented);
  text("refresh", op.refresh);
  text("request_id", op.request_id);
  text("password", op.password);
  text("new_password", op.new_password);
  text("entry", op.entry);
  text("action", op.action);
  number("id", op.id);
  number("start_time", op.start_time);
  number("end_time", op.end_time);
  number("token_generation", op.token_generation);
  number("issue_time", op.issue_time);
  number("epoch", op.epoch);
  number("sequence", op.sequence);
}

absl::Status Wrong(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("a line of a history ", what));
}

}  // namespace

absl::string_view KindName(Kind kind) {
  for (const auto& [value, name] : kKinds) {
    if (value == kind) return name;
  }
  return "?";
}

std::optional<Kind> ParseKind(absl::string_view name) {
  for (const auto& [value, known] : kKinds) {
    if (name == known) return value;
  }
  return std::nullopt;
}

absl::string_view OutcomeName(Outcome outcome) {
  for (const auto& [value, name] : kOutcomes) {
    if (value == outcome) return name;
  }
  return "?";
}

std::optional<Outcome> ParseOutcome(absl::string_view name) {
  for (const auto& [value, known] : kOutcomes) {
    if (name == known) return value;
  }
  return std::nullopt;
}

std::string ToJsonLine(const Operation& operation) {
  json::object line;
  line["process"] = operation.process;
  line["kind"] = std::string(KindName(operation.kind));
  line["outcome"] = std::string(OutcomeName(operation.outcome));
  line["start"] = operation.start;
  if (operation.end != kNever) line["end"] = operation.end;
  EachOptionalField(
      operation,
      [&](const char* name, const std::string& value) {
        if (!value.empty()) line[name] = value;
      },
      [&](const char* name, auto value) {
        if (value != 0) line[name] = value;
      });
  return json::serialize(line);
}

absl::StatusOr<Operation> FromJsonLine(absl::string_view line) {
  boost::system::error_code error;
  const json::value parsed =
      json::parse(json::string_view(line.data(), line.size()), error);
  if (error || !parsed.is_object()) return Wrong("is not a JSON object");
  json::object object = parsed.as_object();
  // Takes the field out, so that what is left over at the end is unknown.
  const auto take = [&](const char* name) -> std::optional<json::value> {
    const auto it = object.find(name);
    if (it == object.end()) return std::nullopt;
    json::value value = it->value();
    object.erase(it);
    if (value.is_null()) return std::nullopt;
    return value;
  };
  absl::Status status = absl::OkStatus();
  const auto text = [&](const char* name, std::string& field) {
    const auto value = take(name);
    if (!value.has_value()) return;
    if (!value->is_string()) {
      status = Wrong(absl::StrCat("has a ", name, " that is not a string"));
      return;
    }
    field = std::string(value->as_string().data(), value->as_string().size());
  };
  const auto number = [&](const char* name, auto& field) {
    const auto value = take(name);
    if (!value.has_value()) return;
    boost::system::error_code not_a_number;
    const auto read =
        value->to_number<std::remove_reference_t<decltype(field)>>(
            not_a_number);
    if (not_a_number) {
      status = Wrong(absl::StrCat("has a ", name, " that is no such number"));
      return;
    }
    field = read;
  };

  Operation operation;
  std::string kind, outcome;
  operation.start = kNever;
  text("process", operation.process);
  text("kind", kind);
  text("outcome", outcome);
  number("start", operation.start);
  number("end", operation.end);
  EachOptionalField(operation, text, number);
  if (!status.ok()) return status;
  const auto known_kind = ParseKind(kind);
  if (!known_kind.has_value()) {
    return Wrong(absl::StrCat("has an unknown kind: '", kind, "'"));
  }
  const auto known_outcome = ParseOutcome(outcome);
  if (!known_outcome.has_value()) {
    return Wrong(absl::StrCat("has an unknown outcome: '", outcome, "'"));
  }
  operation.kind = *known_kind;
  operation.outcome = *known_outcome;
  if (operation.start == kNever) return Wrong("has no start");
  if (operation.end < operation.start) return Wrong("ends before it starts");
  if (operation.end == kNever && !operation.unknown()) {
    return Wrong("has an answer and no end");
  }
  if (!object.empty()) {
    return Wrong(absl::StrCat("has an unknown field: '",
                              std::string(object.begin()->key()), "'"));
  }
  return operation;
}

}  // namespace ostiary::checker

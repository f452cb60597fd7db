#include "tests/flows/recorder.h"

#include <unistd.h>

#include <algorithm>
#include <barrier>
#include <set>
#include <sstream>
#include <utility>

#include "client/revocation/revision.h"
#include "server/base/reason.h"
#include "tests/support/status_matchers.h"

namespace ostiary::testing {

using checker::Kind;
using checker::Operation;
using checker::Outcome;

namespace {

constexpr std::size_t kShown = 5;

std::string EntryName(storage::LedgerKind kind) {
  switch (kind) {
    case storage::LedgerKind::kToken:
      return "token";
    case storage::LedgerKind::kSession:
      return "session";
    case storage::LedgerKind::kAccount:
      return "account";
    case storage::LedgerKind::kClient:
      return "client";
    case storage::LedgerKind::kKey:
      return "key";
    case storage::LedgerKind::kAll:
      return "all";
  }
  return "?";
}

// The token that a row of the audit log names in its details.
std::string TokenIn(const std::string& detail) {
  const std::string name = "\"token_id\":\"";
  const std::size_t at = detail.find(name);
  if (at == std::string::npos) return "";
  const std::size_t from = at + name.size();
  return detail.substr(from, detail.find('"', from) - from);
}

std::vector<checker::Violation> Judged(const checker::History& history,
                                       const checker::Rules& rules) {
  const std::vector<Operation> operations = history.operations();
  std::vector<checker::Violation> found = checker::Judge(operations, rules);
  for (checker::Violation& violation :
       checker::CheckLinearizable(operations, rules)) {
    found.push_back(std::move(violation));
  }
  return found;
}

}  // namespace

HouseOptions Patient() {
  HouseOptions options;
  options.sign_in_limits.pair = {10'000, absl::Minutes(15)};
  options.sign_in_limits.identifier = {10'000, absl::Hours(1)};
  options.sign_in_limits.origin = {100'000, absl::Minutes(15)};
  return options;
}

void AllAtOnce(int threads, const std::function<void(int)>& body) {
  std::barrier start(threads);
  std::vector<std::thread> running;
  for (int i = 0; i < threads; ++i) {
    running.emplace_back([&, i] {
      start.arrive_and_wait();
      body(i);
    });
  }
  for (std::thread& thread : running) thread.join();
}

Operation Recorder::About(Kind kind, const Person& person) const {
  Operation op;
  op.kind = kind;
  op.account = person.id.ToString();
  return op;
}

void Recorder::Name(Operation& op, const flow::IssuedTokens& tokens) const {
  op.session = tokens.session_id.ToString();
  const auto token = house_->verify.Authenticate(tokens.access_token);
  ASSERT_NE(token, nullptr) << "a token of the house is not authentic";
  op.token_id = token->claims().token_id;
  op.key = token->kid();
  op.token_generation = token->claims().generation.value_or(0);
  op.issue_time = absl::ToUnixMicros(token->claims().issue_time);
}

std::int64_t Recorder::Time() const {
  return absl::ToUnixMicros(house_->clock.Now());
}

std::size_t Recorder::Begin(Operation& op) {
  op.start_time = Time();
  return history_.Begin(op);
}

void Recorder::End(std::size_t begun, Operation op,
                   const absl::Status& status) {
  op.end_time = Time();
  if (status.ok()) {
    op.outcome = Outcome::kOk;
  } else if (HasReason(status)) {
    op.outcome = Outcome::kRefused;
    const absl::string_view reason = ReasonName(ReasonOf(status));
    op.reason = std::string(reason.data(), reason.size());
  } else {
    ADD_FAILURE() << "not an answer: " << status;
    op.outcome = Outcome::kUnknown;
  }
  history_.End(begun, std::move(op));
}

Recorder::Answer Recorder::EndWithTokens(
    std::size_t begun, Operation op,
    absl::StatusOr<flow::IssuedTokens> answer) {
  if (answer.ok()) {
    Name(op, *answer);
    op.refresh = checker::Fingerprint(answer->refresh_token);
  }
  End(begun, std::move(op), answer.status());
  if (!answer.ok()) return std::nullopt;
  return *std::move(answer);
}

bool Recorder::EndWithTicket(std::size_t begun, Operation op,
                             const absl::StatusOr<std::string>& ticket) {
  if (ticket.ok() && !ticket->empty()) {
    const auto revision = revocation::ParseRevision(*ticket);
    EXPECT_TRUE(revision.has_value()) << *ticket;
    if (revision.has_value()) {
      op.epoch = revision->epoch;
      op.sequence = revision->sequence;
    }
  }
  End(begun, std::move(op), ticket.status());
  return ticket.ok();
}

Person Recorder::SignUp(const std::string& username,
                        const std::string& password) {
  Operation op;
  op.kind = Kind::kSignUp;
  op.password = checker::Fingerprint(password);
  const std::size_t begun = Begin(op);
  const Person person{username, house_.SignUp(username, password)};
  op.account = person.id.ToString();
  End(begun, op, absl::OkStatus());
  return person;
}

Recorder::Answer Recorder::SignIn(const Person& person,
                                  const std::string& password) {
  Operation op = About(Kind::kSignIn, person);
  op.password = checker::Fingerprint(password);
  const std::size_t begun = Begin(op);
  return EndWithTokens(begun, op, house_.TrySignIn(person.username, password));
}

absl::StatusOr<flow::IssuedTokens> Recorder::AskRefresh(
    const std::string& token, const std::string& request_id) {
  return house_.TryRefresh(token, "", request_id);
}

std::string Recorder::AskVerdict(const std::string& access_token) {
  return house_.Verdict(access_token);
}

absl::StatusOr<std::string> Recorder::AskRevokeSession(
    const std::string& session_id) {
  return house_->manage_sessions.Revoke(House::Operator(), session_id, "");
}

Recorder::Answer Recorder::Refresh(const Person& person,
                                   const flow::IssuedTokens& tokens,
                                   const std::string& request_id) {
  Operation op = About(Kind::kRefresh, person);
  op.session = tokens.session_id.ToString();
  op.presented = checker::Fingerprint(tokens.refresh_token);
  op.request_id = request_id;
  const std::size_t begun = Begin(op);
  return EndWithTokens(begun, op, AskRefresh(tokens.refresh_token, request_id));
}

bool Recorder::Verify(const Person& person, const flow::IssuedTokens& tokens) {
  Operation op = About(Kind::kVerify, person);
  Name(op, tokens);
  const std::size_t begun = Begin(op);
  op.reason = AskVerdict(tokens.access_token);
  op.end_time = Time();
  op.outcome = op.reason.empty() ? Outcome::kOk : Outcome::kRefused;
  history_.End(begun, op);
  return op.ok();
}

bool Recorder::SignOut(const Person& person, const flow::IssuedTokens& tokens) {
  Operation op = About(Kind::kSignOut, person);
  op.session = tokens.session_id.ToString();
  op.presented = checker::Fingerprint(tokens.refresh_token);
  const std::size_t begun = Begin(op);
  return EndWithTicket(
      begun, op, house_->sign_out.Run(House::Anyone(), tokens.refresh_token));
}

bool Recorder::RevokeToken(const Person& person,
                           const flow::IssuedTokens& tokens) {
  Operation op = About(Kind::kRevokeToken, person);
  Name(op, tokens);
  const std::size_t begun = Begin(op);
  return EndWithTicket(
      begun, op,
      house_->revoke.Token(House::Anyone(), tokens.access_token, ""));
}

bool Recorder::RevokeSession(const Person& person,
                             const flow::IssuedTokens& tokens) {
  Operation op = About(Kind::kRevokeSession, person);
  op.session = tokens.session_id.ToString();
  const std::size_t begun = Begin(op);
  return EndWithTicket(begun, op, AskRevokeSession(op.session));
}

bool Recorder::RevokeAll(const Person& person) {
  Operation op = About(Kind::kRevokeAll, person);
  const std::size_t begun = Begin(op);
  return EndWithTicket(
      begun, op,
      house_->manage_sessions.RevokeAll(House::Operator(), op.account, ""));
}

namespace {

absl::StatusOr<std::string> TicketOf(
    const absl::StatusOr<flow::ChangedAccount>& changed) {
  if (!changed.ok()) return changed.status();
  return changed->revision;
}

}  // namespace

bool Recorder::Disable(const Person& person) {
  Operation op = About(Kind::kDisable, person);
  const std::size_t begun = Begin(op);
  return EndWithTicket(
      begun, op,
      TicketOf(house_->accounts.Disable(House::Operator(), op.account, "")));
}

bool Recorder::Enable(const Person& person) {
  Operation op = About(Kind::kEnable, person);
  const std::size_t begun = Begin(op);
  return EndWithTicket(
      begun, op,
      TicketOf(house_->accounts.Enable(House::Operator(), op.account)));
}

bool Recorder::SetPassword(const Person& person, const std::string& wanted) {
  Operation op = About(Kind::kSetPassword, person);
  op.new_password = checker::Fingerprint(wanted);
  const std::size_t begun = Begin(op);
  const flow::Credential credential = SecretBytes(wanted);
  return EndWithTicket(begun, op,
                       TicketOf(house_->accounts.SetPassword(
                           House::Operator(), op.account, credential)));
}

bool Recorder::ChangePassword(const Person& person,
                              const flow::IssuedTokens& as,
                              const std::string& current,
                              const std::string& wanted) {
  Operation op = About(Kind::kChangePassword, person);
  op.session = as.session_id.ToString();
  op.password = checker::Fingerprint(current);
  op.new_password = checker::Fingerprint(wanted);
  const std::size_t begun = Begin(op);
  return EndWithTicket(begun, op, house_.ChangePassword(as, current, wanted));
}

std::size_t Recorder::BeginRestart() {
  Operation op;
  op.kind = Kind::kRestart;
  return Begin(op);
}

void Recorder::EndRestart(std::size_t begun) {
  End(begun, history_.At(begun), absl::OkStatus());
}

void Recorder::Restart(absl::Duration down) {
  const std::size_t begun = BeginRestart();
  house_.Restart(down);
  EndRestart(begun);
}

void Recorder::ReadRecords() {
  for (const storage::LedgerRow& row : house_.Ledger()) {
    Operation op;
    op.process = "ledger";
    op.kind = Kind::kLedgerRow;
    op.epoch = house_.Head().epoch;
    op.sequence = row.sequence;
    op.entry = EntryName(row.kind);
    op.key = row.key;
    history_.Observe(std::move(op));
  }
  const storage::LedgerHead head = house_.Head();
  Operation op;
  op.process = "head";
  op.kind = Kind::kLedgerHead;
  op.epoch = head.epoch;
  op.sequence = head.sequence;
  history_.Observe(std::move(op));
  for (const storage::AuditRow& row : house_.Audit()) {
    if (row.outcome != "ok") continue;
    Operation audited;
    audited.kind = Kind::kAuditRow;
    audited.action = row.action;
    audited.account = row.account_id;
    audited.session = row.session_id;
    audited.token_id = TokenIn(row.detail);
    history_.Observe(std::move(audited));
  }
}

void ExpectHonest(const checker::History& history,
                  const checker::Rules& rules) {
  const std::vector<checker::Violation> found = Judged(history, rules);
  if (found.empty()) return;
  std::ostringstream told;
  for (std::size_t i = 0; i < std::min(found.size(), kShown); ++i)
    told << found[i] << "\n";
  const std::string path =
      ::testing::TempDir() + "history-" + std::to_string(getpid()) + ".jsonl";
  EXPECT_OK(history.WriteTo(path));
  ADD_FAILURE() << found.size() << " broken promises; the history is in "
                << path << "\n"
                << told.str();
}

std::vector<std::string> BrokenBy(const checker::History& history,
                                  const checker::Rules& rules) {
  std::set<std::string> names;
  for (const checker::Violation& violation : Judged(history, rules))
    names.insert(violation.name);
  return {names.begin(), names.end()};
}

}  // namespace ostiary::testing

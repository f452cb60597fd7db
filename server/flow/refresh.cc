#include "server/flow/refresh.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/reason.h"
#include "server/client_app/scope.h"
#include "server/flow/account_change.h"

namespace ostiary::flow {
namespace {

using session::Rotation;

constexpr std::size_t kMinRequestIdBytes = 16;
constexpr std::size_t kMaxRequestIdBytes = 128;

absl::Status CheckRequestId(const std::string& request_id) {
  if (request_id.empty()) return absl::OkStatus();
  const bool printable =
      std::all_of(request_id.begin(), request_id.end(),
                  [](char c) { return c > 0x20 && c < 0x7f; });
  if (!printable || request_id.size() < kMinRequestIdBytes ||
      request_id.size() > kMaxRequestIdBytes) {
    return RefuseField(
        "request_id",
        "must be 16 to 128 printable ASCII characters, at random");
  }
  return absl::OkStatus();
}

// The scope of the new access token: as granted, or narrower on request.
absl::StatusOr<std::string> ChooseScope(const std::string& asked,
                                        const std::string& granted) {
  if (asked.empty()) return granted;
  const auto wanted = client_app::ParseScope(asked);
  const auto had = client_app::ParseScope(granted);
  if (!wanted.has_value() || !had.has_value() ||
      !client_app::IsWithin(*wanted, *had)) {
    return Refuse(Reason::kScopeNotAllowed);
  }
  return client_app::FormatScope(*wanted);
}

absl::Status StatusOf(Rotation rotation) {
  if (session::Succeeds(rotation)) return absl::OkStatus();
  return Refuse(rotation == Rotation::kInProgress ? Reason::kRefreshInProgress
                                                  : Reason::kRefreshRejected);
}

// Empty: no event. An ordinary rotation happens every few minutes for
// everybody, and the row of the session says when.
absl::string_view AuditOutcome(const session::Rotated& rotated) {
  if (rotated.suspicious) return "retried_suspiciously";
  const bool ordinary = rotated.rotation == Rotation::kRotated ||
                        rotated.rotation == Rotation::kRetried;
  if (!ordinary) return session::RotationName(rotated.rotation);
  return rotated.networks_alternate ? "networks_alternate" : "";
}

}  // namespace

absl::StatusOr<IssuedTokens> Refresh::Run(const Caller& caller,
                                          const Request& request) const {
  if (auto status = CheckRequestId(request.request_id); !status.ok())
    return status;
  const auto presented =
      session::PresentedRefreshToken::Parse(request.refresh_token);
  if (!presented.has_value()) return Refuse(Reason::kRefreshRejected);
  absl::StatusOr<storage::SessionRow> session = FindSession(*presented);
  if (!session.ok()) return session.status();
  absl::StatusOr<std::string> scope =
      ChooseScope(request.scope, session->scope);
  if (!scope.ok()) return scope.status();
  if (auto status = issuer_.CheckIssuing(session->client_id); !status.ok())
    return status;

  const std::string network =
      caller.origin.has_value() ? caller.origin->ToString() : "";
  const session::Sessions::Request rotation{*presented, request.request_id,
                                            "",         *std::move(scope),
                                            network,    &*session};
  absl::StatusOr<Outcome> outcome = storage::WriteValue<Outcome>(
      store_,
      [&](storage::WriteTx& tx) { return Rotate(tx, caller, rotation); });
  if (!outcome.ok()) return outcome.status();
  if (outcome->rotation == Rotation::kRegressed) {
    logger_.Error("STATE_REGRESSION: a refresh token is newer than the store",
                  {{"session_id", presented->session_id.ToString()}});
  }
  if (auto status = StatusOf(outcome->rotation); !status.ok()) return status;
  return issuer_.Issue(outcome->issuance);
}

absl::StatusOr<storage::SessionRow> Refresh::FindSession(
    const session::PresentedRefreshToken& presented) const {
  std::optional<storage::SessionRow> found;
  const auto look = [&](storage::ReadTx& tx) -> absl::Status {
    auto row = sessions_.FindAuthentic(tx.sessions(), presented);
    if (!row.ok()) return row.status();
    found = *std::move(row);
    return absl::OkStatus();
  };
  // What is read here never changes in a session; what does is read again in
  // the transaction that rotates.
  absl::Status status = store_.ReadRecent(look);
  if (status.ok() && !found.has_value()) status = store_.Read(look);
  if (!status.ok()) return status;
  if (!found.has_value()) return Refuse(Reason::kRefreshRejected);
  return *std::move(found);
}

absl::StatusOr<Refresh::Outcome> Refresh::Rotate(
    storage::WriteTx& tx, const Caller& caller,
    const session::Sessions::Request& request) const {
  const absl::Time now = clock_.Now();
  Outcome outcome;
  absl::StatusOr<session::Rotated> rotated = sessions_.Rotate(tx, request, now);
  if (!rotated.ok()) return rotated.status();
  outcome.rotation = rotated->rotation;
  if (outcome.rotation == Rotation::kReused) {
    auto appended = AppendSessionEnd(tx, request.token.session_id, now,
                                     access_ceiling_, "refresh token reused");
    if (!appended.ok()) return appended.status();
  }
  if (auto audited = Audit(tx, caller, *rotated, request.token.generation, now);
      !audited.ok()) {
    return audited;
  }
  if (!session::Succeeds(outcome.rotation)) return outcome;
  if (!rotated->account.has_value())
    return absl::InternalError("a live session has no account");
  storage::SessionRow& row = rotated->row;
  auto slot = rotated->repeats_token ? slots_.ForRepeatedToken(tx, row, now)
                                     : slots_.ForNewToken(tx, row, now);
  if (!slot.ok()) return slot.status();
  auto issuance = ReadIssuance(tx, *rotated->account, std::move(row), *slot);
  if (!issuance.ok()) return issuance.status();
  outcome.issuance = *std::move(issuance);
  return outcome;
}

absl::Status Refresh::Audit(storage::WriteTx& tx, const Caller& caller,
                            const session::Rotated& rotated,
                            std::uint32_t presented_generation,
                            absl::Time now) const {
  const absl::string_view outcome = AuditOutcome(rotated);
  if (outcome.empty()) return absl::OkStatus();
  audit::Event event = caller.Did(audit::action::kRefresh, outcome, now);
  event.About(SessionId(rotated.row.session_id))
      .With("presented_generation", absl::StrCat(presented_generation));
  const bool row_is_gone = rotated.row.account_id == storage::Key16{};
  if (!row_is_gone) {
    event.About(AccountId(rotated.row.account_id))
        .Client(rotated.row.client_id)
        .With("generation", absl::StrCat(rotated.row.generation));
  }
  return tx.audit().Append(event.Row());
}

}  // namespace ostiary::flow

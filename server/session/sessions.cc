#include "server/session/sessions.h"

#include <algorithm>
#include <utility>

#include "server/session/networks.h"

namespace ostiary::session {
namespace {

constexpr std::size_t kSaltBytes = 32;
// More than any cap leaves room for.
constexpr std::size_t kSessionsLookedAt = 4096;
constexpr std::uint32_t kSuspiciousRetries = 3;

// SessionRow::retried_in_row on disk: twice the count of generations in a row
// that were reached by a retry, plus one if the current generation already
// counts. A retry of a retry is not a second generation.
constexpr std::uint32_t kCountsAlready = 1;

std::uint32_t AfterRotation(std::uint32_t retried_in_row) {
  const bool counted = (retried_in_row & kCountsAlready) != 0;
  return counted ? retried_in_row & ~kCountsAlready : 0;
}

std::uint32_t AfterRetry(std::uint32_t retried_in_row) {
  const bool counted = (retried_in_row & kCountsAlready) != 0;
  return counted ? retried_in_row : retried_in_row + 2 + kCountsAlready;
}

absl::Time WholeSeconds(absl::Time time) {
  return absl::FromUnixSeconds(absl::ToUnixSeconds(time));
}

std::optional<AccountState> StateOf(
    const std::optional<storage::AccountRow>& account) {
  if (!account.has_value()) return std::nullopt;
  return AccountState{account->session_floor, account->disabled};
}

}  // namespace

Sessions::Sessions(Random& random, const RefreshKeys& keys,
                   const ServingTime& serving_time, Lifetimes lifetimes,
                   RotationPolicy policy, std::size_t max_per_account)
    : random_(random),
      keys_(keys),
      serving_time_(serving_time),
      lifetimes_(lifetimes),
      policy_(policy),
      max_per_account_(max_per_account) {}

absl::StatusOr<storage::SessionRow> Sessions::Open(
    storage::WriteTx& tx, const Opening& opening, std::uint32_t session_floor,
    absl::Time now, std::vector<SessionId>& ended) const {
  if (auto room = MakeRoom(tx, opening.account_id, session_floor, now, ended);
      !room.ok()) {
    return room;
  }
  storage::SessionRow row;
  row.session_id = random_.NewId(now);
  row.account_id = opening.account_id.bytes();
  row.client_id = opening.client_id;
  row.audience = opening.audience;
  row.scope = opening.scope;
  row.amr = opening.amr;
  row.user_agent = opening.user_agent;
  row.address = opening.address;
  row.opened_generation = opening.account_generation;
  row.generation = 1;
  row.salt = random_.Bytes(kSaltBytes);
  row.refresh_key_id = keys_.newest_id();
  row.create_time = now;
  row.rotated_at = now;
  // A whole second, so that a token minted in the session's last one still
  // lives: exp, cut to whole seconds, is later than iat.
  row.expire_time = WholeSeconds(now + lifetimes_.absolute);
  row.idle_expire_time = std::min(now + lifetimes_.idle, row.expire_time);
  StampAccess(row, opening.scope, now);
  if (auto inserted = tx.sessions().Insert(row); !inserted.ok())
    return inserted;
  return row;
}

absl::Status Sessions::MakeRoom(storage::WriteTx& tx,
                                const AccountId& account_id,
                                std::uint32_t session_floor, absl::Time now,
                                std::vector<SessionId>& ended) const {
  auto rows = tx.sessions().ListLive(account_id.bytes(), session_floor, now,
                                     kSessionsLookedAt);
  if (!rows.ok()) return rows.status();
  if (rows->size() < max_per_account_) return absl::OkStatus();
  const std::size_t too_many = rows->size() - max_per_account_ + 1;
  for (std::size_t i = 0; i < too_many; ++i) {
    const SessionId oldest((*rows)[i].session_id);
    if (auto revoked = tx.sessions().Revoke(oldest.bytes(), now);
        !revoked.ok()) {
      return revoked.status();
    }
    ended.push_back(oldest);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<storage::SessionRow>> Sessions::FindAuthentic(
    const storage::SessionReader& sessions,
    const PresentedRefreshToken& presented) const {
  auto row = sessions.Find(presented.session_id.bytes());
  if (!row.ok() || !row->has_value()) return row;
  const SecretBytes* key = keys_.Find((*row)->refresh_key_id);
  if (key == nullptr || !SessionSecrets(*key, **row).Made(presented)) {
    return std::optional<storage::SessionRow>();
  }
  return row;
}

absl::StatusOr<std::optional<storage::SessionRow>> Sessions::FindAgain(
    const storage::SessionReader& sessions, const Request& request) const {
  if (request.authentic == nullptr)
    return FindAuthentic(sessions, request.token);
  auto row = sessions.Find(request.token.session_id.bytes());
  if (!row.ok() || !row->has_value()) return row;
  const bool same = (*row)->salt == request.authentic->salt &&
                    (*row)->refresh_key_id == request.authentic->refresh_key_id;
  if (!same) return FindAuthentic(sessions, request.token);
  return row;
}

absl::StatusOr<Rotated> Sessions::Rotate(storage::WriteTx& tx,
                                         const Request& request,
                                         absl::Time now) const {
  auto found = FindAgain(tx.sessions(), request);
  if (!found.ok()) return found.status();
  Rotated result;
  if (!found->has_value()) {
    // Gone since it was read: deleted with its account.
    result.rotation = Rotation::kAccountGone;
    result.row.session_id = request.token.session_id.bytes();
    return result;
  }
  result.row = **std::move(found);
  storage::SessionRow& row = result.row;

  auto account = tx.accounts().Find(row.account_id);
  if (!account.ok()) return account.status();
  result.account = *std::move(account);
  Presentation presented{request.token.generation, "", request.client_id};
  if (!request.request_id.empty()) {
    presented.request_id_hash =
        SessionSecrets(*keys_.Find(row.refresh_key_id), row)
            .RequestIdHash(request.request_id);
  }
  const std::uint32_t expected_generation = row.generation;
  result.rotation = Decide(row, StateOf(result.account), presented, policy_,
                           now, serving_time_.Elapsed(row.rotated_at, now));
  Networks networks(row.networks);
  switch (result.rotation) {
    case Rotation::kRotated:
    case Rotation::kRegressed:
      result.networks_alternate = networks.Rotated(request.network);
      Advance(row, presented.generation, request.scope,
              presented.request_id_hash, now);
      break;
    case Rotation::kRetried:
      result.networks_alternate = networks.Retried(request.network);
      row.retried_in_row = AfterRetry(row.retried_in_row);
      result.suspicious = row.retried_in_row / 2 >= kSuspiciousRetries;
      result.repeats_token = now < row.access_expire_time;
      if (!result.repeats_token) StampAccess(row, row.minted_scope, now);
      break;
    case Rotation::kReused: {
      auto revoked = tx.sessions().Revoke(row.session_id, now);
      if (!revoked.ok()) return revoked.status();
      return result;
    }
    default:
      return result;
  }
  row.networks = networks.ToStored();
  auto updated = tx.sessions().UpdateIf(row, expected_generation);
  if (!updated.ok()) return updated.status();
  // Another writer came between (only where there can be two): run again.
  if (!*updated)
    return absl::AbortedError("the session changed within the transaction");
  return result;
}

void Sessions::Advance(storage::SessionRow& row, std::uint32_t from_generation,
                       std::string scope, std::string request_id_hash,
                       absl::Time now) const {
  row.generation = from_generation + 1;
  row.retried_in_row = AfterRotation(row.retried_in_row);
  row.request_id_hash = std::move(request_id_hash);
  row.rotated_at = now;
  row.idle_expire_time = std::min(now + lifetimes_.idle, row.expire_time);
  StampAccess(row, std::move(scope), now);
}

void Sessions::StampAccess(storage::SessionRow& row, std::string scope,
                           absl::Time now) const {
  row.minted_scope = std::move(scope);
  row.minted_at = WholeSeconds(now);
  row.access_expire_time = std::min(row.minted_at + lifetimes_.access,
                                    WholeSeconds(row.expire_time));
}

absl::StatusOr<Sessions::Texts> Sessions::TextsOf(
    const storage::SessionRow& row) const {
  const SecretBytes* key = keys_.Find(row.refresh_key_id);
  if (key == nullptr)
    return absl::InternalError("the session's refresh key is gone");
  const SessionSecrets secrets(*key, row);
  return Texts{
      secrets.RefreshToken(row.generation),
      secrets.TokenId(row.generation, row.minted_at, row.minted_scope)};
}

bool Sessions::IsLive(const storage::SessionRow& row,
                      std::uint32_t session_floor, absl::Time now) {
  return !row.revoked() && now < row.expire_time &&
         now < row.idle_expire_time && row.opened_generation >= session_floor;
}

}  // namespace ostiary::session

#ifndef OSTIARY_SERVER_SESSION_SESSIONS_H_
#define OSTIARY_SERVER_SESSION_SESSIONS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/base/ids.h"
#include "server/base/random.h"
#include "server/session/refresh_token.h"
#include "server/session/rotation.h"
#include "server/session/serving_time.h"
#include "storage/store.h"

namespace ostiary::session {

struct Lifetimes {
  absl::Duration access = absl::Minutes(15);
  absl::Duration idle = absl::Hours(24 * 14);
  absl::Duration absolute = absl::Hours(24 * 90);
};

// What somebody who has proved who they are asks for.
struct Opening {
  AccountId account_id;
  std::uint32_t account_generation = 0;  // read in this transaction
  std::string client_id;
  std::string audience;
  std::string scope;
  std::string amr;
  std::string user_agent;
  std::string address;
};

// What a rotation did, once it is written in the transaction.
struct Rotated {
  Rotation rotation = Rotation::kRevoked;
  // As it will be committed. If the session is gone since it was read
  // (kAccountGone), only the session_id is set.
  storage::SessionRow row;
  // As read in the transaction; empty if it is gone or was not asked for.
  std::optional<storage::AccountRow> account;
  // The access token is the one minted before: same id, iat and exp.
  bool repeats_token = false;
  // Three generations in a row were reached by a retry: a thief in step with
  // the owner looks like this.
  bool suspicious = false;
  // The session's tokens are presented from two networks by turns.
  bool networks_alternate = false;
};

// The refresh tokens descended from one sign-in. At most one of them is live.
//
// Thread-safe. Time is an argument; nothing here reads a clock.
class Sessions {
 public:
  Sessions(Random& random, const RefreshKeys& keys,
           const ServingTime& serving_time, Lifetimes lifetimes,
           RotationPolicy policy, std::size_t max_per_account);

  // Inserts a session with its first token. Beyond the cap the account's
  // oldest live sessions are revoked in `tx` and named in `ended`: their
  // ledger rows are the caller's to write.
  absl::StatusOr<storage::SessionRow> Open(storage::WriteTx& tx,
                                           const Opening& opening,
                                           std::uint32_t session_floor,
                                           absl::Time now,
                                           std::vector<SessionId>& ended) const;

  // The row of the session that made `presented`; empty if it is forged or
  // unknown. Safe on a reader: only authentic tokens reach the writer.
  absl::StatusOr<std::optional<storage::SessionRow>> FindAuthentic(
      const storage::SessionReader& sessions,
      const PresentedRefreshToken& presented) const;

  // What the caller asks of a rotation.
  struct Request {
    const PresentedRefreshToken& token;
    absl::string_view request_id;  // empty: none
    absl::string_view client_id;   // empty: not named
    std::string scope;             // of the new access token; within row.scope
    absl::string_view network;  // of the caller, see Networks; empty: unknown
    // The row that FindAuthentic gave for `token`; null: the tag is checked
    // here. What made the tag authentic never changes in a row.
    const storage::SessionRow* authentic = nullptr;
  };

  // Exchanges the token within `tx`, reading the row again.
  //
  // Inside the retry window a repeat gets the same successor again: the first
  // answer may have been lost. After it a repeat means two parties hold the
  // token: the result is Rotation::kReused and the session is revoked in `tx`
  // (RFC 9700 section 4.14.2); its ledger row is the caller's to write. That
  // is an outcome, not an error: an error would roll the revocation back.
  //
  // Fails only if the store fails.
  absl::StatusOr<Rotated> Rotate(storage::WriteTx& tx, const Request& request,
                                 absl::Time now) const;

  // What is derived from a row's current generation.
  struct Texts {
    std::string refresh_token;
    std::string token_id;  // of the access token
  };
  // The row's key must be known (it was, to get here): kInternal otherwise.
  absl::StatusOr<Texts> TextsOf(const storage::SessionRow& row) const;

  // Neither revoked, expired nor below the account's floor.
  static bool IsLive(const storage::SessionRow& row,
                     std::uint32_t session_floor, absl::Time now);

  const Lifetimes& lifetimes() const { return lifetimes_; }

 private:
  // The row of the token's session; empty if the session is gone or the token
  // is not its own.
  absl::StatusOr<std::optional<storage::SessionRow>> FindAgain(
      const storage::SessionReader& sessions, const Request& request) const;
  absl::Status MakeRoom(storage::WriteTx& tx, const AccountId& account_id,
                        std::uint32_t session_floor, absl::Time now,
                        std::vector<SessionId>& ended) const;
  void Advance(storage::SessionRow& row, std::uint32_t from_generation,
               std::string scope, std::string request_id_hash,
               absl::Time now) const;
  void StampAccess(storage::SessionRow& row, std::string scope,
                   absl::Time now) const;

  Random& random_;
  const RefreshKeys& keys_;
  const ServingTime& serving_time_;
  const Lifetimes lifetimes_;
  const RotationPolicy policy_;
  const std::size_t max_per_account_;
};

}  // namespace ostiary::session

#endif  // OSTIARY_SERVER_SESSION_SESSIONS_H_

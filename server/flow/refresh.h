#ifndef OSTIARY_SERVER_FLOW_REFRESH_H_
#define OSTIARY_SERVER_FLOW_REFRESH_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/flow/caller.h"
#include "server/flow/token_issuer.h"
#include "server/session/sessions.h"
#include "server/status_list/slot_issuer.h"
#include "storage/store.h"

namespace ostiary::flow {

// Exchanges a refresh token for its successor (protocol.md 4). Every refusal
// looks the same outside; the audit log knows the truth.
class Refresh {
 public:
  Refresh(const Clock& clock, storage::Store& store,
          const session::Sessions& sessions, status_list::SlotIssuer& slots,
          const TokenIssuer& issuer, absl::Duration access_ceiling,
          Logger& logger)
      : clock_(clock),
        store_(store),
        sessions_(sessions),
        slots_(slots),
        issuer_(issuer),
        access_ceiling_(access_ceiling),
        logger_(logger) {}

  struct Request {
    std::string refresh_token;
    std::string scope;       // empty: as granted
    std::string request_id;  // empty: none
  };

  // kRefreshRejected, kRefreshInProgress, kScopeNotAllowed (wider than
  // granted; no state change), kArgumentInvalid about request_id.
  absl::StatusOr<IssuedTokens> Run(const Caller& caller,
                                   const Request& request) const;

 private:
  struct Outcome {
    session::Rotation rotation = session::Rotation::kRevoked;
    Issuance issuance;  // only if the rotation succeeds
  };

  absl::StatusOr<storage::SessionRow> FindSession(
      const session::PresentedRefreshToken& presented) const;
  absl::StatusOr<Outcome> Rotate(
      storage::WriteTx& tx, const Caller& caller,
      const session::Sessions::Request& request) const;
  absl::Status Audit(storage::WriteTx& tx, const Caller& caller,
                     const session::Rotated& rotated,
                     std::uint32_t presented_generation, absl::Time now) const;

  const Clock& clock_;
  storage::Store& store_;
  const session::Sessions& sessions_;
  status_list::SlotIssuer& slots_;
  const TokenIssuer& issuer_;
  const absl::Duration access_ceiling_;
  Logger& logger_;
};

}  // namespace ostiary::flow

#endif  // OSTIARY_SERVER_FLOW_REFRESH_H_

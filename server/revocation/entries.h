#ifndef OSTIARY_SERVER_REVOCATION_ENTRIES_H_
#define OSTIARY_SERVER_REVOCATION_ENTRIES_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/base/ids.h"
#include "storage/rows.h"

namespace ostiary::revocation {

// The rows of the ledger, each with the moment from which it may be forgotten:
// when the last token it can hit has expired, with a margin (protocol.md 5).
//
// `now` is the time of the transaction that will commit the row; `ceiling` the
// largest access-token lifetime in force (AccessCeiling).

// Clocks of verifiers may be this far behind ours.
inline constexpr absl::Duration kForgetMargin = absl::Minutes(5);
// Rows by time err this much late; issuing pauses meanwhile.
inline constexpr absl::Duration kIssuedBeforeMargin = absl::Seconds(5);

storage::LedgerRow TokenEntry(absl::string_view token_id,
                              absl::Time expire_time, absl::Time now,
                              absl::string_view reason);
storage::LedgerRow SessionEntry(const SessionId& session_id, absl::Time now,
                                absl::Duration ceiling,
                                absl::string_view reason);
// Ends tokens whose `gen` is below `min_generation` (account::TokenGeneration).
storage::LedgerRow AccountEntry(const AccountId& account_id,
                                std::uint64_t min_generation, absl::Time now,
                                absl::Duration ceiling,
                                absl::string_view reason);
storage::LedgerRow ClientEntry(absl::string_view client_id, absl::Time now,
                               absl::Duration ceiling,
                               absl::string_view reason);
storage::LedgerRow AllEntry(absl::Time now, absl::Duration ceiling,
                            absl::string_view reason);

}  // namespace ostiary::revocation

#endif  // OSTIARY_SERVER_REVOCATION_ENTRIES_H_

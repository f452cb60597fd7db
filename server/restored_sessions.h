#ifndef OSTIARY_SERVER_RESTORED_SESSIONS_H_
#define OSTIARY_SERVER_RESTORED_SESSIONS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "storage/store.h"

namespace ostiary {

// What becomes of a session in a restore.
enum class Fate {
  kKept,         // its next refresh gives new tokens
  kEnded,        // signed out by the restore
  kNotInBackup,  // opened since: the restored store never heard of it
  kEndedBefore,  // ended since the backup, and so again
};
// For people and scripts: "kept", "ended", "not_in_backup", "ended_before".
absl::string_view FateName(Fate fate);
// Whether its owner has to sign in again who had not to before.
bool MustSignInAgain(Fate fate);

struct SessionFate {
  Fate fate = Fate::kKept;
  std::string account_id;
  std::string username;  // or the email where there is none
  std::string session_id;
  std::string client_id;
  std::string user_agent;
  absl::Time sign_in_time;
  absl::Time last_use;  // as far as is known
};
using SessionFates = std::vector<SessionFate>;

// Ends in `restored` what `before`, the store that it replaces, knows to have
// ended: sessions that were revoked, and all sessions of accounts signed out
// everywhere. Adds to `fates` those, and the living ones that `restored` does
// not know.
absl::Status EndWhatHadEnded(storage::Store& before, storage::Store& restored,
                             absl::Time now, SessionFates& fates);

// Adds the living sessions of `restored`, all with the same fate.
absl::Status ListLivingSessions(storage::Store& restored, absl::Time now,
                                Fate fate, SessionFates& fates);

// Signs every account out everywhere.
absl::Status EndAllSessions(storage::Store& restored, absl::Time now);

}  // namespace ostiary

#endif  // OSTIARY_SERVER_RESTORED_SESSIONS_H_

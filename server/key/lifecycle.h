#ifndef OSTIARY_SERVER_KEY_LIFECYCLE_H_
#define OSTIARY_SERVER_KEY_LIFECYCLE_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/key/schedule.h"
#include "storage/rows.h"

// The life of a signing key, as pure functions of rows and time.
//
//   prepared --> active --> retired --> gone
//       \__________\__________\_______> revoked
namespace ostiary::key {

// Values of KeyRow::state; they live on disk.
constexpr absl::string_view kStatePrepared =
    "prepared";  // published, signs nothing
constexpr absl::string_view kStateActive = "active";    // the one that signs
constexpr absl::string_view kStateRetired = "retired";  // verifies only
constexpr absl::string_view kStateRevoked = "revoked";  // neither, for ever

enum class KeyState { kPrepared, kActive, kRetired, kRevoked };

// Nothing if the store holds a word this program does not know.
std::optional<KeyState> ParseKeyState(absl::string_view state);

// The one thing to do to one key.
struct Step {
  enum class Kind { kPrepare, kActivate, kRetire, kDelete };
  Kind kind;
  std::string key_id;  // empty for kPrepare: the key does not exist yet

  friend bool operator==(const Step&, const Step&) = default;
};

// What the schedule asks for at `now`, in order. Empty: nothing. Rows are those
// of purpose "access", `algorithm` is what new keys are to be.
//
// After the steps there is one active key and at least one prepared one of
// `algorithm`. A key signs only when it has been published for
// prepare_lead, unless there is no other: the first key of an installation
// and the successor of a revoked one sign at once, because until then nobody
// could sign in. For kActivate without a key_id, it is the key the kPrepare
// before it has made.
std::vector<Step> DueSteps(const std::vector<storage::KeyRow>& rows,
                           const Schedule& schedule,
                           absl::string_view algorithm, absl::Time now);

// What must follow when the key that signed no longer does: the best prepared
// key becomes active, published long enough or not, and its own successor is
// prepared. Empty if a key is active.
std::vector<Step> SuccessionSteps(const std::vector<storage::KeyRow>& rows,
                                  absl::string_view algorithm);

// The change itself. kKeyStateConflict says why it is not allowed; the row is
// untouched then.
absl::Status MarkActive(storage::KeyRow& row, absl::Time now);
absl::Status MarkRetired(storage::KeyRow& row, absl::Time now);
absl::Status MarkRevoked(storage::KeyRow& row, absl::Time now);

// When a prepared key may sign.
absl::Time MaySignFrom(const storage::KeyRow& row, const Schedule& schedule);

}  // namespace ostiary::key

#endif  // OSTIARY_SERVER_KEY_LIFECYCLE_H_

#ifndef OSTIARY_SERVER_FLOW_BACK_UP_H_
#define OSTIARY_SERVER_FLOW_BACK_UP_H_

#include <atomic>
#include <optional>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/mutex.h"
#include "server/flow/caller.h"
#include "storage/store.h"

namespace ostiary::flow {

// A copy of the store on the server's own disk.
//
// Thread-safe.
class BackUp {
 public:
  struct Made {
    storage::Backup backup;
    absl::Time snapshot_time;
  };
  struct Running {
    std::string path;
    int percent = 0;
  };

  // `folder` is where names without a path go; made, 0700, when first needed.
  // Nobody else writes there.
  BackUp(const Clock& clock, storage::Store& store, Logger& logger,
         std::string folder)
      : clock_(clock),
        store_(store),
        logger_(logger),
        folder_(std::move(folder)) {}

  // Makes one and writes down that it did. `path` is empty, a name, or
  // absolute; the latter from the operator socket alone: the bearer of an
  // operator's token need not have a say over the rest of the machine.
  //
  // kArgumentInvalid about `path`. kOverloaded while another one is being made:
  // two at once would only be slower. kStoreUnavailable: no room. kCancelled
  // once the caller has gone away, kNotReady once the server stops. Of one that
  // failed nothing is left.
  absl::StatusOr<Made> Run(const Caller& caller, const std::string& path);

  // The one that is being made.
  std::optional<Running> running() const ABSL_LOCKS_EXCLUDED(mutex_);

  // Gives up the one that is being made, and lets no other begin.
  void Stop() { stopping_ = true; }

 private:
  class Turn;

  absl::StatusOr<std::string> Place(const Caller& caller,
                                    const std::string& path,
                                    absl::Time now) const;
  absl::StatusOr<storage::Backup> Write(const Caller& caller,
                                        const std::string& path);
  absl::Status WriteDown(const Caller& caller, const storage::Backup& backup);
  absl::Status Explain(const absl::Status& status) const;
  void Note(int percent) ABSL_LOCKS_EXCLUDED(mutex_);

  const Clock& clock_;
  storage::Store& store_;
  Logger& logger_;
  const std::string folder_;
  std::atomic<bool> stopping_{false};
  mutable Mutex mutex_;
  std::optional<Running> running_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ostiary::flow

#endif  // OSTIARY_SERVER_FLOW_BACK_UP_H_

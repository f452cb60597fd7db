#ifndef OSTIARY_SERVER_UPKEEP_H_
#define OSTIARY_SERVER_UPKEEP_H_

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/base/certificates.h"
#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/key/key_ring.h"
#include "server/mark_file.h"
#include "server/revocation/revocation_set.h"
#include "server/status_list/list_book.h"
#include "server/status_list/sweep.h"
#include "storage/store.h"

namespace ostiary {

// What the housekeeper does. A chore that fails is logged and tried again at
// its next turn.
//
// Used by one thread at a time; ReloadCertificates by any.
class Upkeep {
 public:
  struct Rooms {
    const Clock& clock;
    storage::Store& store;
    key::KeyRing& keys;
    revocation::RevocationSet& revocations;
    const MarkFile& mark_file;
    status_list::ListBook& status_lists;
    status_list::Sweep& sweep;
    CertificateStore* certificates;  // null: no TLS
    Logger& logger;
  };
  explicit Upkeep(const Rooms& rooms);

  // Puts (epoch, sequence, time) beside the key-encryption key, so that a store
  // that goes back in time is noticed.
  absl::Status WriteMark();
  void RefreshMark();

  // Says once that the disk has filled up, and once that there is room again.
  void WatchDisk();

  void ApplyKeySchedule();

  // Drops ledger rows, sessions and audit rows that nothing can ask for any
  // more, in small batches. Not while the clock is in doubt: a clock that leaps
  // ahead would make us forget revocations whose tokens live.
  void ForgetWhatHasEnded();

  // Flips what client, key and *all* revocations hit in the status lists.
  void SweepStatusLists();

  // Says so once: secrets then lie in ordinary memory, and work.
  void WarnOfFullArena();

  void ReloadCertificates();
  // Says so while there is time to renew.
  void WarnOfExpiry();

 private:
  bool ClockIsInDoubt();

  bool disk_was_full_ = false;

  const Rooms rooms_;
  bool clock_in_doubt_ = false;
  bool arena_was_full_ = false;
};

}  // namespace ostiary

#endif  // OSTIARY_SERVER_UPKEEP_H_

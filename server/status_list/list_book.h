#ifndef OSTIARY_SERVER_STATUS_LIST_LIST_BOOK_H_
#define OSTIARY_SERVER_STATUS_LIST_LIST_BOOK_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "client/status_list/status_list.h"
#include "server/base/mutex.h"
#include "storage/store.h"

namespace ostiary::status_list {

// The bits of every list that is still served, as they are committed: a flip
// is here before the revocation is acknowledged.
//
// Thread-safe. No I/O but in Load.
class ListBook {
 public:
  struct State {
    storage::StatusListRow row;
    std::uint64_t version = 0;  // rises with every flip
  };
  struct Copy {
    std::uint64_t version = 0;
    std::string bytes;  // one bit a slot, the lowest first
  };

  // Reads the lists and their flipped slots; before anything else is called.
  absl::Status Load(storage::Store& store);

  // Begins to serve a list, all of it valid. One that is here stays as it is.
  void Add(const storage::StatusListRow& row);

  // Flips what has been committed. Slots of unknown lists are ignored: nobody
  // can ask about them.
  void Apply(const std::vector<storage::StatusSlot>& flipped);

  // Nullopt: unknown, or gone because no token that points to it is left.
  std::optional<State> Find(const storage::Key16& list_id,
                            absl::Time now) const;
  std::optional<Copy> CopyOf(const storage::Key16& list_id) const;

  // Drops the lists that are gone.
  void Forget(absl::Time now);

  std::size_t size() const;

 private:
  struct List {
    storage::StatusListRow row;
    std::uint64_t version = 0;
    OneBitArray bits;
  };

  mutable Mutex mutex_;
  absl::flat_hash_map<storage::Key16, List> lists_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace ostiary::status_list

#endif  // OSTIARY_SERVER_STATUS_LIST_LIST_BOOK_H_

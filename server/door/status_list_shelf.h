#ifndef OSTIARY_SERVER_DOOR_STATUS_LIST_SHELF_H_
#define OSTIARY_SERVER_DOOR_STATUS_LIST_SHELF_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/base/mutex.h"
#include "server/door/door.h"
#include "server/key/key_ring.h"
#include "server/status_list/list_book.h"

namespace ostiary::door {

// The status lists as signed documents, made when they are asked for. A list is
// signed anew when it has changed, at most once a second; when the keys have
// changed; and when half its time to live has passed, so that no copy is handed
// out with little of it left.
//
// Thread-safe. Making one takes some milliseconds at most.
class StatusListShelf {
 public:
  struct Options {
    std::string issuer;
    absl::Duration ttl;  // whole seconds
  };
  struct Rooms {
    const Clock& clock;
    const key::KeyRing& keys;
    status_list::ListBook& book;
    Logger& logger;
  };
  StatusListShelf(const Rooms& rooms, Options options)
      : rooms_(rooms), options_(std::move(options)) {}

  // The list that is called `name` ("stl_..."); null: there is none, or no
  // token that points to it is left.
  std::shared_ptr<const Document> Find(absl::string_view name);

 private:
  struct Signed {
    std::uint64_t version = 0;
    // Weak: with the view, the private key that it signed with must go.
    std::weak_ptr<const key::KeyView> keys;
    absl::Time at;
    std::string lst;
    std::shared_ptr<const Document> document;
  };

  bool IsFresh(const Signed& made, std::uint64_t version,
               const key::KeyView* keys, absl::Time now) const;
  absl::StatusOr<Signed> Sign(const storage::Key16& list_id,
                              const Signed* before, absl::Time now) const;
  void DropGone(absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Rooms rooms_;
  const Options options_;

  Mutex mutex_;
  absl::flat_hash_map<storage::Key16, std::shared_ptr<const Signed>> made_
      ABSL_GUARDED_BY(mutex_);
};

}  // namespace ostiary::door

#endif  // OSTIARY_SERVER_DOOR_STATUS_LIST_SHELF_H_

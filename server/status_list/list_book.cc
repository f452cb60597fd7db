#include "server/status_list/list_book.h"

#include <utility>

namespace ostiary::status_list {
namespace {

constexpr std::size_t kSlotsAtATime = 10'000;

}  // namespace

absl::Status ListBook::Load(storage::Store& store) {
  using Lists = std::vector<storage::StatusListRow>;
  const absl::StatusOr<Lists> lists = storage::ReadValue<Lists>(
      store, [](storage::ReadTx& tx) { return tx.status_lists().Lists(); });
  if (!lists.ok()) return lists.status();
  for (const storage::StatusListRow& row : *lists) {
    Add(row);
    std::int64_t after = -1;
    for (;;) {
      using Slots = std::vector<storage::StatusSlot>;
      const absl::StatusOr<Slots> flipped =
          storage::ReadValue<Slots>(store, [&](storage::ReadTx& tx) {
            return tx.status_lists().FlippedOf(row.list_id, after,
                                               kSlotsAtATime);
          });
      if (!flipped.ok()) return flipped.status();
      Apply(*flipped);
      if (flipped->size() < kSlotsAtATime) break;
      after = flipped->back().slot;
    }
  }
  return absl::OkStatus();
}

void ListBook::Add(const storage::StatusListRow& row) {
  List list{row, 0, OneBitArray(row.slots)};
  if (row.invalidated) list.bits.FlipAll();
  MutexLock lock(&mutex_);
  lists_.try_emplace(row.list_id, std::move(list));
}

void ListBook::Apply(const std::vector<storage::StatusSlot>& flipped) {
  MutexLock lock(&mutex_);
  for (const storage::StatusSlot& place : flipped) {
    const auto found = lists_.find(place.list_id);
    if (found == lists_.end()) continue;
    if (found->second.bits.Flip(place.slot)) ++found->second.version;
  }
}

std::optional<ListBook::State> ListBook::Find(const storage::Key16& list_id,
                                              absl::Time now) const {
  ReaderMutexLock lock(&mutex_);
  const auto found = lists_.find(list_id);
  if (found == lists_.end() || now >= found->second.row.expire_time)
    return std::nullopt;
  return State{found->second.row, found->second.version};
}

std::optional<ListBook::Copy> ListBook::CopyOf(
    const storage::Key16& list_id) const {
  ReaderMutexLock lock(&mutex_);
  const auto found = lists_.find(list_id);
  if (found == lists_.end()) return std::nullopt;
  return Copy{found->second.version, found->second.bits.bytes()};
}

void ListBook::Forget(absl::Time now) {
  MutexLock lock(&mutex_);
  absl::erase_if(lists_, [now](const auto& entry) {
    return now >= entry.second.row.expire_time;
  });
}

std::size_t ListBook::size() const {
  ReaderMutexLock lock(&mutex_);
  return lists_.size();
}

}  // namespace ostiary::status_list

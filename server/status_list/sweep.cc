#include "server/status_list/sweep.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace ostiary::status_list {
namespace {

using storage::LedgerKind;

constexpr char kFact[] = "status_lists.swept";
// Looked at between two commits; each that is hit costs a row.
constexpr std::size_t kSlotsAtATime = 1000;

bool NeedsSweep(LedgerKind kind) {
  switch (kind) {
    case LedgerKind::kClient:
    case LedgerKind::kKey:
    case LedgerKind::kAll:
      return true;
    case LedgerKind::kToken:
    case LedgerKind::kSession:
    case LedgerKind::kAccount:
      return false;  // flipped with the row itself
  }
  return false;
}

// iat counts whole seconds: a token is as old as the second it is issued in.
absl::Time EndOfSecond(absl::Time time) {
  return absl::FromUnixSeconds(absl::ToUnixSeconds(time) + 1) -
         absl::Microseconds(1);
}

// From then on nothing is issued any more that the row hits.
absl::Time Settled(const storage::LedgerRow& row) {
  return row.kind == LedgerKind::kKey ? row.commit_time
                                      : EndOfSecond(row.issued_before);
}

}  // namespace

bool Reach::Hits(const storage::StatusSlotRow& slot) const {
  const bool of_client = client_id.empty() || client_id == slot.client_id;
  return of_client && slot.take_time <= until &&
         slot.take_time + kListOpenFor >= from;
}

absl::StatusOr<Reach> ReachOf(const storage::LedgerRow& row,
                              const storage::KeyReader& keys) {
  Reach reach;
  if (row.kind != LedgerKind::kKey) {
    if (row.kind == LedgerKind::kClient) reach.client_id = row.key;
    reach.until = EndOfSecond(row.issued_before);
    return reach;
  }
  const auto key = keys.Find(row.key);
  if (!key.ok()) return key.status();
  reach.until = row.commit_time;
  if (!key->has_value()) return reach;
  // It has never signed.
  if ((*key)->activate_time == absl::InfinitePast()) return Reach();
  reach.from = (*key)->activate_time;
  if ((*key)->retire_time != absl::InfinitePast())
    reach.until = std::min(reach.until, (*key)->retire_time);
  return reach;
}

absl::Status Sweep::Load(storage::Store& store) {
  using Found = std::optional<std::string>;
  const absl::StatusOr<Found> text = storage::ReadValue<Found>(
      store, [](storage::ReadTx& tx) { return tx.facts().Find(kFact); });
  if (!text.ok()) return text.status();
  std::int64_t swept = 0;
  // What cannot be read is swept again: that changes nothing.
  if (text->has_value() && !absl::SimpleAtoi(**text, &swept)) swept = 0;
  MutexLock lock(&mutex_);
  swept_ = swept;
  newest_ = swept;
  return absl::OkStatus();
}

void Sweep::Announce(const std::vector<storage::LedgerRow>& rows) {
  MutexLock lock(&mutex_);
  for (const storage::LedgerRow& row : rows) {
    if (row.sequence <= swept_ || !NeedsSweep(row.kind)) continue;
    events_.try_emplace(row.sequence, Event{row});
    newest_ = std::max(newest_, row.sequence);
  }
}

absl::StatusOr<bool> Sweep::Hits(const storage::KeyReader& keys,
                                 const storage::StatusSlotRow& slot) const {
  std::vector<storage::LedgerRow> rows;
  {
    ReaderMutexLock lock(&mutex_);
    for (const auto& [sequence, event] : events_) rows.push_back(event.row);
  }
  for (const storage::LedgerRow& row : rows) {
    const absl::StatusOr<Reach> reach = ReachOf(row, keys);
    if (!reach.ok()) return reach.status();
    if (reach->Hits(slot)) return true;
  }
  return false;
}

absl::Status Sweep::Continue(storage::Store& store, absl::Time now,
                             int batches) {
  for (; batches > 0; --batches) {
    if (!pass_.has_value()) {
      if (Due(now).empty()) return absl::OkStatus();
      if (auto status = BeginPass(store, now); !status.ok()) return status;
    }
    const absl::Status status =
        pass_->lists.empty() ? EndPass(store) : RunBatch(store);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

std::vector<Sweep::Event> Sweep::Due(absl::Time now) const {
  ReaderMutexLock lock(&mutex_);
  std::vector<Event> due;
  for (const auto& [sequence, event] : events_) {
    if (!event.swept_once || now > Settled(event.row)) due.push_back(event);
  }
  return due;
}

absl::Status Sweep::BeginPass(storage::Store& store, absl::Time now) {
  Pass pass;
  pass.began = now;
  const std::vector<Event> due = Due(now);
  const absl::Status read =
      store.Read([&](storage::ReadTx& tx) -> absl::Status {
        pass.sequences.clear();
        pass.reaches.clear();
        pass.lists.clear();
        for (const Event& event : due) {
          auto reach = ReachOf(event.row, tx.keys());
          if (!reach.ok()) return reach.status();
          pass.sequences.push_back(event.row.sequence);
          pass.reaches.push_back(*std::move(reach));
        }
        const auto lists = tx.status_lists().Lists();
        if (!lists.ok()) return lists.status();
        for (const storage::StatusListRow& row : *lists) {
          if (!row.invalidated && now < row.expire_time)
            pass.lists.push_back(row.list_id);
        }
        return absl::OkStatus();
      });
  if (!read.ok()) return read;
  pass_ = std::move(pass);
  return absl::OkStatus();
}

absl::Status Sweep::RunBatch(storage::Store& store) {
  using Slots = std::vector<storage::StatusSlotRow>;
  const storage::Key16 list_id = pass_->lists.back();
  const absl::StatusOr<Slots> slots =
      storage::ReadValue<Slots>(store, [&](storage::ReadTx& tx) {
        return tx.status_lists().SlotsOf(list_id, pass_->after, kSlotsAtATime);
      });
  if (!slots.ok()) return slots.status();
  std::vector<storage::StatusSlot> hit;
  for (const storage::StatusSlotRow& slot : *slots) {
    const bool any =
        std::any_of(pass_->reaches.begin(), pass_->reaches.end(),
                    [&](const Reach& reach) { return reach.Hits(slot); });
    if (any && !slot.flipped) hit.push_back(slot.place);
  }
  if (!hit.empty()) {
    const absl::Status flipped =
        store.Write([&](storage::WriteTx& tx) -> absl::Status {
          for (const storage::StatusSlot& place : hit) {
            auto one = tx.status_lists().Flip(place);
            if (!one.ok()) return one.status();
          }
          return absl::OkStatus();
        });
    if (!flipped.ok()) return flipped;
  }
  if (slots->size() == kSlotsAtATime) {
    pass_->after = slots->back().place.slot;
  } else {
    pass_->lists.pop_back();
    pass_->after = -1;
  }
  return absl::OkStatus();
}

absl::Status Sweep::EndPass(storage::Store& store) {
  std::int64_t swept = 0;
  {
    MutexLock lock(&mutex_);
    for (const std::int64_t sequence : pass_->sequences) {
      const auto event = events_.find(sequence);
      if (event == events_.end()) continue;
      event->second.swept_once = true;
      if (pass_->began > Settled(event->second.row)) events_.erase(event);
    }
    swept_ = events_.empty() ? newest_ : events_.begin()->first - 1;
    swept = swept_;
  }
  pass_.reset();
  return store.Write(
      [&](storage::WriteTx& tx) { return RememberSwept(tx, swept); });
}

bool Sweep::idle() const {
  ReaderMutexLock lock(&mutex_);
  return events_.empty();
}

absl::Status Sweep::RememberSwept(storage::WriteTx& tx, std::int64_t sequence) {
  return tx.facts().Put(kFact, absl::StrCat(sequence));
}

}  // namespace ostiary::status_list

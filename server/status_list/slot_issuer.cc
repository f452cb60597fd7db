#include "server/status_list/slot_issuer.h"

#include <utility>

namespace ostiary::status_list {
namespace {

using MaybeSlot = std::optional<storage::StatusSlot>;

constexpr std::size_t kOrderKeyBytes = 32;
// Verifiers may accept a token for so long after it has expired, and ask for
// its list once more.
constexpr absl::Duration kServedLonger = absl::Minutes(5);

// The end of the hour that `now` is in: always later than `now`.
absl::Time CloseTime(absl::Time now) {
  const absl::Duration since = now - absl::UnixEpoch();
  return absl::UnixEpoch() + absl::Floor(since, kListOpenFor) + kListOpenFor;
}

}  // namespace

SlotIssuer::SlotIssuer(Random& random, ListBook& book, const Sweep& sweep,
                       const Options& options)
    : random_(random), book_(book), sweep_(sweep), options_(options) {}

absl::StatusOr<MaybeSlot> SlotIssuer::ForNewToken(
    storage::WriteTx& tx, const storage::SessionRow& session, absl::Time now) {
  if (options_.issuing == Issuing::kOff) return MaybeSlot();
  const auto newest = tx.status_lists().NewestOf(session.session_id);
  if (!newest.ok()) return newest.status();
  if (!newest->has_value()) return TakeFresh(tx, session, now);
  const absl::StatusOr<bool> usable = IsUsable(tx, **newest, session, now);
  if (!usable.ok()) return usable.status();
  if (*usable) return MaybeSlot((*newest)->place);
  return TakeFresh(tx, session, now);
}

absl::StatusOr<MaybeSlot> SlotIssuer::ForRepeatedToken(
    storage::WriteTx& tx, const storage::SessionRow& session, absl::Time now) {
  if (options_.issuing == Issuing::kOff) return MaybeSlot();
  const auto newest = tx.status_lists().NewestOf(session.session_id);
  if (!newest.ok()) return newest.status();
  if (newest->has_value()) return MaybeSlot((*newest)->place);
  return TakeFresh(tx, session, now);
}

absl::StatusOr<bool> SlotIssuer::IsUsable(storage::WriteTx& tx,
                                          const storage::StatusSlotRow& slot,
                                          const storage::SessionRow& session,
                                          absl::Time now) const {
  if (slot.flipped) return false;
  const auto list = book_.Find(slot.place.list_id, now);
  if (!list.has_value()) return false;
  const storage::StatusListRow& row = list->row;
  // A list outlives the tokens that point to it, also one that was opened
  // before the lifetime of tokens was raised.
  const bool outlives =
      session.access_expire_time + kServedLonger <= row.expire_time;
  if (row.invalidated || now >= row.close_time || !outlives) return false;
  const absl::StatusOr<bool> hit = sweep_.Hits(tx.keys(), slot);
  if (!hit.ok()) return hit.status();
  return !*hit;
}

absl::StatusOr<MaybeSlot> SlotIssuer::TakeFresh(
    storage::WriteTx& tx, const storage::SessionRow& session, absl::Time now) {
  const OpenList list = Advance(now);
  // Written with the first slot that is taken, and again in case that one was
  // rolled back.
  if (auto opened = tx.status_lists().Open(list.row); !opened.ok())
    return opened;
  storage::StatusSlotRow row;
  row.place = {list.row.list_id, list.order->At(list.given)};
  row.session_id = session.session_id;
  row.client_id = session.client_id;
  row.take_time = now;
  if (auto taken = tx.status_lists().Take(row); !taken.ok()) return taken;
  return MaybeSlot(row.place);
}

SlotIssuer::OpenList SlotIssuer::Advance(absl::Time now) {
  MutexLock lock(&mutex_);
  const bool usable = open_.has_value() && now < open_->row.close_time &&
                      open_->given < open_->order->size();
  if (!usable) {
    open_ = OpenList{
        NewList(now),
        std::make_shared<const SlotOrder>(
            SecretBytes(random_.Bytes(kOrderKeyBytes)), options_.list_bits)};
    book_.Add(open_->row);
  }
  OpenList current = *open_;
  ++open_->given;
  return current;
}

storage::StatusListRow SlotIssuer::NewList(absl::Time now) {
  storage::StatusListRow row;
  row.list_id = random_.NewId(now);
  row.slots = std::uint32_t{1} << options_.list_bits;
  row.open_time = now;
  row.close_time = CloseTime(now);
  row.expire_time = row.close_time + options_.access_ceiling + kServedLonger;
  return row;
}

}  // namespace ostiary::status_list

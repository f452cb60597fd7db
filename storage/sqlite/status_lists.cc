#include "storage/sqlite/status_lists.h"

#include "storage/stored_time.h"

namespace ostiary::storage::sqlite {
namespace {

#define SLOT_COLUMNS "list_id, slot, session_id, client_id, take_time, flipped"

constexpr char kLists[] =
    "SELECT list_id, slots, open_time, close_time, expire_time, invalidated"
    " FROM status_lists ORDER BY list_id";
constexpr char kNewestOf[] = "SELECT " SLOT_COLUMNS
                             " FROM status_slots WHERE session_id = ?"
                             " ORDER BY take_time DESC, flipped LIMIT 1";
constexpr char kSlotsOf[] = "SELECT " SLOT_COLUMNS
                            " FROM status_slots WHERE list_id = ? AND slot > ?"
                            " ORDER BY slot LIMIT ?";
// The last condition is the one of the partial index.
constexpr char kFlippedOf[] =
    "SELECT list_id, slot FROM status_slots"
    " WHERE list_id = ? AND slot > ? AND flipped = 1 ORDER BY slot LIMIT ?";
constexpr char kOpen[] =
    "INSERT INTO status_lists"
    " (list_id, slots, open_time, close_time, expire_time, invalidated)"
    " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (list_id) DO NOTHING";
constexpr char kTake[] =
    "INSERT INTO status_slots (" SLOT_COLUMNS ") VALUES (?, ?, ?, ?, ?, ?)";
#undef SLOT_COLUMNS
constexpr char kFlip[] =
    "UPDATE status_slots SET flipped = 1"
    " WHERE list_id = ? AND slot = ? AND flipped = 0"
    " RETURNING list_id, slot";
constexpr char kFlipSession[] =
    "UPDATE status_slots SET flipped = 1"
    " WHERE session_id = ? AND flipped = 0 RETURNING list_id, slot";
constexpr char kFlipAccount[] =
    "UPDATE status_slots SET flipped = 1"
    " WHERE session_id IN"
    " (SELECT session_id FROM sessions WHERE account_id = ?)"
    " AND flipped = 0 RETURNING list_id, slot";
constexpr char kInvalidateAll[] = "UPDATE status_lists SET invalidated = 1";
constexpr char kDeleteSlots[] =
    "DELETE FROM status_slots WHERE (list_id, slot) IN ("
    "SELECT s.list_id, s.slot FROM status_lists AS l"
    " JOIN status_slots AS s ON s.list_id = l.list_id"
    " WHERE l.expire_time < ? LIMIT ?)";
constexpr char kDeleteEmptyLists[] =
    "DELETE FROM status_lists WHERE expire_time < ? AND NOT EXISTS"
    " (SELECT 1 FROM status_slots AS s WHERE s.list_id = status_lists.list_id)";

StatusListRow ReadList(Query& query) {
  StatusListRow row;
  row.list_id = query.Key();
  row.slots = query.Uint32();
  row.open_time = query.Time();
  row.close_time = query.Time();
  row.expire_time = query.Time();
  row.invalidated = query.Flag();
  return row;
}

StatusSlot ReadPlace(Query& query) {
  StatusSlot place;
  place.list_id = query.Key();
  place.slot = query.Uint32();
  return place;
}

StatusSlotRow ReadSlot(Query& query) {
  StatusSlotRow row;
  row.place = ReadPlace(query);
  row.session_id = query.Key();
  row.client_id = query.Text();
  row.take_time = query.Time();
  row.flipped = query.Flag();
  return row;
}

}  // namespace

absl::StatusOr<std::vector<StatusListRow>> SqliteStatusLists::Lists() const {
  Query query(connection_, kLists);
  return FindAll(query, ReadList);
}

absl::StatusOr<std::optional<StatusSlotRow>> SqliteStatusLists::NewestOf(
    const Key16& session_id) const {
  Query query(connection_, kNewestOf);
  query.BindKey(session_id);
  return FindOne(query, ReadSlot);
}

absl::StatusOr<std::vector<StatusSlotRow>> SqliteStatusLists::SlotsOf(
    const Key16& list_id, std::int64_t after, std::size_t limit) const {
  Query query(connection_, kSlotsOf);
  query.BindKey(list_id).Bind(after).BindLimit(limit);
  return FindAll(query, ReadSlot);
}

absl::StatusOr<std::vector<StatusSlot>> SqliteStatusLists::FlippedOf(
    const Key16& list_id, std::int64_t after, std::size_t limit) const {
  Query query(connection_, kFlippedOf);
  query.BindKey(list_id).Bind(after).BindLimit(limit);
  return FindAll(query, ReadPlace);
}

absl::Status SqliteStatusLists::Open(const StatusListRow& row) {
  Query query(connection_, kOpen);
  return query.BindKey(row.list_id)
      .Bind(row.slots)
      .BindTime(row.open_time)
      .BindTime(row.close_time)
      .BindTime(row.expire_time)
      .Bind(row.invalidated ? 1 : 0)
      .Run();
}

absl::Status SqliteStatusLists::Take(const StatusSlotRow& row) {
  Query query(connection_, kTake);
  return query.BindKey(row.place.list_id)
      .Bind(row.place.slot)
      .BindKey(row.session_id)
      .BindText(row.client_id)
      .BindTime(row.take_time)
      .Bind(row.flipped ? 1 : 0)
      .Run();
}

absl::StatusOr<std::int64_t> SqliteStatusLists::Flip(const StatusSlot& place) {
  Query query(connection_, kFlip);
  query.BindKey(place.list_id).Bind(place.slot);
  return RunFlip(query);
}

absl::StatusOr<std::int64_t> SqliteStatusLists::FlipSession(
    const Key16& session_id) {
  Query query(connection_, kFlipSession);
  query.BindKey(session_id);
  return RunFlip(query);
}

absl::StatusOr<std::int64_t> SqliteStatusLists::FlipAccount(
    const Key16& account_id) {
  Query query(connection_, kFlipAccount);
  query.BindKey(account_id);
  return RunFlip(query);
}

absl::Status SqliteStatusLists::InvalidateAll() {
  return Query(connection_, kInvalidateAll).Run();
}

absl::StatusOr<std::int64_t> SqliteStatusLists::DeleteExpired(
    absl::Time now, std::size_t limit) {
  Query slots(connection_, kDeleteSlots);
  const absl::StatusOr<std::int64_t> deleted =
      slots.Bind(ToStoredTime(now)).BindLimit(limit).RunCounting();
  if (!deleted.ok()) return deleted;
  Query lists(connection_, kDeleteEmptyLists);
  const absl::Status emptied = lists.Bind(ToStoredTime(now)).Run();
  if (!emptied.ok()) return emptied;
  return deleted;
}

absl::StatusOr<std::int64_t> SqliteStatusLists::RunFlip(Query& query) {
  const absl::StatusOr<std::vector<StatusSlot>> places =
      FindAll(query, ReadPlace);
  if (!places.ok()) return places.status();
  flipped_.insert(flipped_.end(), places->begin(), places->end());
  return static_cast<std::int64_t>(places->size());
}

}  // namespace ostiary::storage::sqlite

#include "storage/sqlite/ledger.h"

#include <algorithm>
#include <utility>

#include "storage/ledger_check.h"
#include "storage/sqlite/query.h"
#include "storage/stored_time.h"

namespace ostiary::storage::sqlite {
namespace {

#define LEDGER_COLUMNS                                                \
  "sequence, kind, key, min_generation, issued_before, commit_time, " \
  "expire_time, reason, running_check"

constexpr char kHead[] =
    "SELECT epoch, sequence, running_check FROM ledger_head WHERE one = 1";
constexpr char kSetHead[] =
    "UPDATE ledger_head SET epoch = ?, sequence = ?, running_check = ?"
    " WHERE one = 1";
constexpr char kAfter[] = "SELECT " LEDGER_COLUMNS
                          " FROM ledger WHERE sequence > ?"
                          " ORDER BY sequence LIMIT ?";
constexpr char kFindNewest[] = "SELECT " LEDGER_COLUMNS
                               " FROM ledger WHERE kind = ? AND key = ?"
                               " ORDER BY sequence DESC LIMIT 1";
constexpr char kAppend[] = "INSERT INTO ledger (" LEDGER_COLUMNS
                           ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
// The second condition is the one of the partial index.
constexpr char kDeleteExpired[] =
    "DELETE FROM ledger WHERE sequence IN ("
    "SELECT sequence FROM ledger"
    " WHERE expire_time < ? AND expire_time < 9223372036854775807"
    " ORDER BY expire_time LIMIT ?)";
#undef LEDGER_COLUMNS

void Bind(Query& query, const LedgerRow& row) {
  query.Bind(row.sequence)
      .Bind(static_cast<std::int64_t>(row.kind))
      .BindText(row.key)
      .Bind(static_cast<std::int64_t>(row.min_generation))
      .BindTime(row.issued_before)
      .BindTime(row.commit_time)
      .BindTime(row.expire_time)
      .BindText(row.reason)
      .Bind(static_cast<std::int64_t>(row.check));
}

void ReadInto(Query& query, LedgerRow& row) {
  row.sequence = query.Int();
  row.kind = static_cast<LedgerKind>(query.Int());
  query.ReadText(row.key);
  row.min_generation = static_cast<std::uint64_t>(query.Int());
  row.issued_before = query.Time();
  row.commit_time = query.Time();
  row.expire_time = query.Time();
  query.ReadText(row.reason);
  row.check = static_cast<std::uint64_t>(query.Int());
}

LedgerRow Read(Query& query) {
  LedgerRow row;
  ReadInto(query, row);
  return row;
}

LedgerHead ReadHead(Query& query) {
  LedgerHead head;
  head.epoch = query.Uint32();
  head.sequence = query.Int();
  head.check = static_cast<std::uint64_t>(query.Int());
  return head;
}

}  // namespace

absl::StatusOr<LedgerHead> SqliteLedger::Head() const {
  Query query(connection_, kHead);
  const absl::StatusOr<std::optional<LedgerHead>> head =
      FindOne(query, ReadHead);
  if (!head.ok()) return head.status();
  if (!head->has_value()) {
    return connection_.Fail(absl::DataLossError("ledger_head has no row"));
  }
  return **head;
}

absl::StatusOr<std::vector<LedgerRow>> SqliteLedger::After(
    std::int64_t after, std::size_t limit) const {
  Query query(connection_, kAfter);
  query.Bind(after).BindLimit(limit);
  return FindAll(query, Read);
}

absl::Status SqliteLedger::ReadAfter(std::int64_t after, std::size_t limit,
                                     std::vector<LedgerRow>& rows) const {
  Query query(connection_, kAfter);
  query.Bind(after).BindLimit(limit);
  std::size_t count = 0;
  for (;; ++count) {
    const absl::StatusOr<bool> found = query.Next();
    if (!found.ok()) return found.status();
    if (!*found) break;
    if (count == rows.size()) rows.emplace_back();
    ReadInto(query, rows[count]);
  }
  rows.resize(count);
  return absl::OkStatus();
}

absl::StatusOr<std::optional<LedgerRow>> SqliteLedger::FindNewest(
    LedgerKind kind, absl::string_view key) const {
  Query query(connection_, kFindNewest);
  query.Bind(static_cast<std::int64_t>(kind)).BindText(key);
  return FindOne(query, Read);
}

absl::StatusOr<LedgerRow> SqliteLedger::Append(LedgerRow row) {
  absl::StatusOr<LedgerHead> head = Head();
  if (!head.ok()) return head.status();
  row.issued_before = AsStored(row.issued_before);
  row.commit_time = AsStored(row.commit_time);
  row.expire_time = AsStored(row.expire_time);
  row.sequence = head->sequence + 1;
  row.check = NextLedgerCheck(head->check, row);
  Query query(connection_, kAppend);
  Bind(query, row);
  const absl::Status inserted = query.Run();
  if (!inserted.ok()) return inserted;
  head->sequence = row.sequence;
  head->check = row.check;
  const absl::Status moved = SetHead(*head);
  if (!moved.ok()) return moved;
  appended_.push_back(row);
  return row;
}

absl::StatusOr<std::int64_t> SqliteLedger::DeleteExpired(absl::Time now,
                                                         std::size_t limit) {
  Query query(connection_, kDeleteExpired);
  return query.Bind(ToStoredTime(now)).BindLimit(limit).RunCounting();
}

absl::Status SqliteLedger::BeginEpoch(std::uint32_t epoch,
                                      std::int64_t sequence_at_least) {
  absl::StatusOr<LedgerHead> head = Head();
  if (!head.ok()) return head.status();
  if (epoch <= head->epoch) {
    return connection_.Fail(
        absl::FailedPreconditionError("ledger: an epoch only rises"));
  }
  head->epoch = epoch;
  head->sequence = std::max(head->sequence, sequence_at_least);
  return SetHead(*head);
}

absl::Status SqliteLedger::SetHead(const LedgerHead& head) {
  Query query(connection_, kSetHead);
  return query.Bind(head.epoch)
      .Bind(head.sequence)
      .Bind(static_cast<std::int64_t>(head.check))
      .Run();
}

}  // namespace ostiary::storage::sqlite

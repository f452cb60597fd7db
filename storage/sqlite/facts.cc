#include "storage/sqlite/facts.h"

#include "storage/sqlite/query.h"

namespace ostiary::storage::sqlite {
namespace {

constexpr char kFind[] = "SELECT value FROM facts WHERE name = ?";
constexpr char kPut[] =
    "INSERT INTO facts (name, value) VALUES (?, ?)"
    " ON CONFLICT (name) DO UPDATE SET value = excluded.value";

}  // namespace

absl::StatusOr<std::optional<std::string>> SqliteFacts::Find(
    absl::string_view name) const {
  Query query(connection_, kFind);
  query.BindText(name);
  return FindOne(query, [](Query& row) { return row.Bytes(); });
}

absl::Status SqliteFacts::Put(absl::string_view name, absl::string_view value) {
  Query query(connection_, kPut);
  return query.BindText(name).BindBytes(value).Run();
}

}  // namespace ostiary::storage::sqlite

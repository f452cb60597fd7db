#include "storage/sqlite/migrations.h"

#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "storage/sqlite/log_settling.h"
#include "storage/sqlite/query.h"

namespace ostiary::storage::sqlite {
namespace {

struct FileState {
  std::int64_t application_id = 0;
  std::int64_t version = 0;
  std::int64_t objects = 0;  // tables and indexes of anyone

  bool fresh() const {
    return application_id == 0 && version == 0 && objects == 0;
  }
};

absl::StatusOr<std::int64_t> Number(Connection& connection, const char* sql) {
  Query query(connection, sql);
  const absl::StatusOr<bool> found = query.Next();
  if (!found.ok()) return found.status();
  return query.Int();
}

absl::StatusOr<FileState> Inspect(Connection& connection) {
  FileState state;
  const auto application = Number(connection, "PRAGMA application_id");
  if (!application.ok()) return application.status();
  const auto version = Number(connection, "PRAGMA user_version");
  if (!version.ok()) return version.status();
  const auto objects = Number(connection, "SELECT count(*) FROM sqlite_schema");
  if (!objects.ok()) return objects.status();
  state.application_id = *application;
  state.version = *version;
  state.objects = *objects;
  return state;
}

absl::Status NotOurs(const std::string& path) {
  return absl::FailedPreconditionError(absl::StrCat(
      path,
      " is not a store of Ostiary; name another file, or move this one"
      " away and a new store is created in its place"));
}

absl::Status Refusal(const FileState& state, const std::string& path,
                     std::int64_t newest) {
  if (state.fresh()) return absl::OkStatus();
  if (state.application_id != kApplicationId) return NotOurs(path);
  if (state.version <= newest) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      path, " has schema version ", state.version,
      " and this program knows versions up to ", newest,
      "; start the newer release that wrote it, or restore a backup made"
      " before the upgrade"));
}

absl::Status SwitchToWal(Connection& connection, const std::string& path) {
  Query query(connection, "PRAGMA journal_mode = WAL");
  const absl::StatusOr<bool> answered = query.Next();
  if (!answered.ok()) return answered.status();
  if (query.Text() == "wal") return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      path,
      " is on a file system that cannot hold a write-ahead log (no"
      " shared memory, as on most network file systems); put the store"
      " on a local disk"));
}

// Checks again under the write lock: another process may have been faster.
absl::Status StepLocked(Connection& connection, const std::string& path,
                        const std::vector<Migration>& migrations, bool* done) {
  const absl::StatusOr<FileState> state = Inspect(connection);
  if (!state.ok()) return state.status();
  const auto newest = static_cast<std::int64_t>(migrations.size());
  const absl::Status refusal = Refusal(*state, path, newest);
  if (!refusal.ok()) return refusal;
  *done = state->version == newest;
  if (*done) return absl::OkStatus();
  const Migration& next = migrations[static_cast<std::size_t>(state->version)];
  const absl::Status applied = connection.Execute(next.sql);
  if (!applied.ok()) return applied;
  return connection.Execute(
      absl::StrCat("PRAGMA application_id = ", kApplicationId,
                   "; PRAGMA user_version = ", next.version));
}

absl::Status Step(Connection& connection, const std::string& path,
                  const std::vector<Migration>& migrations, bool* done) {
  const absl::Status begun = connection.Execute("BEGIN IMMEDIATE");
  if (!begun.ok()) return begun;
  const absl::Status status = StepLocked(connection, path, migrations, done);
  if (status.ok()) return connection.Execute("COMMIT");
  connection.Execute("ROLLBACK").IgnoreError();
  return status;
}

}  // namespace

absl::Status Migrate(Connection& connection, const std::string& path,
                     const std::vector<Migration>& migrations) {
  // Before anything is written, be it the journal mode.
  const absl::StatusOr<FileState> state = Inspect(connection);
  if (absl::IsFailedPrecondition(state.status())) return NotOurs(path);
  if (!state.ok()) return state.status();
  const absl::Status refusal =
      Refusal(*state, path, static_cast<std::int64_t>(migrations.size()));
  if (!refusal.ok()) return refusal;
  const absl::Status wal = SwitchToWal(connection, path);
  if (!wal.ok()) return wal;
  const absl::Status settled = SettleLog(connection);
  if (!settled.ok()) return settled;
  for (bool done = false; !done;) {
    const absl::Status step = Step(connection, path, migrations, &done);
    if (!step.ok()) return step;
  }
  return absl::OkStatus();
}

}  // namespace ostiary::storage::sqlite

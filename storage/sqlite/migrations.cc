#include "storage/sqlite/migrations.h"

#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "storage/fail_point.h"
#include "storage/sqlite/file_header.h"
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

absl::Status IsBackup(const std::string& path) {
  return absl::FailedPreconditionError(absl::StrCat(
      path,
      " is a backup that was copied into place; run ostiaryd restore "
      "--sessions=end|keep to take it over safely"));
}

absl::Status Refusal(const FileState& state, const std::string& path,
                     std::int64_t newest) {
  if (state.fresh()) return absl::OkStatus();
  if (state.application_id == kBackupId) return IsBackup(path);
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

// One statement after the other, so that a test can kill between two.
absl::Status RunScript(Connection& connection, const char* sql) {
  while (*sql != '\0') {
    sqlite3_stmt* statement = nullptr;
    int code =
        sqlite3_prepare_v2(connection.handle(), sql, -1, &statement, &sql);
    if (code == SQLITE_OK && statement == nullptr) continue;  // a comment
    while (code == SQLITE_OK || code == SQLITE_ROW)
      code = sqlite3_step(statement);
    const absl::Status ran =
        code == SQLITE_DONE ? absl::OkStatus() : connection.ErrorFor(code);
    sqlite3_finalize(statement);
    if (!ran.ok()) return ran;
    Pass(FailPoint::kMigrationBetween);
  }
  return absl::OkStatus();
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
  Pass(FailPoint::kMigrationBefore);
  const absl::Status applied = RunScript(connection, next.sql);
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
  if (!status.ok()) {
    connection.Execute("ROLLBACK").IgnoreError();
    return status;
  }
  if (!*done) Pass(FailPoint::kMigrationCommit);
  const absl::Status committed = connection.Execute("COMMIT");
  if (committed.ok() && !*done) Pass(FailPoint::kMigrationAfter);
  return committed;
}

std::int64_t BigEndian32(const std::string& bytes, std::size_t at) {
  std::uint32_t number = 0;
  for (std::size_t i = at; i < at + 4; ++i)
    number = number << 8 | static_cast<unsigned char>(bytes[i]);
  return number;
}

}  // namespace

absl::Status RefuseNewerFile(const std::string& header, const std::string& path,
                             const std::vector<Migration>& migrations) {
  FileState state;
  state.version = BigEndian32(header, 60);
  state.application_id = BigEndian32(header, 68);
  if (state.application_id != kApplicationId &&
      state.application_id != kBackupId) {
    return absl::OkStatus();
  }
  return Refusal(state, path, static_cast<std::int64_t>(migrations.size()));
}

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

absl::Status CheckSchema(Connection& connection, const std::string& path,
                         const std::vector<Migration>& migrations) {
  const absl::StatusOr<FileState> state = Inspect(connection);
  if (!state.ok()) return state.status();
  if (state->application_id == kApplicationId &&
      state->version == static_cast<std::int64_t>(migrations.size())) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(
      absl::StrCat(path, " is not a store of this program's schema"));
}

}  // namespace ostiary::storage::sqlite

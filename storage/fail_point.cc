#include "storage/fail_point.h"

#include <signal.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace ostiary::storage {
namespace {

struct Named {
  FailPoint point;
  absl::string_view name;
  absl::string_view meaning;
};

constexpr std::array<Named, kFailPoints> kTable = {{
    {FailPoint::kCommitBefore, "commit.before",
     "a group is applied, its COMMIT has not begun"},
    {FailPoint::kCommitAfter, "commit.after",
     "durable, and not yet in force in memory"},
    {FailPoint::kCommitAnnounced, "commit.announced",
     "in force in memory and on the feed, no caller answered"},
    {FailPoint::kReplyBefore, "reply.before",
     "a call is done, its reply has not left"},
    {FailPoint::kMigrationBefore, "migration.before",
     "a step of the schema is about to begin"},
    {FailPoint::kMigrationBetween, "migration.between",
     "one statement of a step has run"},
    {FailPoint::kMigrationCommit, "migration.commit",
     "a step is applied, its COMMIT has not begun"},
    {FailPoint::kMigrationAfter, "migration.after", "a step is durable"},
    {FailPoint::kCheckpointBefore, "checkpoint.before",
     "the log is about to be copied into the file"},
    {FailPoint::kCheckpointAfter, "checkpoint.after",
     "the log has been copied into the file"},
    {FailPoint::kKeyBefore, "key.before",
     "signing keys are about to change in the store"},
    {FailPoint::kKeyAfter, "key.after",
     "signing keys have changed in the store and not yet in memory"},
    {FailPoint::kRevokedFileBefore, "key.revoked-file.before",
     "a key is revoked in the store and not yet in the file revoked-keys"},
    {FailPoint::kRevokedFileAfter, "key.revoked-file.after",
     "a key is revoked in both, and nobody has been told"},
    {FailPoint::kMarkBefore, "mark.before",
     "the new mark is written beside the old one"},
    {FailPoint::kMarkAfter, "mark.after", "the new mark has its name"},
    {FailPoint::kStartKek, "start.kek",
     "the key-encryption key is there, the store not yet opened"},
    {FailPoint::kStartStore, "start.store",
     "the store is opened, nothing read from it"},
    {FailPoint::kStartKeys, "start.keys",
     "the signing keys are there, the symmetric ones not yet"},
    {FailPoint::kStartSymmetric, "start.symmetric",
     "a symmetric key is made and not yet stored"},
    {FailPoint::kRestoreSessions, "restore.sessions",
     "ostiaryd restore has signed out a page of accounts"},
    {FailPoint::kRestoreEpoch, "restore.epoch",
     "ostiaryd restore has begun its epoch, the mark does not know it"},
    {FailPoint::kRestoreCopied, "restore.copied",
     "ostiaryd restore has copied the backup and looked at nothing in it"},
    {FailPoint::kRestoreAside, "restore.aside",
     "the store that is replaced has a second name"},
    {FailPoint::kRestoreLogAside, "restore.log-aside",
     "the log of the store that is replaced has been taken away"},
    {FailPoint::kRestorePlaced, "restore.placed",
     "the restored store has its place, the folder is not synced"},
    {FailPoint::kBackupBefore, "backup.before",
     "a backup is whole and has not its name"},
    {FailPoint::kBackupAfter, "backup.after",
     "a backup has its name, and nobody has been told"},
}};

std::atomic<std::int64_t> passages_left{0};

std::string Names() {
  std::string names;
  for (const Named& named : kTable)
    absl::StrAppend(&names, names.empty() ? "" : ", ", named.name);
  return names;
}

}  // namespace

void CountPassage() {
  if (passages_left.fetch_sub(1) != 1) return;
  kill(getpid(), SIGKILL);
  for (;;) pause();  // other threads may be first to notice
}

absl::Status ArmFailPoint(absl::string_view text) {
  const std::size_t colon = text.find(':');
  const absl::string_view name = text.substr(0, colon);
  std::int64_t passage = 1;
  const bool counted =
      colon == absl::string_view::npos ||
      (absl::SimpleAtoi(text.substr(colon + 1), &passage) && passage >= 1);
  for (const Named& named : kTable) {
    if (!counted || named.name != name) continue;
    passages_left.store(passage);
    armed_fail_point.store(static_cast<int>(named.point));
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("expected NAME or NAME:N, to die at the N-th passage (from "
                   "1) of one of: ",
                   Names()));
}

std::string FailPointTable() {
  std::string table;
  for (const Named& named : kTable)
    absl::StrAppend(&table, named.name, "  ", named.meaning, "\n");
  return table;
}

}  // namespace ostiary::storage

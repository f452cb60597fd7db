#include "storage/sqlite/writer.h"

#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "storage/fail_point.h"
#include "storage/sqlite/query.h"

namespace ostiary::storage::sqlite {
namespace {

absl::Status NotCommitted(const absl::Status& cause) {
  return absl::Status(absl::IsResourceExhausted(cause)
                          ? absl::StatusCode::kResourceExhausted
                          : absl::StatusCode::kUnavailable,
                      absl::StrCat("not committed: ", cause.message()));
}

absl::Status NoRoomForThis() {
  return absl::ResourceExhaustedError(
      "the disk is full: only what ends access is written until there is room "
      "again");
}

// What a failed COMMIT with this code left behind. The commit record is the
// last thing written to the log before the sync: if writing failed, there is
// none, and what is there is overwritten by the next commit. If anything after
// it failed, foremost the sync, the record may survive a crash or may not.
absl::Status CommitFailure(int code, const absl::Status& cause) {
  if ((code & 0xff) == SQLITE_FULL || code == SQLITE_IOERR_WRITE) {
    return NotCommitted(cause);
  }
  return absl::UnknownError(
      absl::StrCat("the commit failed: ", cause.message()));
}

}  // namespace

struct Writer::Operation {
  Store::WriteFn fn;
  // Written by the writer's thread before the gate opens.
  absl::Status outcome = absl::OkStatus();
  bool ends_access = false;  // known on a full disk only
};

// Where the callers of one group wait. All are woken by one call of the
// kernel's, and each goes on without taking a lock: woken one by one with a
// condition variable, each would run into the mutex that its waker still holds
// and go to sleep a second time.
class Writer::Gate {
 public:
  void Open() {
    open_.store(1, std::memory_order_release);
    futex(FUTEX_WAKE_PRIVATE, std::numeric_limits<int>::max());
  }
  void Wait() {
    while (open_.load(std::memory_order_acquire) == 0)
      futex(FUTEX_WAIT_PRIVATE, 0);
  }

 private:
  void futex(int operation, int value) {
    syscall(SYS_futex, &open_, operation, value, nullptr, nullptr, 0);
  }
  std::atomic<int> open_{0};
};

Writer::Writer(std::unique_ptr<Connection> connection,
               std::unique_ptr<Reserve> reserve, Readers& readers,
               CommitNumber& commits, StoreListener listener)
    : connection_(std::move(connection)),
      commits_(commits),
      listener_(std::move(listener)),
      tx_(*connection_),
      checkpointer_(*connection_, readers),
      reserve_(std::move(reserve)),
      disk_full_(!reserve_->whole()),
      waiting_{{}, std::make_shared<Gate>()},
      thread_([this] { Loop(); }) {}

Writer::~Writer() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  arrived_.notify_one();
  thread_.join();
}

absl::Status Writer::Write(Store::WriteFn fn) {
  if (std::this_thread::get_id() == thread_.get_id()) {
    return absl::FailedPreconditionError(
        "Write called from within a Write: it would wait for itself");
  }
  Operation operation{fn};
  std::shared_ptr<Gate> gate;
  bool first = false;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    first = waiting_.operations.empty();
    waiting_.operations.push_back(&operation);
    gate = waiting_.gate;
  }
  if (first) arrived_.notify_one();
  gate->Wait();
  return std::move(operation.outcome);
}

DiskRoom Writer::disk_room() const {
  return {disk_full_.load(std::memory_order_relaxed), reserve_->bytes()};
}

void Writer::Loop() {
  bool crowded = false;
  for (;;) {
    // Those just answered come back with their next call, and those that were
    // about to call: whoever is ready to run on this core goes first, so that
    // fewer groups carry the same calls. No timer: alone, we go on at once.
    if (crowded) sched_yield();
    Group group = TakeWaiting();
    if (group.operations.empty()) break;
    crowded = group.operations.size() > 1;
    Run(std::move(group));
    if (absl::IsResourceExhausted(checkpointer_.AfterCommit()) && MakeRoom())
      CopyLog();
  }
  checkpointer_.Finish();
}

Writer::Group Writer::TakeWaiting() {
  std::unique_lock<std::mutex> lock(mutex_);
  arrived_.wait(lock,
                [this] { return stopping_ || !waiting_.operations.empty(); });
  return std::exchange(waiting_, {{}, std::make_shared<Gate>()});
}

void Writer::Run(Group group) {
  const absl::Time began = absl::Now();
  const auto start = std::chrono::steady_clock::now();
  LedgerHead head;
  const absl::Status committed = CommitWithRoom(group, &head);
  if (committed.ok()) {
    Pass(FailPoint::kCommitAfter);
    // Before anyone is answered: whoever reads after an answer must not be
    // given a snapshot kept from before.
    commits_.fetch_add(1);
    Announce(head);
    Pass(FailPoint::kCommitAnnounced);
    if (listener_.on_commit && !group.operations.empty()) {
      listener_.on_commit(
          began, absl::FromChrono(std::chrono::steady_clock::now() - start),
          group.operations.size());
    }
  } else {
    for (Operation* operation : group.operations)
      operation->outcome = committed;
  }
  group.gate->Open();  // the operations are gone from here on
}

absl::Status Writer::CommitWithRoom(Group& group, LedgerHead* head) {
  if (disk_full_ && reserve_->Refill()) disk_full_ = false;
  if (!disk_full_) {
    absl::Status committed = Commit(group, head);
    if (!absl::IsResourceExhausted(committed)) return committed;
    disk_full_ = true;
  }
  return CommitFromReserve(group, head);
}

absl::Status Writer::CommitFromReserve(Group& group, LedgerHead* head) {
  for (;;) {
    absl::Status committed = KeepWhatEndsAccess(group);
    if (committed.ok() && !group.operations.empty())
      committed = Commit(group, head);
    if (!absl::IsResourceExhausted(committed) || !MakeRoom()) return committed;
    CopyLog();
  }
}

// Runs everything once to see, and undoes it: what is rolled back to a
// savepoint would still be written by the commit, page for page.
absl::Status Writer::KeepWhatEndsAccess(Group& group) {
  const absl::StatusOr<Applied> applied = ApplyAll(group, Undo::kToSavepoint);
  if (!applied.ok()) return Abandon(NotCommitted(applied.status()));
  Abandon(absl::OkStatus()).IgnoreError();
  auto& operations = group.operations;
  operations.erase(std::remove_if(operations.begin(), operations.end(),
                                  [](const Operation* operation) {
                                    return !operation->ends_access;
                                  }),
                   operations.end());
  return absl::OkStatus();
}

bool Writer::MakeRoom() {
  disk_full_ = true;
  return reserve_->GiveUpPiece();
}

void Writer::CopyLog() {
  while (absl::IsResourceExhausted(checkpointer_.CopyNow()) && MakeRoom()) {
  }
}

absl::Status Writer::Commit(const Group& group, LedgerHead* head) {
  absl::StatusOr<Applied> applied = ApplyAll(group, Undo::kWithGroup);
  if (applied.ok() && *applied == Applied::kGroupMustBeUndone)
    applied = ApplyAll(group, Undo::kToSavepoint);
  if (!applied.ok()) return Abandon(NotCommitted(applied.status()));
  if (!tx_.ledger().appended().empty()) {
    const absl::StatusOr<LedgerHead> read = tx_.ledger().Head();
    if (!read.ok()) return Abandon(NotCommitted(read.status()));
    *head = *read;
  }
  Pass(FailPoint::kCommitBefore);
  Query commit(*connection_, "COMMIT");
  const absl::Status committed = commit.Run();
  if (committed.ok()) return absl::OkStatus();
  return Abandon(CommitFailure(connection_->last_code(), committed));
}

absl::StatusOr<Writer::Applied> Writer::ApplyAll(const Group& group,
                                                 Undo undo) {
  Abandon(absl::OkStatus()).IgnoreError();
  const absl::Status begun = Query(*connection_, "BEGIN IMMEDIATE").Run();
  if (!begun.ok()) return begun;
  for (Operation* operation : group.operations) {
    const absl::StatusOr<Applied> applied = undo == Undo::kWithGroup
                                                ? Apply(*operation)
                                                : ApplyInSavepoint(*operation);
    if (!applied.ok() || *applied != Applied::kAll) return applied;
  }
  return Applied::kAll;
}

absl::StatusOr<Writer::Applied> Writer::Apply(Operation& operation) {
  const News before = news();
  const std::int64_t changes = connection_->total_changes();
  const absl::Status ran = RunBody(operation);
  if (!ran.ok()) return ran;
  if (operation.outcome.ok()) return Applied::kAll;
  KeepNews(before);
  return connection_->total_changes() == changes ? Applied::kAll
                                                 : Applied::kGroupMustBeUndone;
}

absl::StatusOr<Writer::Applied> Writer::ApplyInSavepoint(Operation& operation) {
  const News before = news();
  const Written written_before = written();
  const absl::Status set = Query(*connection_, "SAVEPOINT operation").Run();
  if (!set.ok()) return set;
  const absl::Status ran = RunBody(operation);
  if (!ran.ok()) return ran;
  if (disk_full_ && operation.outcome.ok()) {
    operation.ends_access = EndsAccess(written_before);
    const bool wrote = connection_->total_changes() != written_before.rows;
    if (wrote && !operation.ends_access) operation.outcome = NoRoomForThis();
  }
  if (!operation.outcome.ok()) {
    KeepNews(before);
    const absl::Status back =
        Query(*connection_, "ROLLBACK TO operation").Run();
    if (!back.ok()) return back;
  }
  const absl::Status released = Query(*connection_, "RELEASE operation").Run();
  if (!released.ok()) return released;
  return Applied::kAll;
}

absl::Status Writer::RunBody(Operation& operation) {
  operation.outcome = operation.fn(tx_);
  // The disk is full for the whole group.
  const absl::Status failure = connection_->failure();
  if (absl::IsResourceExhausted(failure)) return failure;
  // A body that overlooked an error of the store's is not committed.
  if (operation.outcome.ok()) operation.outcome = connection_->failure();
  // A full disk or an I/O error makes SQLite roll everything back by itself.
  if (!connection_->in_transaction()) {
    return absl::UnavailableError("sqlite gave the transaction up");
  }
  connection_->ClearFailure();
  return absl::OkStatus();
}

Writer::Written Writer::written() {
  const News told = news();
  return {connection_->total_changes(),
          static_cast<std::int64_t>(told.appended + told.flipped),
          tx_.sessions().opened()};
}

// One that also opens a session would use the reserve up, one sign-in after the
// other.
bool Writer::EndsAccess(const Written& before) {
  const Written now = written();
  return now.endings > before.endings &&
         now.sessions_opened == before.sessions_opened;
}

absl::Status Writer::Abandon(absl::Status cause) {
  connection_->ClearFailure();
  KeepNews({});
  if (connection_->in_transaction()) {
    Query(*connection_, "ROLLBACK").Run().IgnoreError();
    connection_->ClearFailure();
  }
  return cause;
}

Writer::News Writer::news() {
  return {tx_.ledger().appended().size(), tx_.status_lists().flipped().size()};
}

void Writer::KeepNews(const News& news) {
  tx_.ledger().KeepAppended(news.appended);
  tx_.status_lists().KeepFlipped(news.flipped);
}

void Writer::Announce(const LedgerHead& head) {
  const std::vector<StatusSlot>& flipped = tx_.status_lists().flipped();
  if (!flipped.empty() && listener_.on_status_flips)
    listener_.on_status_flips(flipped);
  const std::vector<LedgerRow>& rows = tx_.ledger().appended();
  if (rows.empty() || !listener_.on_ledger) return;
  listener_.on_ledger(head, rows);
}

}  // namespace ostiary::storage::sqlite

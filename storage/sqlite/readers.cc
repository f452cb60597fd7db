#include "storage/sqlite/readers.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/sqlite/query.h"

namespace ostiary::storage::sqlite {
namespace {

absl::Status Begin(Connection& connection) {
  return Query(connection, "BEGIN").Run();
}

}  // namespace

Readers::Readers(std::vector<std::unique_ptr<Connection>> connections,
                 const CommitNumber& commits)
    : commits_(commits) {
  for (std::unique_ptr<Connection>& connection : connections) {
    readers_.push_back(std::make_unique<Reader>(std::move(connection)));
    idle_.push_back(readers_.back().get());
  }
  forgetter_ = std::thread([this] { ForgetOldSnapshots(); });
}

Readers::~Readers() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  kept_.notify_one();
  forgetter_.join();
}

absl::Status Readers::Read(Store::ReadFn fn) {
  Reader* const reader = Take();
  absl::Status status = Refresh(*reader);
  if (status.ok()) status = Run(*reader, fn);
  GiveBack(reader);
  return status;
}

absl::Status Readers::ReadRecent(Store::ReadFn fn) {
  Reader* const reader = Take();
  const bool recent =
      reader->has_snapshot && Clock::now() - reader->opened_at < kKeepSnapshot;
  absl::Status status = recent ? absl::OkStatus() : Refresh(*reader);
  if (status.ok()) status = Run(*reader, fn);
  GiveBack(reader);
  return status;
}

absl::Status Readers::Run(Reader& reader, Store::ReadFn fn) {
  absl::Status status = fn(reader.tx);
  // After an error of the file's the next Read starts from scratch.
  if (!reader.connection->failure().ok()) EndSnapshot(reader);
  return status;
}

Readers::NoSnapshotsKept::NoSnapshotsKept(Readers& readers)
    : readers_(readers) {
  {
    const std::lock_guard<std::mutex> lock(readers_.mutex_);
    readers_.keeping_ = false;
  }
  readers_.EndIdleSnapshots(Clock::time_point::max());
}

Readers::NoSnapshotsKept::~NoSnapshotsKept() {
  const std::lock_guard<std::mutex> lock(readers_.mutex_);
  readers_.keeping_ = true;
  // A Read that is still under way is in the log from before.
  ++readers_.pauses_;
}

Readers::Reader* Readers::Take() {
  std::unique_lock<std::mutex> lock(mutex_);
  freed_.wait(lock, [this] { return !idle_.empty(); });
  Reader* const reader = idle_.back();
  idle_.pop_back();
  reader->pause = pauses_;
  return reader;
}

void Readers::GiveBack(Reader* reader) {
  reader->used_at = Clock::now();
  std::unique_lock<std::mutex> lock(mutex_);
  // Asked under the lock: who stops the keeping then looks through `idle_`, so
  // either we see it here or the reader is found there.
  if (reader->has_snapshot && (!keeping_ || reader->pause != pauses_)) {
    lock.unlock();
    EndSnapshot(*reader);
    lock.lock();
  }
  idle_.push_back(reader);
  const bool wake_forgetter = reader->has_snapshot && forgetter_sleeps_;
  lock.unlock();
  freed_.notify_one();
  if (wake_forgetter) kept_.notify_one();
}

absl::Status Readers::Refresh(Reader& reader) {
  // Read before the snapshot is opened, which may therefore be newer than the
  // number says, never older.
  const std::uint64_t commit = commits_.load();
  if (reader.has_snapshot && reader.commit == commit) return absl::OkStatus();
  EndSnapshot(reader);
  const absl::Status begun = Begin(*reader.connection);
  if (!begun.ok()) {
    return absl::UnavailableError(
        absl::StrCat("no snapshot to read: ", begun.message()));
  }
  reader.has_snapshot = true;
  reader.opened_at = Clock::now();
  reader.commit = commit;
  return absl::OkStatus();
}

void Readers::EndSnapshot(Reader& reader) {
  Connection& connection = *reader.connection;
  connection.ClearFailure();
  reader.has_snapshot = false;
  if (!connection.in_transaction()) return;
  // It wrote nothing; the one thing that ending it does is to drop its lock.
  Query(connection, "ROLLBACK").Run().IgnoreError();
  connection.ClearFailure();
}

void Readers::EndIdleSnapshots(Clock::time_point before) {
  std::vector<Reader*> taken;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto old = std::stable_partition(
        idle_.begin(), idle_.end(), [before](const Reader* reader) {
          return !reader->has_snapshot || reader->used_at >= before;
        });
    taken.assign(old, idle_.end());
    idle_.erase(old, idle_.end());
  }
  if (taken.empty()) return;
  for (Reader* reader : taken) EndSnapshot(*reader);
  {
    // In front: those behind are the ones with a snapshot worth having.
    const std::lock_guard<std::mutex> lock(mutex_);
    idle_.insert(idle_.begin(), taken.begin(), taken.end());
  }
  freed_.notify_all();
}

bool Readers::AnyIdleSnapshotLocked() const {
  return std::any_of(idle_.begin(), idle_.end(),
                     [](const Reader* reader) { return reader->has_snapshot; });
}

void Readers::ForgetOldSnapshots() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stopping_) {
    forgetter_sleeps_ = true;
    kept_.wait(lock, [this] { return stopping_ || AnyIdleSnapshotLocked(); });
    forgetter_sleeps_ = false;
    kept_.wait_for(lock, kKeepSnapshot, [this] { return stopping_; });
    lock.unlock();
    EndIdleSnapshots(Clock::now() - kKeepSnapshot);
    lock.lock();
  }
}

}  // namespace ostiary::storage::sqlite

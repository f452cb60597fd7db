#ifndef OSTIARY_TESTS_SERVER_DOOR_FEED_FIXTURE_H_
#define OSTIARY_TESTS_SERVER_DOOR_FEED_FIXTURE_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "server/base/log.h"
#include "tests/server/door/feed_reader.h"
#include "tests/server/key/ring_fixture.h"
#include "tests/server/revocation/small_ledger.h"

namespace ostiary::testing {

// Of heartbeats, where a test wants none but the one at the beginning.
constexpr absl::Duration kNever = absl::Hours(1);

// A feed over a ledger and keys in memory, without a wire.
class FeedFixture : public RingFixture {
 protected:
  FeedFixture() {
    options_.most_watchers = 1000;
    options_.window = absl::Milliseconds(1);
    options_.heartbeat = kNever;
    MakeLedger(1000);
  }

  void MakeLedger(std::size_t remembered, std::uint32_t epoch = 1) {
    ledger_ = std::make_unique<SmallLedger>(remembered, epoch);
  }
  void Start() { StartWith(clock_); }
  void StartWith(const Clock& clock) {
    feed_ = std::make_unique<door::RevocationFeed>(
        door::RevocationFeed::Rooms{clock, ledger_->set, ledger_->log, *ring_,
                                    logger_},
        options_);
  }

  // Revokes a token.
  storage::LedgerHead Commit(const std::string& token_id) {
    return ledger_->CommitToken(token_id, clock_.Now() + absl::Minutes(15));
  }
  storage::LedgerHead CommitMany(int count) {
    std::vector<storage::LedgerRow> rows;
    for (int i = 0; i < count; ++i) {
      rows.push_back(TokenRow("many-" + std::to_string(i),
                              clock_.Now() + absl::Minutes(15)));
    }
    return ledger_->Commit(std::move(rows));
  }

  std::unique_ptr<TestWatcher> Watch(
      const std::string& cursor = "",
      door::SnapshotForm form = door::SnapshotForm::kReadable) {
    v1::WatchRequest request;
    request.set_cursor(cursor);
    request.set_compact(form == door::SnapshotForm::kCompact);
    return std::make_unique<TestWatcher>(*feed_, request);
  }
  // A watcher that has its snapshot.
  std::unique_ptr<TestWatcher> Settled() {
    auto watcher = Watch();
    while (watcher->reader.snapshots == 0 && !HasFailure()) watcher->Await();
    return watcher;
  }
  // The one that a newcomer is sent, so that the next frame is news.
  static void ReadHeartbeats(const std::vector<TestWatcher*>& watchers) {
    for (TestWatcher* watcher : watchers) {
      while (const door::Frame frame = watcher->Next())
        watcher->reader.Apply(Parsed(frame));
    }
  }

  Logger logger_{LogFormat::kText, LogLevel::kError};
  door::RevocationFeed::Options options_;
  std::unique_ptr<SmallLedger> ledger_;
  std::unique_ptr<door::RevocationFeed> feed_;
};

}  // namespace ostiary::testing

#endif  // OSTIARY_TESTS_SERVER_DOOR_FEED_FIXTURE_H_

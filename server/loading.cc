#include "server/loading.h"

#include <algorithm>
#include <cstdint>
#include <thread>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "server/revocation/access_ceiling.h"
#include "server/settings.h"

namespace ostiary {
namespace {

// A commit that takes longer has kept clients waiting: their retry window does
// not run meanwhile.
constexpr absl::Duration kStalledCommit = absl::Seconds(1);

using Rows = std::vector<storage::LedgerRow>;

// Few enough to be in the cache still when they are applied.
constexpr std::size_t kRowsAtATime = 1000;

// Gives `take` the rows with a sequence > `after` and <= `last`, in order.
absl::Status ReadLedger(storage::Store& store, std::int64_t after,
                        std::int64_t last,
                        absl::FunctionRef<void(const Rows& rows)> take) {
  for (;;) {
    auto rows = storage::ReadValue<Rows>(store, [&](storage::ReadTx& tx) {
      return tx.ledger().After(after, kRowsAtATime);
    });
    if (!rows.ok()) return rows.status();
    bool done = rows->size() < kRowsAtATime;
    while (!rows->empty() && rows->back().sequence > last) {
      rows->pop_back();
      done = true;
    }
    take(*rows);
    if (done) return absl::OkStatus();
    after = rows->back().sequence;
  }
}

// The sequence in the middle of a ledger that is worth two threads: rows up to
// it are none that the feed remembers. 0: one thread will do.
absl::StatusOr<std::int64_t> MiddleOf(storage::Store& store,
                                      std::int64_t last) {
  const auto first = storage::ReadValue<Rows>(
      store, [](storage::ReadTx& tx) { return tx.ledger().After(0, 1); });
  if (!first.ok()) return first.status();
  if (first->empty()) return 0;
  const std::int64_t middle =
      std::min(first->front().sequence / 2 + last / 2,
               last - static_cast<std::int64_t>(kFeedRows));
  return middle > first->front().sequence ? middle : 0;
}

// The older half is loaded beside the newer one: which row about a thing comes
// first makes no difference to what is in force, only the feed is in order.
absl::Status LoadLedger(storage::Store& store, const storage::LedgerHead& head,
                        Aftermath& aftermath) {
  const auto middle = MiddleOf(store, head.sequence);
  if (!middle.ok()) return middle.status();
  absl::Status older;
  std::thread older_half;
  if (*middle > 0) {
    aftermath.feed_log.BeginAfter(*middle);
    older_half = std::thread([&] {
      older = ReadLedger(store, 0, *middle, [&](const Rows& rows) {
        aftermath.revocations.Apply(head, rows);
        aftermath.sweep.Announce(rows);
      });
    });
  }
  const absl::Status newer =
      ReadLedger(store, *middle, head.sequence, [&](const Rows& rows) {
        aftermath.revocations.Apply(head, rows);
        aftermath.feed_log.Append(head, rows);
        aftermath.sweep.Announce(rows);
      });
  if (older_half.joinable()) older_half.join();
  return newer.ok() ? older : newer;
}

}  // namespace

storage::StoreListener Aftermath::Listener() {
  storage::StoreListener listener;
  listener.on_ledger = [this](const storage::LedgerHead& head,
                              const std::vector<storage::LedgerRow>& rows) {
    revocations.Apply(head, rows);
    feed_log.Append(head, rows);
    sweep.Announce(rows);
  };
  listener.on_status_flips =
      [this](const std::vector<storage::StatusSlot>& flipped) {
        status_lists.Apply(flipped);
      };
  listener.on_commit = [this](absl::Time began, absl::Duration took,
                              std::size_t count) {
    commit_seconds.Observe(took);
    operations.Increment(static_cast<double>(count));
    if (took > kStalledCommit) serving_time.AddPause(began, began + took);
  };
  return listener;
}

absl::StatusOr<Loaded> Load(const Config& config, Foundation& foundation,
                            Aftermath& aftermath, Random& random) {
  storage::Store& store = *foundation.store;
  const absl::Time now = foundation.clock.Now();
  if (auto status = aftermath.status_lists.Load(store); !status.ok())
    return status;
  if (auto status = aftermath.sweep.Load(store); !status.ok()) return status;
  if (auto status = LoadLedger(store, foundation.head, aftermath);
      !status.ok()) {
    return status;
  }
  auto keys =
      key::KeyRing::Load(store, foundation.kek, KeyRingOptionsOf(config), now);
  if (!keys.ok()) return keys.status();
  const auto symmetric = [&](absl::string_view purpose) {
    return key::SymmetricKeys::LoadOrCreate(store, foundation.kek, purpose,
                                            random, now);
  };
  auto refresh = symmetric(key::kRefreshPurpose);
  if (!refresh.ok()) return refresh.status();
  auto identifier = symmetric(key::kIdentifierHashPurpose);
  if (!identifier.ok()) return identifier.status();
  auto decoy = symmetric(key::kDecoyPurpose);
  if (!decoy.ok()) return decoy.status();
  auto ceiling = revocation::AgreeOnAccessCeiling(
      store, config.access_token_lifetime, now);
  if (!ceiling.ok()) return ceiling.status();
  auto past_epochs = revocation::LoadPastEpochs(store);
  if (!past_epochs.ok()) return past_epochs.status();
  std::unique_ptr<CertificateStore> certificates;
  if (config.UsesTls()) {
    auto opened = CertificateStore::Open(
        {config.tls_cert, config.tls_key, config.tls_client_ca});
    if (!opened.ok()) return opened.status();
    certificates = *std::move(opened);
  }
  auto minter = token::AccessTokenMinter::Create(
      {config.issuer, config.access_token_lifetime});
  if (!minter.ok()) return minter.status();
  auto verifier = jwt::Verifier::Create(VerifierOptionsOf(config));
  if (!verifier.ok()) return verifier.status();
  return Loaded{*std::move(keys),
                *std::move(refresh),
                *std::move(identifier),
                *std::move(decoy),
                *ceiling,
                *std::move(past_epochs),
                std::move(certificates),
                *std::move(minter),
                *std::move(verifier)};
}

}  // namespace ostiary

#include "server/loading.h"

#include <cstdint>
#include <utility>
#include <vector>

#include "server/revocation/access_ceiling.h"
#include "server/settings.h"

namespace ostiary {
namespace {

// A commit that takes longer has kept clients waiting: their retry window does
// not run meanwhile.
constexpr absl::Duration kStalledCommit = absl::Seconds(1);

absl::Status LoadLedger(storage::Store& store, const storage::LedgerHead& head,
                        Aftermath& aftermath) {
  constexpr std::size_t kRowsAtATime = 10000;
  std::int64_t after = 0;
  for (;;) {
    using Rows = std::vector<storage::LedgerRow>;
    auto rows = storage::ReadValue<Rows>(store, [&](storage::ReadTx& tx) {
      return tx.ledger().After(after, kRowsAtATime);
    });
    if (!rows.ok()) return rows.status();
    aftermath.revocations.Apply(head, *rows);
    aftermath.feed_log.Append(head, *rows);
    aftermath.sweep.Announce(*rows);
    if (rows->size() < kRowsAtATime) return absl::OkStatus();
    after = rows->back().sequence;
  }
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

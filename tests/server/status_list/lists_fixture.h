#ifndef OSTIARY_TESTS_SERVER_STATUS_LIST_LISTS_FIXTURE_H_
#define OSTIARY_TESTS_SERVER_STATUS_LIST_LISTS_FIXTURE_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/base/random.h"
#include "server/status_list/list_book.h"
#include "server/status_list/slot_issuer.h"
#include "server/status_list/sweep.h"
#include "storage/open_store.h"
#include "storage/store.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace ostiary::status_list {

using ::ostiary::testing::IsOk;
using ::ostiary::testing::ValueOf;
using MaybeSlot = std::optional<storage::StatusSlot>;

// A real store with the book and the sweep as its listeners.
class ListsFixture : public ::testing::Test {
 protected:
  ListsFixture() { Open(); }

  void Open() {
    store_.reset();
    book_ = std::make_unique<ListBook>();
    sweep_ = std::make_unique<Sweep>();
    storage::OpenOptions options;
    options.url = "sqlite:" + dir_.File("store.db");
    options.listener.on_status_flips =
        [this](const std::vector<storage::StatusSlot>& flipped) {
          book_->Apply(flipped);
        };
    options.listener.on_ledger =
        [this](const storage::LedgerHead&,
               const std::vector<storage::LedgerRow>& rows) {
          sweep_->Announce(rows);
        };
    store_ = ValueOf(storage::OpenStore(options));
    EXPECT_THAT(book_->Load(*store_), IsOk());
    EXPECT_THAT(sweep_->Load(*store_), IsOk());
    using Rows = std::vector<storage::LedgerRow>;
    sweep_->Announce(
        ValueOf(storage::ReadValue<Rows>(*store_, [](storage::ReadTx& tx) {
          return tx.ledger().After(0, 1000);
        })));
  }

  std::unique_ptr<SlotIssuer> NewIssuer(int list_bits = 20,
                                        Issuing issuing = Issuing::kOn) {
    return std::make_unique<SlotIssuer>(
        random_, *book_, *sweep_,
        SlotIssuer::Options{issuing, absl::Minutes(15), list_bits});
  }

  storage::SessionRow ASession(absl::Time minted_at,
                               const std::string& client = "cli_default") {
    storage::SessionRow session;
    session.session_id = random_.NewId(minted_at);
    session.client_id = client;
    Mint(session, minted_at);
    return session;
  }
  static void Mint(storage::SessionRow& session, absl::Time minted_at) {
    session.minted_at = minted_at;
    session.access_expire_time = minted_at + absl::Minutes(15);
  }

  MaybeSlot ForNewToken(SlotIssuer& issuer, const storage::SessionRow& session,
                        absl::Time now) {
    return ValueOf(
        storage::WriteValue<MaybeSlot>(*store_, [&](storage::WriteTx& tx) {
          return issuer.ForNewToken(tx, session, now);
        }));
  }
  MaybeSlot ForRepeatedToken(SlotIssuer& issuer,
                             const storage::SessionRow& session,
                             absl::Time now) {
    return ValueOf(
        storage::WriteValue<MaybeSlot>(*store_, [&](storage::WriteTx& tx) {
          return issuer.ForRepeatedToken(tx, session, now);
        }));
  }
  void Flip(const storage::StatusSlot& place) {
    EXPECT_THAT(store_->Write([&](storage::WriteTx& tx) {
      return tx.status_lists().Flip(place).status();
    }),
                IsOk());
  }
  bool IsFlipped(const storage::StatusSlot& place) {
    const auto copy = book_->CopyOf(place.list_id);
    if (!copy.has_value()) {
      ADD_FAILURE() << "no such list";
      return false;
    }
    return ((copy->bytes[place.slot / 8] >> (place.slot % 8)) & 1) != 0;
  }

  const absl::Time noon_ = absl::FromUnixSeconds(1'767'268'800);
  testing::TempDir dir_;
  SystemRandom random_;
  std::unique_ptr<ListBook> book_;
  std::unique_ptr<Sweep> sweep_;
  std::unique_ptr<storage::Store> store_;
};

}  // namespace ostiary::status_list

#endif  // OSTIARY_TESTS_SERVER_STATUS_LIST_LISTS_FIXTURE_H_

#include "tests/bench/store_rows.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "storage/open_store.h"
#include "storage/store.h"

namespace ostiary::bench {
namespace {

constexpr int kRowsACommit = 5000;
// Any hash: nobody signs in.
constexpr char kHash[] =
    "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$"
    "aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g";

// Keys rise with time; what follows is as good as random.
storage::Key16 KeyOf(int number, std::uint64_t salt) {
  std::uint64_t mixed = (static_cast<std::uint64_t>(number) + 1) * salt;
  storage::Key16 key{};
  for (int i = 5; i >= 2; --i)
    key[static_cast<std::size_t>(i)] =
        static_cast<std::uint8_t>(number >> (8 * (5 - i)));
  for (std::size_t i = 6; i < key.size(); ++i) {
    mixed ^= mixed >> 29;
    mixed *= 0xbf58476d1ce4e5b9U;
    key[i] = static_cast<std::uint8_t>(mixed >> 56);
  }
  return key;
}

storage::AccountRow Account(int number, absl::Time now) {
  storage::AccountRow row;
  row.account_id = AccountKey(number);
  row.username = row.username_key = UsernameOf(number);
  row.email = row.email_key = absl::StrCat("user", number, "@example.com");
  row.password_hash = kHash;
  row.create_time = row.update_time = now;
  return row;
}

storage::SessionRow Session(int number, int accounts, absl::Time now) {
  storage::SessionRow row;
  row.session_id = SessionKey(number);
  row.account_id = AccountKey(number % accounts);
  row.client_id = "cli_default";
  row.audience = "api";
  row.user_agent = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101";
  row.address = "192.0.2.1";
  row.amr = "pwd";
  row.salt = std::string(32, static_cast<char>('a' + number % 26));
  row.refresh_key_id = "0123abcd";
  row.create_time = now;
  row.expire_time = now + absl::Hours(24 * 90);
  Rotate(row, now);
  return row;
}

}  // namespace

storage::Key16 AccountKey(int number) {
  return KeyOf(number, 0x9e3779b97f4a7c15U);
}

storage::Key16 SessionKey(int number) {
  return KeyOf(number, 0xd1342543de82ef95U);
}

std::string UsernameOf(int number) { return absl::StrCat("user", number); }

void FillStore(const std::string& path, int accounts, int sessions) {
  const auto store = storage::OpenStore({.url = "sqlite:" + path});
  Require(store.status());
  const absl::Time now = absl::Now();
  for (int from = 0; from < accounts + sessions; from += kRowsACommit) {
    Require((*store)->Write([&](storage::WriteTx& tx) {
      const int end = std::min(from + kRowsACommit, accounts + sessions);
      for (int i = from; i < end; ++i) {
        const absl::Status status =
            i < accounts
                ? tx.accounts().Insert(Account(i, now))
                : tx.sessions().Insert(Session(i - accounts, accounts, now));
        if (!status.ok()) return status;
      }
      return absl::OkStatus();
    }));
  }
}

void Rotate(storage::SessionRow& row, absl::Time now) {
  ++row.generation;
  row.rotated_at = row.minted_at = now;
  row.access_expire_time = now + absl::Minutes(15);
  row.idle_expire_time = now + absl::Hours(24 * 14);
}

void Require(const absl::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "store bench: %s\n", status.ToString().c_str());
  std::exit(1);
}

}  // namespace ostiary::bench

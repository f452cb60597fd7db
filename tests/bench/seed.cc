// Fills the store of a data directory, so that a server can be measured at a
// size that nobody signs up for one by one.
//
//   seed --data-dir D --accounts N --sessions N [--ledger N] [--slots N]
//        [--order shuffled|sequential] [--tokens N --tokens-file F]
//        [--user-agent TEXT] [--password-hash TEXT] [--sizes]
//
// Through the Store's own tables, many rows to a transaction. Account `i` is
// "user<i>" with an email, all with the password "of many a round". Session `i`
// belongs to account `i`, or, shuffled, to any: then indexes are met in no
// order, as in life. F gets the current refresh tokens of N sessions, picked at
// random over all of them. Prints one line of JSON: the seconds it took, or
// with
// --sizes the bytes of each table and index.

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "server/base/random.h"
#include "server/data_dir.h"
#include "server/key/key_encryption_key.h"
#include "server/key/symmetric_keys.h"
#include "server/password/hasher.h"
#include "server/revocation/entries.h"
#include "server/session/refresh_token.h"
#include "storage/open_store.h"

namespace ostiary::bench {
namespace {

using storage::Key16;

constexpr std::size_t kRowsInTransaction = 200'000;
constexpr char kPassword[] = "of many a round";
constexpr char kBrowser[] =
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";

struct Plan {
  std::string data_dir;
  std::size_t accounts = 0;
  std::size_t sessions = 0;
  std::size_t ledger = 0;
  std::size_t slots = 0;
  bool shuffled = true;
  std::string user_agent = kBrowser;
  std::string password_hash;  // empty: one of "of many a round"
  std::size_t tokens = 0;
  std::string tokens_file;
};

[[noreturn]] void Fail(const std::string& what) {
  std::fprintf(stderr, "seed: %s\n", what.c_str());
  std::exit(1);
}

void Check(const absl::Status& status) {
  if (!status.ok()) Fail(status.ToString());
}

template <typename T>
T Must(absl::StatusOr<T> value) {
  if (!value.ok()) Fail(value.status().ToString());
  return *std::move(value);
}

// A number that looks random and is the same in every run (splitmix64).
std::uint64_t Mixed(std::uint64_t number) {
  number += 0x9e3779b97f4a7c15;
  number = (number ^ (number >> 30)) * 0xbf58476d1ce4e5b9;
  number = (number ^ (number >> 27)) * 0x94d049bb133111eb;
  return number ^ (number >> 31);
}

// The connections of this process keep their pages: with SQLite's own 2 MiB
// every row in no order would be a page read and a page written.
int KeepPages(sqlite3* connection, char**, const sqlite3_api_routines*) {
  return sqlite3_exec(connection, "PRAGMA cache_size = -3000000;", nullptr,
                      nullptr, nullptr);
}

class Seeding {
 public:
  explicit Seeding(const Plan& plan)
      : plan_(plan), data_dir_(Must(DataDir::Open(plan.data_dir))) {
    const auto kek = Must(key::KeyEncryptionKey::FromFile(
        DefaultKeyEncryptionKeyPath(plan.data_dir), key::MissingFile::kCreate));
    store_ = Must(storage::OpenStore(
        {absl::StrCat("sqlite:", DefaultStorePath(plan.data_dir)), 1, {}}));
    keys_ = std::make_unique<key::SymmetricKeys>(
        Must(key::SymmetricKeys::LoadOrCreate(
            *store_, kek, key::kRefreshPurpose, random_, now_)));
    hash_ = plan.password_hash;
    if (!hash_.empty()) return;
    password::Hasher hasher({8192, 1}, random_);
    hash_ =
        Must(hasher.Hash(password::PresentedPassword::From(kPassword))).text();
  }

  void Run() {
    Fill(plan_.accounts, [this](storage::WriteTx& tx, std::size_t i) {
      return tx.accounts().Insert(Account(i));
    });
    Fill(plan_.sessions, [this](storage::WriteTx& tx, std::size_t i) {
      return tx.sessions().Insert(Session(i));
    });
    Fill(plan_.ledger, [this](storage::WriteTx& tx, std::size_t i) {
      return tx.ledger().Append(Entry(i)).status();
    });
    if (plan_.slots > 0) FillSlots();
    if (!plan_.tokens_file.empty()) WriteTokens();
  }

 private:
  template <typename Insert>
  void Fill(std::size_t rows, Insert insert) {
    for (std::size_t at = 0; at < rows; at += kRowsInTransaction) {
      const std::size_t end = std::min(rows, at + kRowsInTransaction);
      Check(store_->Write([&](storage::WriteTx& tx) {
        for (std::size_t i = at; i < end; ++i) {
          if (auto status = insert(tx, i); !status.ok()) return status;
        }
        return absl::OkStatus();
      }));
    }
  }

  // Over the last thirty days, in the order of `i`.
  absl::Time TimeOf(std::size_t i, std::size_t all) const {
    const double share = static_cast<double>(i) / static_cast<double>(all);
    return now_ - absl::Hours(24 * 30) * (1 - share);
  }

  Key16 IdOf(std::uint64_t kind, std::size_t i, std::size_t all) const {
    const auto millis =
        static_cast<std::uint64_t>(absl::ToUnixMillis(TimeOf(i, all)));
    Key16 key{};
    for (int byte = 0; byte < 6; ++byte)
      key[byte] = static_cast<std::uint8_t>(millis >> (40 - 8 * byte));
    // Rising within a millisecond too.
    for (int byte = 0; byte < 4; ++byte)
      key[6 + byte] = static_cast<std::uint8_t>(i >> (24 - 8 * byte));
    const std::uint64_t rest = Mixed(i ^ (kind << 56));
    std::memcpy(key.data() + 10, &rest, 6);
    return key;
  }

  storage::AccountRow Account(std::size_t i) const {
    storage::AccountRow row;
    row.account_id = IdOf(1, i, plan_.accounts);
    row.username = absl::StrCat("user", i);
    row.username_key = row.username;
    // Someone's address has nothing to do with when they came.
    row.email = plan_.shuffled ? absl::StrFormat("%08x.%d@example.com",
                                                 Mixed(i) & 0xffffffff, i)
                               : absl::StrFormat("user.%09d@example.com", i);
    if (!plan_.shuffled) {
      row.username = absl::StrFormat("user%09d", i);
      row.username_key = row.username;
    }
    row.email_key = row.email;
    row.metadata_json = "{}";
    row.password_hash = hash_;
    row.create_time = TimeOf(i, plan_.accounts);
    row.update_time = row.create_time;
    return row;
  }

  // As a sign-in and a first refresh leave it behind.
  storage::SessionRow Session(std::size_t i) const {
    storage::SessionRow row;
    row.session_id = IdOf(2, i, plan_.sessions);
    const std::size_t owner =
        plan_.shuffled ? Mixed(i) % plan_.accounts : i % plan_.accounts;
    row.account_id = IdOf(1, owner, plan_.accounts);
    row.client_id = "cli_default";
    row.audience = "https://bench.example";
    row.amr = "pwd";
    row.user_agent = plan_.user_agent;
    row.address = absl::StrCat("203.0.113.", i % 256);
    row.salt.resize(32);
    for (std::size_t word = 0; word < 4; ++word) {
      const std::uint64_t part = Mixed(4 * i + word);
      std::memcpy(row.salt.data() + 8 * word, &part, 8);
    }
    row.refresh_key_id = keys_->newest().key_id;
    row.generation = 2;
    row.create_time = TimeOf(i, plan_.sessions);
    row.rotated_at = now_ - absl::Minutes(20);
    row.minted_at = absl::FromUnixSeconds(absl::ToUnixSeconds(row.rotated_at));
    row.access_expire_time = row.minted_at + absl::Minutes(15);
    // Rotated one after the other, over the last ten days.
    const std::size_t turn = plan_.shuffled ? Mixed(~i) % plan_.sessions : i;
    row.idle_expire_time =
        now_ + absl::Hours(24 * 4) +
        absl::Hours(24 * 10) *
            (static_cast<double>(turn) / static_cast<double>(plan_.sessions));
    row.expire_time = absl::FromUnixSeconds(absl::ToUnixSeconds(std::max(
        row.create_time + absl::Hours(24 * 90), row.idle_expire_time)));
    return row;
  }

  // Most are sign-outs; tokens and accounts are ended too.
  storage::LedgerRow Entry(std::size_t i) {
    const absl::Time when = now_ - absl::Milliseconds(plan_.ledger - i);
    const absl::Duration ceiling = absl::Hours(23);
    switch (i % 10) {
      case 0:
        return revocation::TokenEntry(absl::StrFormat("%022d", Mixed(i)),
                                      when + ceiling, when, "revoked");
      case 1:
        return revocation::AccountEntry(AccountId(IdOf(3, i, plan_.ledger)),
                                        (std::uint64_t{1} << 32) + 2, when,
                                        ceiling, "password changed");
      default:
        return revocation::SessionEntry(SessionId(IdOf(4, i, plan_.ledger)),
                                        when, ceiling, "signed out");
    }
  }

  void FillSlots() {
    storage::StatusListRow list;
    list.list_id = IdOf(5, 1, 2);
    list.slots = 1 << 20;
    list.open_time = now_;
    list.close_time = now_ + absl::Hours(1);
    list.expire_time = now_ + absl::Hours(24);
    Check(store_->Write(
        [&](storage::WriteTx& tx) { return tx.status_lists().Open(list); }));
    Fill(std::min<std::size_t>(plan_.slots, list.slots),
         [&](storage::WriteTx& tx, std::size_t i) {
           storage::StatusSlotRow row;
           row.place = {list.list_id, static_cast<std::uint32_t>(i)};
           row.session_id =
               IdOf(2, Mixed(i) % std::max<std::size_t>(plan_.sessions, 1),
                    std::max<std::size_t>(plan_.sessions, 1));
           row.client_id = "cli_default";
           row.take_time = now_;
           row.flipped = i % 100 == 0;
           return tx.status_lists().Take(row);
         });
  }

  void WriteTokens() const {
    std::ofstream file(plan_.tokens_file);
    std::mt19937_64 pick(7);
    std::vector<std::size_t> chosen(plan_.sessions);
    for (std::size_t i = 0; i < chosen.size(); ++i) chosen[i] = i;
    const std::size_t count = std::min(plan_.tokens, chosen.size());
    for (std::size_t i = 0; i < count; ++i) {
      std::swap(chosen[i], chosen[i + pick() % (chosen.size() - i)]);
      const storage::SessionRow row = Session(chosen[i]);
      file << session::SessionSecrets(keys_->newest().bytes, row)
                  .RefreshToken(row.generation)
           << '\n';
    }
    if (!file.flush()) Fail("the tokens could not be written");
  }

  const Plan plan_;
  const absl::Time now_ = absl::Now();
  SystemRandom random_;
  const DataDir data_dir_;
  std::unique_ptr<storage::Store> store_;
  std::unique_ptr<key::SymmetricKeys> keys_;
  std::string hash_;
};

// Whole pages, so with their share of those that are not full.
void PrintSizes(const Plan& plan) {
  sqlite3* raw = nullptr;
  sqlite3_open_v2(DefaultStorePath(plan.data_dir).c_str(), &raw,
                  SQLITE_OPEN_READONLY, nullptr);
  const std::unique_ptr<sqlite3, int (*)(sqlite3*)> connection(raw,
                                                               sqlite3_close);
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(raw,
                         "SELECT name, sum(pgsize) FROM dbstat GROUP BY name",
                         -1, &statement, nullptr) != SQLITE_OK)
    Fail(sqlite3_errmsg(raw));
  std::printf("{");
  const char* comma = "";
  while (sqlite3_step(statement) == SQLITE_ROW) {
    std::printf("%s\"%s\": %lld", comma, sqlite3_column_text(statement, 0),
                static_cast<long long>(sqlite3_column_int64(statement, 1)));
    comma = ", ";
  }
  sqlite3_finalize(statement);
  std::printf("}\n");
}

int Main(int argc, char** argv) {
  Plan plan;
  std::string order = "shuffled";
  bool sizes = false;
  CLI::App app("Fills the store of a data directory.");
  app.add_option("--data-dir", plan.data_dir)->required();
  app.add_option("--accounts", plan.accounts)->check(CLI::Range(1, 20'000'000));
  app.add_option("--sessions", plan.sessions)->check(CLI::Range(0, 20'000'000));
  app.add_option("--ledger", plan.ledger)->check(CLI::Range(0, 10'000'000));
  app.add_option("--slots", plan.slots)->check(CLI::Range(0, 1 << 20));
  app.add_option("--order", order)
      ->check(CLI::IsMember({"shuffled", "sequential"}));
  app.add_option("--user-agent", plan.user_agent);
  app.add_option("--password-hash", plan.password_hash);
  app.add_option("--tokens", plan.tokens);
  app.add_option("--tokens-file", plan.tokens_file);
  app.add_flag("--sizes", sizes, "print the bytes of each table and index");
  CLI11_PARSE(app, argc, argv);
  plan.shuffled = order == "shuffled";
  umask(0077);
  sqlite3_auto_extension(reinterpret_cast<void (*)()>(&KeepPages));
  const absl::Time began = absl::Now();
  Seeding(plan).Run();
  if (sizes) {
    PrintSizes(plan);
    return 0;
  }
  std::printf("{\"seconds\": %.1f}\n",
              absl::ToDoubleSeconds(absl::Now() - began));
  return 0;
}

}  // namespace
}  // namespace ostiary::bench

int main(int argc, char** argv) { return ostiary::bench::Main(argc, argv); }

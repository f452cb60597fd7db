// What a durable refresh costs the store: our Store with a number of callers
// that wait, beside raw SQLite that commits each one by itself. Both run the
// statements of a Refresh (session and account found, the compare-and-set of
// the session, the head of the ledger; an ordinary rotation writes no audit
// row) with synchronous=FULL, on files with the same rows, in turns.
//
//   store_refresh --folder EMPTY --callers 1,16,64 --seconds 1 --rounds 5
//
// "flow" in the answer is what the server's flow asks of the store: the session
// is first found in a transaction that reads, so that no forged token reaches
// the writer; by as many callers as the server has threads for it.
//
// Prints one line of JSON: durable refreshes a second, round by round, and the
// CPU one took.

#include <sqlite3.h>
#include <time.h>

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "storage/open_store.h"
#include "storage/store.h"
#include "tests/bench/raw_sqlite.h"
#include "tests/bench/store_rows.h"

namespace ostiary::bench {
namespace {

using storage::Key16;

struct Plan {
  std::string folder;
  std::vector<int> callers = {1, 16, 64};
  int flow_callers = 32;
  int sessions = 10000;
  int rounds = 5;
  double seconds = 1;
};

struct Rate {
  double per_second = 0;
  double cpu_us = 0;
};

double CpuSeconds() {
  timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) +
         static_cast<double>(now.tv_nsec) / 1e9;
}

// Runs `refresh(caller, turn)` on so many threads until time is up.
template <typename Refresh>
Rate Measure(int callers, double seconds, Refresh refresh) {
  std::atomic<bool> stop{false};
  std::atomic<long> done{0};
  const double cpu = CpuSeconds();
  const absl::Time began = absl::Now();
  std::vector<std::thread> threads;
  for (int caller = 0; caller < callers; ++caller) {
    threads.emplace_back([&, caller] {
      long turn = 0;
      while (!stop.load(std::memory_order_relaxed)) refresh(caller, turn++);
      done += turn;
    });
  }
  absl::SleepFor(absl::Seconds(seconds));
  stop = true;
  for (std::thread& thread : threads) thread.join();
  const double count = static_cast<double>(done.load());
  return {count / absl::ToDoubleSeconds(absl::Now() - began),
          (CpuSeconds() - cpu) * 1e6 / count};
}

// Callers take sessions of their own, in turns: no two want the same one.
Key16 SessionOf(int caller, long turn, int callers, int sessions) {
  const long each = sessions / callers;
  return SessionKey(static_cast<int>(caller * each + turn % each));
}

absl::Status RefreshOnce(storage::WriteTx& tx, const Key16& key,
                         absl::Time now) {
  auto row = tx.sessions().Find(key);
  if (!row.ok()) return row.status();
  if (!row->has_value()) return absl::InternalError("no such session");
  auto account = tx.accounts().Find((*row)->account_id);
  if (!account.ok()) return account.status();
  if (!account->has_value()) return absl::InternalError("no such account");
  const std::uint32_t expected = (*row)->generation;
  Rotate(**row, now);
  auto updated = tx.sessions().UpdateIf(**row, expected);
  if (!updated.ok()) return updated.status();
  if (!*updated) return absl::AbortedError("the session changed");
  return tx.ledger().Head().status();
}

Rate OfStore(storage::Store& store, int callers, const Plan& plan) {
  return Measure(callers, plan.seconds, [&](int caller, long turn) {
    const Key16 key = SessionOf(caller, turn, callers, plan.sessions);
    Require(store.Write([&](storage::WriteTx& tx) {
      return RefreshOnce(tx, key, absl::Now());
    }));
  });
}

// As the flow does it.
Rate OfFlow(storage::Store& store, const Plan& plan) {
  const int callers = plan.flow_callers;
  return Measure(callers, plan.seconds, [&](int caller, long turn) {
    const Key16 key = SessionOf(caller, turn, callers, plan.sessions);
    Require(store.Read(
        [&](storage::ReadTx& tx) { return tx.sessions().Find(key).status(); }));
    Require(store.Write([&](storage::WriteTx& tx) {
      return RefreshOnce(tx, key, absl::Now());
    }));
  });
}

// One connection, one commit each.
Rate OfRaw(RawSqlite& raw, const Plan& plan) {
  RawStatement begin(raw, "BEGIN IMMEDIATE"), commit(raw, "COMMIT");
  RawStatement session(raw, "SELECT * FROM sessions WHERE session_id = ?");
  RawStatement account(raw, "SELECT * FROM accounts WHERE account_id = ?");
  RawStatement head(raw, "SELECT epoch, sequence FROM ledger_head");
  RawStatement update(
      raw,
      "UPDATE sessions SET generation = generation + 1, rotated_at = ?1,"
      " minted_at = ?1, access_expire_time = ?2, idle_expire_time = ?3"
      " WHERE session_id = ?4 AND generation = ?5 AND revoke_time IS NULL");
  return Measure(1, plan.seconds, [&](int caller, long turn) {
    const Key16 key = SessionOf(caller, turn, 1, plan.sessions);
    const std::int64_t now = absl::ToUnixMicros(absl::Now());
    begin.Run();
    const std::int64_t generation = session.BindKey(1, key).FindInt(10);
    const Key16 owner = session.KeyAt(1);
    session.Reset();
    account.BindKey(1, owner).Find();
    account.Reset();
    update.BindInt(1, now).BindInt(2, now + 900'000'000);
    update.BindInt(3, now + 1'000'000'000'000).BindKey(4, key);
    update.BindInt(5, generation).Run();
    head.Find();
    head.Reset();
    commit.Run();
  });
}

std::string Series(const std::vector<Rate>& rates, double Rate::*member) {
  return absl::StrCat(
      "[",
      absl::StrJoin(rates, ", ",
                    [member](std::string* out, const Rate& rate) {
                      absl::StrAppend(out, rate.*member);
                    }),
      "]");
}

std::string Json(const std::vector<Rate>& rates) {
  return absl::StrCat("{\"per_second\": ", Series(rates, &Rate::per_second),
                      ", \"cpu_us\": ", Series(rates, &Rate::cpu_us), "}");
}

int Main(int argc, char** argv) {
  Plan plan;
  CLI::App app("Measures durable refreshes in the store.");
  app.add_option("--folder", plan.folder)->required();
  app.add_option("--callers", plan.callers)->delimiter(',');
  app.add_option("--sessions", plan.sessions)->check(CLI::Range(100, 1000000));
  app.add_option("--rounds", plan.rounds)->check(CLI::Range(1, 100));
  app.add_option("--seconds", plan.seconds)->check(CLI::Range(0.1, 60.0));
  CLI11_PARSE(app, argc, argv);

  const std::string ours = plan.folder + "/ours.db";
  const std::string theirs = plan.folder + "/raw.db";
  FillStore(ours, plan.sessions / 10, plan.sessions);
  std::filesystem::copy_file(ours, theirs);
  auto store = storage::OpenStore({.url = "sqlite:" + ours});
  Require(store.status());
  RawSqlite raw(theirs, "PRAGMA synchronous = FULL;");

  std::vector<Rate> raws, flows;
  std::map<int, std::vector<Rate>> found;
  for (int round = 0; round < plan.rounds; ++round) {
    raws.push_back(OfRaw(raw, plan));
    flows.push_back(OfFlow(**store, plan));
    for (const int callers : plan.callers)
      found[callers].push_back(OfStore(**store, callers, plan));
  }
  std::string json =
      absl::StrCat("{\"raw\": ", Json(raws), ", \"flow\": ", Json(flows));
  for (const auto& [callers, rates] : found)
    absl::StrAppend(&json, ", \"", callers, "\": ", Json(rates));
  std::printf("%s}\n", json.c_str());
  return 0;
}

}  // namespace
}  // namespace ostiary::bench

int main(int argc, char** argv) { return ostiary::bench::Main(argc, argv); }

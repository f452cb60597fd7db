// What it costs to find an account for a sign-in, in a store of any size: by
// its name, with all of its row and the shapes of hashes there are.
//
//   find_account --data-dir D --accounts N --count 100000
//
// Of the accounts that `seed --order sequential` makes, picked at random; the
// server must not run. Prints one line of JSON: microseconds of CPU a look-up.

#include <time.h>

#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "storage/open_store.h"

namespace ostiary::bench {
namespace {

double CpuMicros() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 +
         static_cast<double>(now.tv_nsec) / 1e3;
}

[[noreturn]] void Fail(const std::string& what) {
  std::fprintf(stderr, "find_account: %s\n", what.c_str());
  std::exit(1);
}

void Find(storage::Store& store, const std::string& name) {
  const absl::Status status =
      store.Read([&](storage::ReadTx& tx) -> absl::Status {
        auto shapes = tx.accounts().HashShapes();
        if (!shapes.ok()) return shapes.status();
        auto account = tx.accounts().FindByUsername(name);
        if (!account.ok()) return account.status();
        return account->has_value() ? absl::OkStatus()
                                    : absl::NotFoundError(name);
      });
  if (!status.ok()) Fail(status.ToString());
}

int Main(int argc, char** argv) {
  std::string data_dir;
  unsigned accounts = 1;
  int count = 100'000;
  CLI::App app("Finds accounts by their names.");
  app.add_option("--data-dir", data_dir)->required();
  app.add_option("--accounts", accounts)->required();
  app.add_option("--count", count)->check(CLI::Range(1, 100'000'000));
  CLI11_PARSE(app, argc, argv);
  auto store = storage::OpenStore(
      {absl::StrCat("sqlite:", data_dir, "/ostiary.db"), 1, {}});
  if (!store.ok()) Fail(store.status().ToString());
  std::mt19937 random(3);
  double cpu = 0;
  // The first tenth brings pages into memory.
  for (int i = -count / 10; i < count; ++i) {
    const std::string name = absl::StrFormat("user%09d", random() % accounts);
    const double began = CpuMicros();
    Find(**store, name);
    if (i >= 0) cpu += CpuMicros() - began;
  }
  std::printf("{\"cpu_us\": %.3f}\n", cpu / count);
  return 0;
}

}  // namespace
}  // namespace ostiary::bench

int main(int argc, char** argv) { return ostiary::bench::Main(argc, argv); }

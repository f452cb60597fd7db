#ifndef OSTIARY_TESTS_BENCH_STORE_ROWS_H_
#define OSTIARY_TESTS_BENCH_STORE_ROWS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "storage/rows.h"

namespace ostiary::bench {

// Rows as a server of some age has them, made without one.

storage::Key16 AccountKey(int number);
storage::Key16 SessionKey(int number);
std::string UsernameOf(int number);

// Makes the store at `path` with so many accounts and sessions.
void FillStore(const std::string& path, int accounts, int sessions);

// The row after an ordinary rotation.
void Rotate(storage::SessionRow& row, absl::Time now);

// Ends the program unless `status` is OK.
void Require(const absl::Status& status);

}  // namespace ostiary::bench

#endif  // OSTIARY_TESTS_BENCH_STORE_ROWS_H_

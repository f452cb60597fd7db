#ifndef OSTIARY_TESTS_STORAGE_POWER_LOSS_WORKLOAD_H_
#define OSTIARY_TESTS_STORAGE_POWER_LOSS_WORKLOAD_H_

#include <functional>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/store.h"

namespace ostiary::testing {

// Everything a store holds, as it answers.
struct Found {
  std::map<storage::Key16, storage::AccountRow> accounts;
  std::map<storage::Key16, storage::SessionRow> sessions;
  storage::LedgerHead head;
  std::vector<storage::LedgerRow> ledger;
  std::map<std::uint32_t, storage::StatusSlotRow> slots;
  std::set<std::uint32_t> flipped;  // as a start asks for them
  std::map<std::string, storage::KeyRow> keys;
  std::set<int> audited;  // numbers of operations
};

// What in it contradicts itself; empty: nothing. The ledger must be without a
// gap from 1 to its head, its running check right, and a slot flipped, in its
// row and in what a start reads, if and only if its session is revoked.
std::string Contradiction(const Found& found);

// One operation: a transaction, and how its trace is recognised. Its audit row
// carries its number; every further trace is there if and only if that row is.
struct Operation {
  int number = 0;
  std::string what;
  std::function<absl::Status(storage::WriteTx&)> write;
  // Stays true once it is, whatever comes later.
  std::function<bool(const Found&)> happened;
};

// Makes up operations of every kind over some accounts of its own, and knows
// what it has asked for so far.
class Workload {
 public:
  // `lane` keeps the keys of several workloads on one store apart.
  Workload(int lane, std::uint64_t seed);

  // To be written before anything else, by lane 0.
  Operation OpenList();
  // `number` is the caller's, used once.
  Operation Next(int number);
  // Of a live session; there must be one.
  Operation RevokeOne(int number) { return Revoke(number, 0); }
  // With a row of `bytes`, to fill the log.
  Operation Bulk(int number, std::size_t bytes);

  static absl::StatusOr<Found> ReadAll(storage::Store& store);

 private:
  Operation SignUp(int number);
  Operation SignIn(int number);
  Operation Refresh(int number, storage::SessionRow& session);
  Operation Revoke(int number, std::size_t index);
  Operation ChangePassword(int number, storage::AccountRow& account);
  Operation ChangeRoles(int number, storage::AccountRow& account);
  Operation ChangeKey(int number);
  Operation DeleteAccount(int number, std::size_t index);

  std::size_t Pick(std::size_t below);
  storage::Key16 NewKey();
  absl::Time Now();

  const int lane_;
  std::mt19937_64 chance_;
  std::uint64_t made_ = 0;
  std::vector<storage::AccountRow> accounts_;
  std::vector<storage::SessionRow> sessions_;  // live ones
  std::vector<storage::KeyRow> keys_;
};

}  // namespace ostiary::testing

#endif  // OSTIARY_TESTS_STORAGE_POWER_LOSS_WORKLOAD_H_

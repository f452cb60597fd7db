#ifndef OSTIARY_TESTS_STORAGE_CONFORMANCE_CONFORMANCE_H_
#define OSTIARY_TESTS_STORAGE_CONFORMANCE_CONFORMANCE_H_

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <ostream>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "storage/store.h"
#include "tests/support/status_matchers.h"

namespace ostiary::storage::conformance {

// One empty place for a store, for the length of one test.
class Backend {
 public:
  virtual ~Backend() = default;
  // Opens the store in this place; again after the one before is gone.
  virtual absl::StatusOr<std::unique_ptr<Store>> Open(
      StoreListener listener) = 0;
};

struct BackendUnderTest {
  std::string name;
  std::function<std::unique_ptr<Backend>()> make;
};
inline void PrintTo(const BackendUnderTest& backend, std::ostream* out) {
  *out << backend.name;
}

// What the store told its listener. Thread-safe.
class Announcements {
 public:
  StoreListener Listener();
  std::vector<LedgerRow> rows() const;
  std::vector<LedgerHead> heads() const;
  std::size_t operations() const;
  std::vector<StatusSlot> flipped() const;

 private:
  mutable std::mutex mutex_;
  std::vector<LedgerRow> rows_;
  std::vector<LedgerHead> heads_;
  std::size_t operations_ = 0;
  std::vector<StatusSlot> flipped_;
};

class StoreConformance : public ::testing::TestWithParam<BackendUnderTest> {
 protected:
  void SetUp() override;

  Store& store() { return *store_; }
  const Announcements& announced() const { return announced_; }
  // Closes the store and opens it again.
  void Reopen();

  absl::Status Write(Store::WriteFn fn) { return store().Write(fn); }

  // What `fn` returns, which must be a StatusOr that is OK.
  template <typename Fn>
  auto Read(Fn fn) {
    using T = typename std::invoke_result_t<Fn, ReadTx&>::value_type;
    return ostiary::testing::ValueOf(ReadValue<T>(store(), fn));
  }
  template <typename Fn>
  auto WriteAndGet(Fn fn) {
    using T = typename std::invoke_result_t<Fn, WriteTx&>::value_type;
    return ostiary::testing::ValueOf(WriteValue<T>(store(), fn));
  }

  // One row each way.
  absl::Status Insert(const AccountRow& row);
  absl::Status Update(const AccountRow& row);
  absl::Status Insert(const SessionRow& row);
  LedgerRow Append(const LedgerRow& row);
  std::optional<AccountRow> FindAccount(const Key16& account_id);
  std::optional<SessionRow> FindSession(const Key16& session_id);
  LedgerHead Head();
  std::vector<LedgerRow> Ledger();

 private:
  Announcements announced_;
  std::unique_ptr<Backend> backend_;
  std::unique_ptr<Store> store_;
};

// Rows with every field set to something else than its default. `number`
// makes them differ; keys rise with it.
Key16 KeyOf(std::uint32_t number);
AccountRow AccountOf(std::uint32_t number);
SessionRow SessionOf(std::uint32_t number, const Key16& account_id);
LedgerRow RevocationOf(const std::string& key);
KeyRow SealedKeyOf(std::uint32_t number);
AuditRow EventOf(std::uint32_t number);

// A moment all of these samples agree on.
absl::Time Noon();

// Text that trips careless storage: quotes, several scripts, a line break, and
// a zero byte in the middle.
std::string AwkwardText();

// True if each row's check follows from its predecessor's, beginning at
// `check_before`.
bool ChecksFollow(std::uint64_t check_before,
                  const std::vector<LedgerRow>& rows);

}  // namespace ostiary::storage::conformance

#endif  // OSTIARY_TESTS_STORAGE_CONFORMANCE_CONFORMANCE_H_

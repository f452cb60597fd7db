// Every call of every flow meets every fault: call k = 1, 2, 3 ... of SQLite's
// to the disk or for memory fails, once or from then on, until the flow passes
// without a k-th call. What was answered is true, nothing is half done, and
// once the fault is over the store works as before.
#include <filesystem>
#include <iostream>

#include "absl/strings/str_cat.h"
#include "server/base/reason.h"
#include "storage/ledger_check.h"
#include "tests/flows/house.h"
#include "tests/storage/faults/acts.h"
#include "tests/storage/faults/dump.h"
#include "tests/storage/faults/faulty_vfs.h"
#include "tests/support/status_matchers.h"

namespace ostiary::testing {
namespace {

using ::testing::AnyOf;

// No flow makes so many calls of one kind.
constexpr int kMostCalls = 3000;

HouseOptions Cheap() {
  HouseOptions options;
  options.hash = {1024, 1};
  options.status_lists = status_list::Issuing::kOn;
  const limit::Rule any{1'000'000, absl::Minutes(1)};
  options.sign_in_limits = {.pair = any,
                            .identifier = any,
                            .origin = any,
                            .counter_slots = 1 << 10,
                            .origin_slots = 1 << 10};
  options.sign_up_limit = any;
  return options;
}

class EveryCall : public ::testing::TestWithParam<Flow> {
 protected:
  std::string file() const { return house_->dir.File("store.db"); }

  // One call with the fault at call `k`. False: it made fewer.
  bool Try(Fault fault, Times times, int k) {
    const Flow& flow = GetParam();
    Act act = flow.prepare(*house_, ++prepared_);
    const bool reads = fault == Fault::kReadError || fault == Fault::kShortRead;
    if (reads) MakeCachesCold(file());
    const Dump before = DumpOf(file());
    FaultyDisk::Arm(fault, times, k);
    const absl::Status status = act.call();
    const bool struck = FaultyDisk::Disarm() >= k;
    SCOPED_TRACE(absl::StrCat(FaultName(fault), " at call ", k,
                              times == Times::kOnce ? " once" : " and after",
                              ": ", status.ToString()));
    const Dump after = DumpOf(file());
    if (status.ok()) {
      EXPECT_TRUE(act.holds()) << "acknowledged and not done";
    } else {
      ExpectClean(status, fault);
      // In this process an unknown outcome is none at all.
      if (!flow.in_steps) {
        EXPECT_EQ(Difference(before, after), "") << "half done";
      }
    }
    ExpectMemoryAgreesWithTheStore();
    if (!reads && fault != Fault::kNoMemory) {
      kill_ = Image(FaultyDisk::CopyAsAfterKill);
      power_loss_ = Image(FaultyDisk::CopyAsAfterPowerLoss);
    } else {
      kill_ = power_loss_ = after;
    }
    if (!status.ok()) {
      const absl::Status again = act.call();
      EXPECT_OK(again) << "the fault is over";
      if (!again.ok()) return false;
      EXPECT_TRUE(act.holds());
    }
    ExpectImages(before, after, absl::IsUnknown(status));
    if (flow.ends_access) ended_.push_back(act.holds);
    return struck;
  }

  void ExpectClean(const absl::Status& status, Fault fault) {
    // Zeroes in place of a page are a damaged file to SQLite.
    if (fault == Fault::kShortRead && absl::IsDataLoss(status)) return;
    EXPECT_THAT(ReasonOf(status),
                AnyOf(Reason::kStoreUnavailable, Reason::kStoreFull));
    if (ReasonOf(status) == Reason::kStoreFull) {
      EXPECT_EQ(fault, Fault::kDiskFull);
    }
  }

  void ExpectMemoryAgreesWithTheStore() {
    const storage::LedgerHead head = house_->Head();
    const auto applied = (*house_)->aftermath->revocations.applied();
    EXPECT_EQ(applied.sequence, head.sequence);
    std::uint64_t check = 0;
    for (const storage::LedgerRow& row : house_->Ledger()) {
      if (row.sequence > 1 && check == 0) break;  // its beginning is forgotten
      check = storage::NextLedgerCheck(check, row);
      EXPECT_EQ(row.check, check);
    }
  }

  template <typename Copy>
  Dump Image(Copy copy) {
    const TempDir dir;
    copy(file(), dir.File("store.db"));
    ExpectUndamaged(dir.File("store.db"));
    Dump dump = DumpOf(dir.File("store.db"));
    FaultyDisk::Forget(dir.File("store.db"));
    return dump;
  }

  // What is left by a kill or a power failure right after the answer. After
  // an unknown outcome it is all of it or nothing.
  void ExpectImages(const Dump& before, const Dump& after, bool unknown) {
    for (const Dump* image : {&kill_, &power_loss_}) {
      const char* const which = image == &kill_ ? "kill" : "power failure";
      if (!unknown) {
        EXPECT_EQ(Difference(after, *image), "") << which;
      } else if (*image != before && !GetParam().in_steps) {
        EXPECT_EQ(Shape(DumpOf(file())), Shape(*image)) << which;
      }
    }
  }

  int TryEveryCall(Fault fault, Times times) {
    for (int k = 1; k <= kMostCalls; ++k) {
      if (!Try(fault, times, k) || HasFailure()) return k;
    }
    ADD_FAILURE() << "it never passed";
    return kMostCalls;
  }

  void ExpectTheSameAfterARestart() {
    const auto without_keys = [this] {
      Dump dump = DumpOf(file());
      // A start does what the keys' schedule asks for.
      for (const char* table : {"keys", "audit", "sqlite_sequence"})
        dump.erase(table);
      return dump;
    };
    const Dump before = without_keys();
    house_->Restart();
    EXPECT_EQ(Difference(before, without_keys()), "");
    for (const auto& holds : ended_)
      EXPECT_TRUE(holds()) << "ended, acknowledged, and back after a restart";
    ended_.clear();
  }

  std::unique_ptr<House> house_;
  int prepared_ = 0;
  Dump kill_;
  Dump power_loss_;
  std::vector<std::function<bool()>> ended_;
};

TEST_P(EveryCall, MayFail) {
  std::string tried;
  for (const Fault fault : kEveryFault) {
    house_ = std::make_unique<House>(Cheap());
    const int once = TryEveryCall(fault, Times::kOnce);
    ASSERT_FALSE(HasFailure());
    const int and_after = TryEveryCall(fault, Times::kFromThenOn);
    ASSERT_FALSE(HasFailure());
    absl::StrAppend(&tried, tried.empty() ? "" : ", ", FaultName(fault), " ",
                    once, " + ", and_after);
    ExpectTheSameAfterARestart();
  }
  std::cout << "tried: " << tried << "\n";
}

INSTANTIATE_TEST_SUITE_P(Flows, EveryCall, ::testing::ValuesIn(EveryFlow()),
                         [](const auto& flow) { return flow.param.name; });

}  // namespace
}  // namespace ostiary::testing

int main(int argc, char** argv) {
  ostiary::testing::FaultyDisk::Install();
  ::testing::InitGoogleMock(&argc, argv);
  return RUN_ALL_TESTS();
}

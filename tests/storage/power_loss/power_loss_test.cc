// The power is cut at any moment. The disk has then all that was synced, and of
// the rest whatever it likes: none, some, in any order, halves of it. The store
// must open on it, and everything that was answered must be there.
#include <algorithm>
#include <iostream>
#include <thread>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "storage/open_store.h"
#include "tests/storage/power_loss/images.h"
#include "tests/storage/power_loss/memory_disk.h"
#include "tests/storage/power_loss/workload.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/support/trials.h"

namespace ostiary::testing {
namespace {

constexpr int kImages = 2000;
constexpr int kAfterwards = 1'000'000;  // the number of an operation

// Where the store would be if the disk were a real one.
const std::string& Path() {
  static const TempDir* const dir = new TempDir;
  static const std::string* const path = new std::string(dir->File("store.db"));
  return *path;
}

std::unique_ptr<storage::Store> Open() {
  return ValueOf(storage::OpenStore({.url = "sqlite:" + Path(), .readers = 1}));
}

struct Recorded {
  std::vector<DiskOp> recording;
  std::map<int, Operation> operations;
};

// A server's life: its first start, some restarts, a log that grows until it is
// copied and starts anew, and at last several callers at once.
class Life {
 public:
  explicit Life(MemoryDisk& disk) : disk_(disk) {}

  Recorded Live() {
    {
      const auto store = Open();
      Do(*store, lane_.OpenList());
      DoSome(*store, 60);
    }
    for (int restart = 0; restart < 4; ++restart) {
      const auto store = Open();
      DoSome(*store, 30);
    }
    const auto store = Open();
    for (int i = 0; i < 6; ++i) {
      Do(*store, lane_.Bulk(++number_, 700'000));
      DoSome(*store, 4);
    }
    DoSome(*store, 40);
    DoAtOnce(*store);
    Recorded recorded{disk_.Recording(), {}};
    recorded.operations = std::move(operations_);
    return recorded;
  }

 private:
  void DoSome(storage::Store& store, int count) {
    for (int i = 0; i < count; ++i) Do(store, lane_.Next(++number_));
  }

  // Small groups: what waits is committed together.
  void DoAtOnce(storage::Store& store) {
    std::vector<std::vector<Operation>> lanes(4);
    for (int lane = 0; lane < 4; ++lane) {
      Workload workload(lane + 1, 7);
      for (int i = 0; i < 20; ++i) {
        lanes[lane].push_back(workload.Next(++number_));
        operations_[number_] = lanes[lane].back();
      }
    }
    std::vector<std::thread> callers;
    for (const std::vector<Operation>& lane : lanes) {
      callers.emplace_back([this, &store, &lane] {
        for (const Operation& operation : lane) Write(store, operation);
      });
    }
    for (std::thread& caller : callers) caller.join();
  }

  void Do(storage::Store& store, const Operation& operation) {
    operations_[operation.number] = operation;
    Write(store, operation);
  }

  void Write(storage::Store& store, const Operation& operation) {
    disk_.Begin(operation.number);
    ASSERT_OK(store.Write(operation.write)) << operation.what;
    disk_.Answered(operation.number);
  }

  MemoryDisk& disk_;
  Workload lane_{0, 20221122};
  int number_ = 0;
  std::map<int, Operation> operations_;
};

// What SQLite finds wrong with the file, the log included.
std::string IntegrityOf(const std::string& path) {
  sqlite3* raw = nullptr;
  std::string found;
  if (sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READWRITE, nullptr) ==
      SQLITE_OK) {
    const auto add = [](void* out, int, char** values, char**) {
      *static_cast<std::string*>(out) += values[0];
      return 0;
    };
    sqlite3_exec(raw, "PRAGMA integrity_check; PRAGMA foreign_key_check", add,
                 &found, nullptr);
  }
  sqlite3_close(raw);
  return found == "ok" ? "" : "integrity: " + found;
}

std::string Judge(const Found& found, const PowerCut& cut,
                  const std::map<int, Operation>& operations) {
  for (const auto& [number, operation] : operations) {
    const bool there = found.audited.count(number) == 1;
    const std::string name = absl::StrCat(number, " (", operation.what, ")");
    if (cut.answered.count(number) == 1 && !there)
      return absl::StrCat("lost: ", name);
    if (cut.begun.count(number) == 0 && there)
      return absl::StrCat("never asked for: ", name);
    if (operation.happened && operation.happened(found) != there)
      return absl::StrCat("in part: ", name);
  }
  return Contradiction(found);
}

// What is wrong with the store that is found after the cut; empty: nothing.
std::string FaultAfter(const PowerCut& cut,
                       const std::map<int, Operation>& operations) {
  const MemoryDisk disk(cut.image);
  const std::string url = "sqlite:" + Path();
  {
    const auto store = storage::OpenStore({.url = url, .readers = 1});
    if (!store.ok()) return absl::StrCat("start: ", store.status().ToString());
    const auto found = Workload::ReadAll(**store);
    if (!found.ok()) return absl::StrCat("read: ", found.status().ToString());
    if (std::string fault = Judge(*found, cut, operations); !fault.empty())
      return fault;
    if (std::string fault = IntegrityOf(Path()); !fault.empty()) return fault;
    const absl::Status written =
        (*store)->Write(Workload(9, 9).Bulk(kAfterwards, 10).write);
    if (!written.ok()) return absl::StrCat("write: ", written.ToString());
  }
  // The log is in the file now, and every page of it must be known.
  const auto store = storage::OpenStore({.url = url, .readers = 1});
  if (!store.ok()) return absl::StrCat("again: ", store.status().ToString());
  const auto found = Workload::ReadAll(**store);
  if (!found.ok()) return absl::StrCat("again: ", found.status().ToString());
  if (found->audited.count(kAfterwards) == 0) return "again: lost a write";
  return Judge(*found, cut, operations);
}

Recorded RecordWith(MemoryDisk::Syncs syncs,
                    MemoryDisk::Synchronous synchronous) {
  MemoryDisk disk({}, syncs, synchronous);
  return Life(disk).Live();
}

const Recorded& Honest() {
  static const Recorded* const recorded = new Recorded(RecordWith(
      MemoryDisk::Syncs::kHonest, MemoryDisk::Synchronous::kAsAsked));
  return *recorded;
}

// How many of `images` cuts show a fault, and how they begin.
int CountFaults(const Recorded& recorded, int images) {
  std::map<std::string, int> kinds;
  int faults = 0;
  for (int i = 0; i < images; ++i) {
    std::mt19937_64 chance(i);
    const std::string fault =
        FaultAfter(CutPower(recorded.recording, chance), recorded.operations);
    if (fault.empty()) continue;
    ++faults;
    ++kinds[fault.substr(0, fault.find(':'))];
  }
  for (const auto& [kind, count] : kinds)
    std::cout << "  " << kind << ": " << count << "\n";
  std::cout << "  of " << images << " images " << faults << " show a fault\n";
  return faults;
}

TEST(PowerLossTest, EverythingAnsweredSurvivesEveryCut) {
  const Recorded& recorded = Honest();
  Trials trials(kImages);
  int images = 0;
  while (trials.Next()) {
    std::mt19937_64 chance(trials.seed());
    const PowerCut cut = CutPower(recorded.recording, chance);
    EXPECT_EQ(FaultAfter(cut, recorded.operations), "") << cut.Describe();
    ++images;
  }
  std::cout << "  " << images << " images of " << recorded.recording.size()
            << " requests\n";
}

TEST(PowerLossTest, TheRecordingHoldsWhatItIsMeantToCut) {
  const Recorded& recorded = Honest();
  const auto count = [&recorded](auto matches) {
    return std::count_if(recorded.recording.begin(), recorded.recording.end(),
                         matches);
  };
  using Kind = DiskOp::Kind;
  const auto creates = [](const std::string& name) {
    return [name](const DiskOp& op) {
      return op.kind == Kind::kCreate && op.name == Path() + name;
    };
  };
  EXPECT_EQ(count(creates("")), 1);
  EXPECT_EQ(count(creates("-sums")), 1);
  EXPECT_EQ(count(creates("-wal")), 6) << "one for each start";
  EXPECT_GT(count([](const DiskOp& op) { return op.kind == Kind::kSync; }),
            250);
  // The log's header is written once for each log, and again by the one that
  // starts anew.
  EXPECT_GT(count([](const DiskOp& op) {
              return op.kind == Kind::kWrite && op.offset == 0 &&
                     op.bytes.size() == 32;
            }),
            6);
}

// And none of the syncs is for nothing.
TEST(PowerLossTest, TheSyncsOfEachFileAreNeeded) {
  for (const std::string name : {"", "-wal", "-sums"}) {
    Recorded without = Honest();
    std::set<int> inodes;
    for (const DiskOp& op : without.recording) {
      if (op.kind == DiskOp::Kind::kCreate && op.name == Path() + name)
        inodes.insert(op.inode);
    }
    without.recording.erase(
        std::remove_if(without.recording.begin(), without.recording.end(),
                       [&inodes](const DiskOp& op) {
                         return op.kind == DiskOp::Kind::kSync &&
                                inodes.count(op.inode) == 1;
                       }),
        without.recording.end());
    std::cout << "  without those of store.db" << name << ":\n";
    EXPECT_GT(CountFaults(without, 100), 10);
  }
}

// The harness can fail: without syncs, it must find what gets lost.
TEST(PowerLossTest, WithSynchronousOffAnswersGetLost) {
  const Recorded recorded =
      RecordWith(MemoryDisk::Syncs::kHonest, MemoryDisk::Synchronous::kOff);
  EXPECT_GT(CountFaults(recorded, 100), 10);
}

TEST(PowerLossTest, OnADiskThatLiesAnswersGetLost) {
  const Recorded recorded =
      RecordWith(MemoryDisk::Syncs::kLie, MemoryDisk::Synchronous::kAsAsked);
  EXPECT_GT(CountFaults(recorded, 100), 10);
}

}  // namespace
}  // namespace ostiary::testing

// The disk damages the store's files, or somebody does. A start must refuse, or
// every answer must be an error or the right one; foremost, nothing revoked may
// come back to life.
#include <array>
#include <iostream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "storage/open_store.h"
#include "tests/storage/corruption/damage.h"
#include "tests/storage/power_loss/workload.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/support/trials.h"

namespace ostiary::testing {
namespace {

using storage::ReadTx;
using storage::Store;
using storage::StoreFile;

constexpr int kTrials = 200;

// A store's files, what they looked like earlier, and what they hold.
struct Sample {
  const char* what;
  StoreFiles files;
  StoreFiles older;
  Found truth;
};

absl::StatusOr<std::unique_ptr<Store>> OpenAt(const std::string& path,
                                              StoreFile file) {
  return storage::OpenStore(
      {.url = "sqlite:" + path, .readers = 1, .file = file});
}

void Do(Store& store, Workload& workload, int& number, int count) {
  for (int i = 0; i < count; ++i)
    ASSERT_OK(store.Write(workload.Next(++number).write));
}

class Samples {
 public:
  Samples() { Make(); }

  const Sample& closed() const { return closed_; }
  const Sample& killed() const { return killed_; }
  const Sample& cut() const { return cut_; }

 private:
  void Make() {
    int number = 0;
    {
      const auto store = ValueOf(OpenAt(path_, StoreFile::kAsWritten));
      ASSERT_OK(store->Write(workload_.OpenList().write));
      Do(*store, workload_, number, 200);
      ASSERT_OK(store->Write(workload_.Bulk(++number, 100'000).write));
    }
    const StoreFiles first = CopyFrom(path_);
    {
      const auto store = ValueOf(OpenAt(path_, StoreFile::kAsWritten));
      Do(*store, workload_, number, 100);
      closed_.truth = ValueOf(Workload::ReadAll(*store));
    }
    closed_.files = CopyFrom(path_);
    closed_.older = first;
    const auto store = ValueOf(OpenAt(path_, StoreFile::kAsWritten));
    Do(*store, workload_, number, 20);
    killed_.older = CopyFrom(path_);
    Do(*store, workload_, number, 30);
    // What is lost with the end of the log alone, the server's mark knows.
    ASSERT_OK(store->Write(workload_.RevokeOne(++number).write));
    killed_.truth = ValueOf(Workload::ReadAll(*store));
    killed_.files = CopyFrom(path_);
    cut_ = killed_;
    cut_.what = "after a power cut";
    cut_.files.erase("-shm");
  }

  TempDir dir_;
  const std::string path_ = dir_.File("store.db");
  Workload workload_{0, 5};
  Sample closed_{"closed", {}, {}, {}};
  Sample killed_{"killed", {}, {}, {}};
  Sample cut_;
};

const Samples& TheSamples() {
  static const Samples* const samples = new Samples;
  return *samples;
}

enum class Outcome { kRefused, kRefusedInPart, kRight, kWrong };
constexpr const char* kOutcomes[] = {"refused at start", "refused later",
                                     "right", "WRONG"};

// Asks a store everything, and compares.
class Questions {
 public:
  Questions(Store& store, const Found& truth) : store_(store), truth_(truth) {}

  // What a start reads. False: it refuses.
  bool Start() {
    const bool answered =
        Ask("the ledger's head", truth_.head,
            [](ReadTx& tx) { return tx.ledger().Head(); }) &&
        Ask("the ledger", truth_.ledger,
            [](ReadTx& tx) { return tx.ledger().After(0, 1'000'000); }) &&
        AskForFlips() &&
        Ask("status lists", 1, [](ReadTx& tx) -> absl::StatusOr<int> {
          const auto lists = tx.status_lists().Lists();
          if (!lists.ok()) return lists.status();
          return static_cast<int>(lists->size());
        });
    return answered;
  }

  void EverythingElse() {
    for (const auto& [id, row] : truth_.accounts) {
      Ask("an account", std::optional(row),
          [&](ReadTx& tx) { return tx.accounts().Find(id); });
      Ask("an account by name", std::optional(row), [&](ReadTx& tx) {
        return tx.accounts().FindByUsername(row.username_key);
      });
    }
    for (const auto& [id, row] : truth_.sessions) {
      Ask("a session", std::optional(row),
          [&](ReadTx& tx) { return tx.sessions().Find(id); });
    }
    for (const auto& [key, row] : truth_.keys) {
      Ask("a key", std::optional(row),
          [&](ReadTx& tx) { return tx.keys().Find(key); });
    }
    for (const storage::LedgerRow& row : truth_.ledger) {
      Ask("a ledger row by key", std::optional(row), [&](ReadTx& tx) {
        return tx.ledger().FindNewest(row.kind, row.key);
      });
    }
    for (const auto& [number, row] : truth_.slots) {
      Ask("a slot", std::optional(row), [&](ReadTx& tx) {
        return tx.status_lists().NewestOf(row.session_id);
      });
    }
    Ask("the audit", truth_.audited,
        [](ReadTx& tx) -> absl::StatusOr<std::set<int>> {
          const auto rows = tx.audit().After(0, 1'000'000);
          if (!rows.ok()) return rows.status();
          std::set<int> audited;
          for (const storage::AuditRow& row : *rows)
            audited.insert(std::atoi(row.session_id.c_str()));
          return audited;
        });
  }

  const std::string& wrong() const { return wrong_; }
  const absl::Status& refusal() const { return refusal_; }

 private:
  // True: it was answered, right or wrong.
  template <typename T, typename Fn>
  bool Ask(const char* what, const T& truth, Fn fn) {
    absl::StatusOr<T> answer = absl::UnknownError("not asked");
    const absl::Status read = store_.Read([&](ReadTx& tx) {
      answer = fn(tx);
      return answer.status();
    });
    if (!read.ok()) {
      refusal_ = read;
      return false;
    }
    if (!(*answer == truth)) wrong_ = what;
    return true;
  }
  bool AskForFlips() {
    return Ask("flipped slots", truth_.flipped,
               [this](ReadTx& tx) -> absl::StatusOr<std::set<std::uint32_t>> {
                 const auto slots = tx.status_lists().FlippedOf(
                     truth_.slots.begin()->second.place.list_id, -1, 1'000'000);
                 if (!slots.ok()) return slots.status();
                 std::set<std::uint32_t> flipped;
                 for (const storage::StatusSlot& slot : *slots)
                   flipped.insert(slot.slot);
                 return flipped;
               });
  }

  Store& store_;
  const Found& truth_;
  std::string wrong_;
  absl::Status refusal_;
};

struct Result {
  Outcome outcome;
  std::string detail;
};

// Starts on the files in place, as the server does with its mark at the head of
// the ledger, and asks.
Result Examine(const std::string& path, const Found& truth, StoreFile file) {
  const auto store = OpenAt(path, file);
  if (!store.ok()) return {Outcome::kRefused, store.status().ToString()};
  const auto head = storage::ReadValue<storage::LedgerHead>(
      **store, [](ReadTx& tx) { return tx.ledger().Head(); });
  if (!head.ok()) return {Outcome::kRefused, head.status().ToString()};
  if (head->epoch != truth.head.epoch || head->sequence < truth.head.sequence)
    return {Outcome::kRefused, "the mark: the store went back in time"};
  Questions questions(**store, truth);
  const bool started = questions.Start();
  if (!started) return {Outcome::kRefused, questions.refusal().ToString()};
  questions.EverythingElse();
  // Writing may be refused; it must not make things worse.
  (*store)->Write(Workload(8, 8).Bulk(0, 10).write).IgnoreError();
  questions.EverythingElse();
  if (!questions.wrong().empty()) return {Outcome::kWrong, questions.wrong()};
  if (!questions.refusal().ok())
    return {Outcome::kRefusedInPart, questions.refusal().ToString()};
  return {Outcome::kRight, ""};
}

class CorruptionTest : public ::testing::Test {
 protected:
  Result Try(const Sample& sample, std::uint64_t seed, StoreFile file,
             std::string* what) {
    std::mt19937_64 chance(seed);
    StoreFiles files = sample.files;
    const auto damage = static_cast<Damage>(seed % kDamages);
    *what = absl::StrCat(sample.what, ", ",
                         DoDamage(files, sample.older, damage, chance));
    PutAt(path_, files);
    const Result result = Examine(path_, sample.truth, file);
    ++counts_[static_cast<std::size_t>(result.outcome)];
    return result;
  }
  void TryMany(const Sample& sample, int trials_each) {
    Trials trials(trials_each);
    while (trials.Next()) {
      std::string what;
      const Result result =
          Try(sample, trials.seed(), StoreFile::kAsWritten, &what);
      EXPECT_NE(result.outcome, Outcome::kWrong)
          << what << ": " << result.detail;
      // Damage has a name: never a mistake of ours, never a passing trouble.
      EXPECT_FALSE(absl::StartsWith(result.detail, "INTERNAL") ||
                   absl::StartsWith(result.detail, "UNAVAILABLE") ||
                   absl::StartsWith(result.detail, "UNKNOWN"))
          << what << ": " << result.detail;
    }
    Report();
  }
  void Report() {
    for (std::size_t i = 0; i < counts_.size(); ++i)
      std::cout << "  " << kOutcomes[i] << ": " << counts_[i] << "\n";
  }

  TempDir dir_;
  const std::string path_ = dir_.File("store.db");
  std::array<int, 4> counts_{};
};

TEST_F(CorruptionTest, UndamagedEveryAnswerIsRight) {
  for (const Sample* sample :
       {&TheSamples().closed(), &TheSamples().killed(), &TheSamples().cut()}) {
    PutAt(path_, sample->files);
    const Result result = Examine(path_, sample->truth, StoreFile::kAsWritten);
    EXPECT_EQ(result.outcome, Outcome::kRight)
        << sample->what << ": " << result.detail;
  }
}

TEST_F(CorruptionTest, OfAClosedStoreNoAnswerIsWrong) {
  TryMany(TheSamples().closed(), kTrials / 2);
}

TEST_F(CorruptionTest, OfAKilledOneWithItsLogNoAnswerIsWrong) {
  TryMany(TheSamples().killed(), kTrials / 4);
}

TEST_F(CorruptionTest, OfOneWhosePowerWasCutNoAnswerIsWrong) {
  TryMany(TheSamples().cut(), kTrials / 4);
}

// The harness can fail, and SQLite alone does not notice: taken as it is found,
// a damaged store gives wrong answers.
TEST_F(CorruptionTest, WithoutTheSumsAnswersAreWrong) {
  for (std::uint64_t seed = 0; seed < 90; ++seed) {
    std::string what;
    Try(TheSamples().closed(), seed, StoreFile::kAsFound, &what);
  }
  Report();
  EXPECT_GT(counts_[static_cast<std::size_t>(Outcome::kWrong)], 5);
}

TEST_F(CorruptionTest, AStoreWithoutSumsIsTakenAsItIsOnce) {
  StoreFiles files = TheSamples().closed().files;
  files.erase("-sums");
  PutAt(path_, files);
  EXPECT_EQ(Examine(path_, TheSamples().closed().truth, StoreFile::kAsWritten)
                .outcome,
            Outcome::kRight);
  {
    const auto store = ValueOf(OpenAt(path_, StoreFile::kAsWritten));
    ASSERT_OK(store->Ping());
  }
  files = CopyFrom(path_);
  ASSERT_EQ(files.count("-sums"), 1u);
  files[""][files[""].size() / 2 + 100] ^= 1;
  PutAt(path_, files);
  const Result result =
      Examine(path_, TheSamples().closed().truth, StoreFile::kAsWritten);
  EXPECT_TRUE(result.outcome == Outcome::kRefused ||
              result.outcome == Outcome::kRefusedInPart ||
              result.outcome == Outcome::kRight)
      << result.detail;
}

TEST_F(CorruptionTest, ADamagedStoreIsNotBackedUp) {
  const StoreFiles& whole = TheSamples().closed().files;
  int refused = 0;
  for (std::size_t at = 4096 + 7; at < whole.at("").size(); at += 16 * 4096) {
    StoreFiles files = whole;
    files[""][at] ^= 1;
    PutAt(path_, files);
    const auto store = OpenAt(path_, StoreFile::kAsWritten);
    if (!store.ok()) continue;
    storage::BackupOrder order;
    order.path = dir_.File("backup");
    EXPECT_THAT((*store)->BackUp(order), HasCode(absl::StatusCode::kDataLoss))
        << at;
    ++refused;
  }
  EXPECT_GT(refused, 0);
}

TEST_F(CorruptionTest, AStorePutInPlaceIsNotMeasuredByTheSumsOfTheOneBefore) {
  const std::string fresh = dir_.File("fresh.db");
  PutAt(path_, TheSamples().closed().files);
  PutAt(fresh, TheSamples().closed().older);
  ASSERT_OK(storage::ExchangeStore("sqlite:" + fresh, "sqlite:" + path_,
                                   dir_.File("aside")));
  const auto store = OpenAt(path_, StoreFile::kAsWritten);
  ASSERT_OK(store);
  EXPECT_OK(Workload::ReadAll(**store));
}

// Found by looking: which reasons are given.
TEST_F(CorruptionTest, EachDamageIsNamed) {
  const auto reason = [&](const Sample& sample, const std::string& name,
                          std::size_t at) {
    StoreFiles files = sample.files;
    files[name][at] ^= 0x10;
    PutAt(path_, files);
    const auto store = OpenAt(path_, StoreFile::kAsWritten);
    return store.ok() ? std::string() : store.status().ToString();
  };
  using ::testing::AllOf;
  using ::testing::HasSubstr;
  const Sample& cut = TheSamples().cut();
  EXPECT_THAT(
      reason(cut, "-wal", 10),
      AllOf(HasSubstr("DATA_LOSS"), HasSubstr("its header is not whole")));
  EXPECT_THAT(reason(cut, "-wal", 5000),
              AllOf(HasSubstr("DATA_LOSS"), HasSubstr("breaks off")));
  EXPECT_THAT(reason(TheSamples().closed(), "-sums", 600),
              AllOf(HasSubstr("DATA_LOSS"), HasSubstr("-sums is damaged")));
  // A write that failed half way leaves the same, beside a log that has the
  // pages.
  EXPECT_EQ(reason(cut, "-sums", 600), "");
}

}  // namespace
}  // namespace ostiary::testing

// The files beside the store that the server writes itself: the power is cut at
// each of their system calls. The mark is the old or the new one, the
// key-encryption key is there whole or not at all, and of the revoked keys none
// that was answered is missing; reading them is never refused.
#include <algorithm>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "server/key/private_file.h"
#include "server/key/revoked_key_file.h"
#include "server/mark_file.h"
#include "tests/storage/power_loss/images.h"
#include "tests/storage/power_loss/recorded_calls.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace ostiary::testing {
namespace {

using Kind = DiskOp::Kind;

constexpr int kSeeds = 12;
constexpr int kFates = 7;

Mark MarkOf(int number) {
  return {1, static_cast<std::uint64_t>(number),
          absl::FromUnixSeconds(1'700'000'000 + number)};
}

std::string KeyIdOf(int number) {
  const std::string id = absl::StrCat("key-", number, "-");
  return id + std::string(43 - id.size(), 'k');
}

class PrivateFilesTest : public ::testing::Test {
 protected:
  std::string path() const { return dir_.File("file"); }

  // What is asked of the system while `write` answers operations 1 to `count`.
  template <typename Write>
  std::vector<DiskOp> Record(int count, Write write) {
    std::filesystem::remove(path());
    RecordedCalls calls(dir_.path());
    for (int number = 1; number <= count; ++number) {
      calls.Begin(number);
      EXPECT_OK(write(number));
      calls.Answered(number);
    }
    return calls.recording();
  }

  // How many cuts there are after which `fault` finds one.
  template <typename Fault>
  int CountFaults(const std::vector<DiskOp>& recording, Fault fault,
                  bool told = false) {
    int faults = 0;
    for (std::size_t at = 0; at <= recording.size(); ++at) {
      for (int i = 0; i < kFates * kSeeds; ++i) {
        std::mt19937_64 chance(i);
        const PowerCut cut =
            CutPowerAt(recording, at, static_cast<Fate>(i % kFates), chance);
        std::filesystem::remove(path());
        const auto file = cut.image.find(path());
        if (file != cut.image.end()) Put(file->second);
        const std::string found = fault(cut);
        if (found.empty()) continue;
        ++faults;
        if (told) ADD_FAILURE() << found << ": " << cut.Describe();
      }
    }
    return faults;
  }

  void Put(const std::string& bytes) {
    std::ofstream(path(), std::ios::binary) << bytes;
    std::filesystem::permissions(path(),
                                 std::filesystem::perms::owner_read |
                                     std::filesystem::perms::owner_write);
  }

  static std::vector<DiskOp> WithoutSyncs(std::vector<DiskOp> recording,
                                          Kind kind) {
    recording.erase(
        std::remove_if(recording.begin(), recording.end(),
                       [kind](const DiskOp& op) { return op.kind == kind; }),
        recording.end());
    return recording;
  }

  // The kinds of calls between the marks of one operation.
  static std::vector<Kind> CallsOf(const std::vector<DiskOp>& recording,
                                   int number) {
    std::vector<Kind> kinds;
    bool within = false;
    for (const DiskOp& op : recording) {
      if (op.kind == Kind::kAnswered) within = false;
      if (within) kinds.push_back(op.kind);
      if (op.kind == Kind::kBegin) within = op.number == number;
    }
    return kinds;
  }

  TempDir dir_;
};

class MarkPowerLossTest : public PrivateFilesTest {
 protected:
  std::vector<DiskOp> RecordMarks() {
    const MarkFile file(path());
    return Record(3, [&](int number) { return file.Write(MarkOf(number)); });
  }
  std::string Fault(const PowerCut& cut) {
    const auto mark = MarkFile(path()).Read();
    if (!mark.ok()) return mark.status().ToString();
    const std::uint64_t least =
        cut.answered.empty() ? 0 : *cut.answered.rbegin();
    const std::uint64_t most = cut.begun.empty() ? 0 : *cut.begun.rbegin();
    const std::uint64_t found = mark->has_value() ? (*mark)->sequence : 0;
    if (found < least) return "an older mark";
    return found > most ? "a mark of the future" : "";
  }
};

TEST_F(MarkPowerLossTest, IsTheOldOneOrTheNewOne) {
  CountFaults(
      RecordMarks(), [&](const PowerCut& cut) { return Fault(cut); }, true);
}

TEST_F(MarkPowerLossTest, EverySyncIsNeeded) {
  for (const Kind kind : {Kind::kSync, Kind::kSyncFolder}) {
    EXPECT_GT(CountFaults(WithoutSyncs(RecordMarks(), kind),
                          [&](const PowerCut& cut) { return Fault(cut); }),
              0);
  }
}

TEST_F(MarkPowerLossTest, IsWrittenSyncedRenamedAndItsFolderSynced) {
  EXPECT_THAT(
      CallsOf(RecordMarks(), 1),
      ::testing::ElementsAre(Kind::kCreate, Kind::kWrite, Kind::kSync,
                             Kind::kCreate, Kind::kDelete, Kind::kSyncFolder));
}

class KeyFilePowerLossTest : public PrivateFilesTest {
 protected:
  const std::string content_ = std::string(3000, 'x');

  std::vector<DiskOp> RecordKey() {
    return Record(
        1, [&](int) { return key::CreatePrivateFile(path(), content_); });
  }
  std::string Fault(const PowerCut& cut) {
    const auto content = key::ReadPrivateFile(path(), 4096);
    if (absl::IsNotFound(content.status()))
      return cut.answered.empty() ? "" : "the key is gone";
    if (!content.ok()) return content.status().ToString();
    return *content == content_ ? "" : "a part of the key";
  }
};

TEST_F(KeyFilePowerLossTest, IsThereWholeOrNotAtAll) {
  CountFaults(
      RecordKey(), [&](const PowerCut& cut) { return Fault(cut); }, true);
}

TEST_F(KeyFilePowerLossTest, EverySyncIsNeeded) {
  for (const Kind kind : {Kind::kSync, Kind::kSyncFolder}) {
    EXPECT_GT(CountFaults(WithoutSyncs(RecordKey(), kind),
                          [&](const PowerCut& cut) { return Fault(cut); }),
              0);
  }
}

class RevokedKeysPowerLossTest : public PrivateFilesTest {
 protected:
  std::vector<DiskOp> RecordKeys() {
    const key::RevokedKeyFile file(path());
    // Across the end of a sector.
    return Record(14, [&](int number) { return file.Append(KeyIdOf(number)); });
  }
  std::string Fault(const PowerCut& cut) {
    const auto ids = key::RevokedKeyFile(path()).Read();
    if (!ids.ok()) return ids.status().ToString();
    for (const int number : cut.answered) {
      if (ids->count(KeyIdOf(number)) == 0)
        return absl::StrCat("not revoked any more: ", number);
    }
    return "";
  }
};

TEST_F(RevokedKeysPowerLossTest, NoneThatWasAnsweredIsMissing) {
  CountFaults(
      RecordKeys(), [&](const PowerCut& cut) { return Fault(cut); }, true);
}

TEST_F(RevokedKeysPowerLossTest, EverySyncIsNeeded) {
  for (const Kind kind : {Kind::kSync, Kind::kSyncFolder}) {
    EXPECT_GT(CountFaults(WithoutSyncs(RecordKeys(), kind),
                          [&](const PowerCut& cut) { return Fault(cut); }),
              0);
  }
}

}  // namespace
}  // namespace ostiary::testing

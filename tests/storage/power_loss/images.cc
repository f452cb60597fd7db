#include "tests/storage/power_loss/images.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace ostiary::testing {
namespace {

using Kind = DiskOp::Kind;

constexpr const char* kFates[] = {"none",     "one alone",   "a subset",
                                  "a prefix", "torn at 512", "torn at 4096",
                                  "all"};

// The disk as it surely is, and what may or may not have reached it.
struct Disk {
  std::map<int, std::string> files;
  std::map<std::string, int> folder;
  std::vector<const DiskOp*> pending;  // in order
};

bool IsEntry(const DiskOp& op) {
  return op.kind == Kind::kCreate || op.kind == Kind::kDelete;
}

void ApplyBytes(std::string& file, std::int64_t offset, const char* bytes,
                std::size_t size) {
  const auto at = static_cast<std::size_t>(offset);
  if (file.size() < at + size) file.resize(at + size);
  file.replace(at, size, bytes, size);
}

void Apply(Disk& disk, const DiskOp& op) {
  switch (op.kind) {
    case Kind::kWrite:
      return ApplyBytes(disk.files[op.inode], op.offset, op.bytes.data(),
                        op.bytes.size());
    case Kind::kTruncate:
      return disk.files[op.inode].resize(static_cast<std::size_t>(op.offset));
    case Kind::kCreate:
      disk.folder[op.name] = op.inode;
      return;
    case Kind::kDelete:
      disk.folder.erase(op.name);
      return;
    default:
      return;
  }
}

// Applies those pending requests of which `synced` is true.
template <typename Synced>
void Settle(Disk& disk, Synced synced) {
  std::vector<const DiskOp*> left;
  for (const DiskOp* op : disk.pending) {
    if (synced(*op)) {
      Apply(disk, *op);
    } else {
      left.push_back(op);
    }
  }
  disk.pending = std::move(left);
}

void Follow(Disk& disk, const DiskOp& op) {
  switch (op.kind) {
    case Kind::kSync:
      return Settle(disk, [&op](const DiskOp& other) {
        return !IsEntry(other) && other.inode == op.inode;
      });
    case Kind::kSyncFolder:
      return Settle(disk, IsEntry);
    case Kind::kBegin:
    case Kind::kAnswered:
      return;
    default:
      disk.pending.push_back(&op);
  }
}

bool Coin(std::mt19937_64& chance, double probability = 0.5) {
  return std::bernoulli_distribution(probability)(chance);
}

std::size_t Pick(std::mt19937_64& chance, std::size_t below) {
  return std::uniform_int_distribution<std::size_t>(0, below - 1)(chance);
}

// Some sectors of a write.
void Tear(Disk& disk, const DiskOp& op, std::int64_t sector,
          std::mt19937_64& chance) {
  if (op.kind != Kind::kWrite) return Apply(disk, op);
  const auto end = op.offset + static_cast<std::int64_t>(op.bytes.size());
  for (std::int64_t at = op.offset; at < end;) {
    const std::int64_t next = std::min(end, (at / sector + 1) * sector);
    if (Coin(chance)) {
      ApplyBytes(disk.files[op.inode], at, op.bytes.data() + (at - op.offset),
                 static_cast<std::size_t>(next - at));
    }
    at = next;
  }
}

void ApplyOneAlone(Disk& disk, std::mt19937_64& chance) {
  std::vector<const DiskOp*> writes;
  const bool entries = Coin(chance);
  for (const DiskOp* op : disk.pending) {
    if (!IsEntry(*op)) {
      writes.push_back(op);
    } else if (entries) {
      Apply(disk, *op);
    }
  }
  if (!writes.empty()) Apply(disk, *writes[Pick(chance, writes.size())]);
}

void ApplyFate(Disk& disk, Fate fate, std::mt19937_64& chance) {
  const double much = std::array{0.1, 0.5, 0.9}[Pick(chance, 3)];
  const std::size_t first = Pick(chance, disk.pending.size() + 1);
  if (fate == Fate::kNone) return;
  if (fate == Fate::kOneAlone) return ApplyOneAlone(disk, chance);
  for (std::size_t i = 0; i < disk.pending.size(); ++i) {
    const DiskOp& op = *disk.pending[i];
    const bool torn = fate == Fate::kTorn512 || fate == Fate::kTorn4096;
    if (torn && !IsEntry(op)) {
      Tear(disk, op, fate == Fate::kTorn512 ? 512 : 4096, chance);
    } else if (fate == Fate::kAll || (fate == Fate::kPrefix && i < first) ||
               (fate != Fate::kPrefix && Coin(chance, much))) {
      Apply(disk, op);
    }
  }
}

}  // namespace

std::string PowerCut::Describe() const {
  std::string text = absl::StrCat(
      "cut after request ", at, ", of the unsynced ",
      kFates[static_cast<int>(fate)], ", answered ", answered.size(), " of ",
      begun.size(), " operations; files:");
  for (const auto& [name, bytes] : image)
    absl::StrAppend(&text, " ", name, " (", bytes.size(), ")");
  return text;
}

PowerCut CutPowerAt(const std::vector<DiskOp>& recording, std::size_t at,
                    Fate fate, std::mt19937_64& chance) {
  PowerCut cut;
  cut.at = at;
  cut.fate = fate;
  Disk disk;
  for (std::size_t i = 0; i < at; ++i) {
    const DiskOp& op = recording[i];
    if (op.kind == Kind::kBegin) cut.begun.insert(op.number);
    if (op.kind == Kind::kAnswered) cut.answered.insert(op.number);
    Follow(disk, op);
  }
  ApplyFate(disk, fate, chance);
  for (const auto& [name, inode] : disk.folder)
    cut.image[name] = disk.files[inode];
  return cut;
}

PowerCut CutPower(const std::vector<DiskOp>& recording,
                  std::mt19937_64& chance) {
  std::size_t at = Pick(chance, recording.size() + 1);
  if (Coin(chance)) {
    const auto is_sync = [](const DiskOp& op) {
      return op.kind == Kind::kSync;
    };
    const auto sync =
        std::find_if(recording.begin() + static_cast<std::ptrdiff_t>(at),
                     recording.end(), is_sync);
    at = static_cast<std::size_t>(sync - recording.begin());
    if (sync != recording.end() && Coin(chance, 0.25)) ++at;
  }
  const auto fate = static_cast<Fate>(Pick(chance, 7));
  return CutPowerAt(recording, at, fate, chance);
}

}  // namespace ostiary::testing

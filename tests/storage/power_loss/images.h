#ifndef OSTIARY_TESTS_STORAGE_POWER_LOSS_IMAGES_H_
#define OSTIARY_TESTS_STORAGE_POWER_LOSS_IMAGES_H_

#include <random>
#include <set>
#include <string>
#include <vector>

#include "tests/storage/power_loss/memory_disk.h"

namespace ostiary::testing {

// What became of the requests that were not synced when the power was cut.
// Everything that was synced is there.
enum class Fate {
  kNone,      // none of them, nor of the entries of the folder
  kOneAlone,  // one write, and all entries or none
  kSubset,    // each or not, in any order
  kPrefix,    // the first few, in order
  kTorn512,   // of each write some sectors of 512 bytes
  kTorn4096,  // or of 4096
  kAll,       // all: killed, not cut
};

// A cut of the power, and what it left.
struct PowerCut {
  std::size_t at = 0;  // after so many requests
  Fate fate = Fate::kNone;
  DiskImage image;
  std::set<int> begun;     // operations of the workload, by number
  std::set<int> answered;  // of them
  std::string Describe() const;
};

// Cuts the power of what was recorded by chance: half of the time right before
// or after a sync, else anywhere.
PowerCut CutPower(const std::vector<DiskOp>& recording,
                  std::mt19937_64& chance);

// At this place, with this fate.
PowerCut CutPowerAt(const std::vector<DiskOp>& recording, std::size_t at,
                    Fate fate, std::mt19937_64& chance);

}  // namespace ostiary::testing

#endif  // OSTIARY_TESTS_STORAGE_POWER_LOSS_IMAGES_H_

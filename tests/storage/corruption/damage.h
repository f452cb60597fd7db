#ifndef OSTIARY_TESTS_STORAGE_CORRUPTION_DAMAGE_H_
#define OSTIARY_TESTS_STORAGE_CORRUPTION_DAMAGE_H_

#include <map>
#include <random>
#include <string>

namespace ostiary::testing {

// Files by what is appended to the store's name: "", "-wal", "-shm", "-sums".
using StoreFiles = std::map<std::string, std::string>;

StoreFiles CopyFrom(const std::string& path);
// Replaces all four; those that are not in `files` are removed.
void PutAt(const std::string& path, const StoreFiles& files);

// What a disk, or somebody, did to the files.
enum class Damage {
  kFlippedBit,
  kFlippedBits,  // eight of them, anywhere in one file
  kZeroed512,
  kZeroed4096,
  kGarbage512,
  kSwappedPages,
  kTruncated,
  kOlderPage,   // one page as it was
  kOlderPages,  // half of them
};
inline constexpr int kDamages = 9;

// Damages one of the files by chance, more often the store and its log than the
// small ones; says what it did. `older` is a copy from before.
std::string DoDamage(StoreFiles& files, const StoreFiles& older, Damage damage,
                     std::mt19937_64& chance);

}  // namespace ostiary::testing

#endif  // OSTIARY_TESTS_STORAGE_CORRUPTION_DAMAGE_H_

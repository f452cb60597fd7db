#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "gtest/gtest.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size);

namespace {

// A broken invariant ends the process, so getting here is passing.
void Feed(const std::string& input) {
  EXPECT_EQ(
      LLVMFuzzerTestOneInput(
          reinterpret_cast<const std::uint8_t*>(input.data()), input.size()),
      0);
}

std::vector<std::string> Seeds() {
  const char* source = std::getenv("OSTIARY_SOURCE_DIR");
  const std::filesystem::path folder =
      std::filesystem::path(source == nullptr ? "." : source) /
      OSTIARY_FUZZ_SEEDS;
  std::vector<std::string> seeds;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ifstream file(entry.path(), std::ios::binary);
    seeds.emplace_back(std::istreambuf_iterator<char>(file),
                       std::istreambuf_iterator<char>());
  }
  return seeds;
}

TEST(FuzzSeedsTest, EverySeedKeepsTheInvariants) {
  const std::vector<std::string> seeds = Seeds();
  ASSERT_FALSE(seeds.empty());
  for (const std::string& seed : seeds) Feed(seed);
}

TEST(FuzzSeedsTest, EverySeedCutOrChangedKeepsTheInvariants) {
  for (const std::string& seed : Seeds()) {
    const std::size_t step = seed.size() / 16 + 1;
    for (std::size_t place = 0; place < seed.size(); place += step) {
      Feed(seed.substr(0, place));
      Feed(seed.substr(place));
      std::string changed = seed;
      changed[place] = static_cast<char>(changed[place] ^ 1);
      Feed(changed);
    }
  }
}

}  // namespace

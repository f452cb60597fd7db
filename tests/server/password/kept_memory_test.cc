#include "server/password/kept_memory.h"

#include <sodium.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace ostiary::password {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

std::string Hash(std::size_t memory, const std::string& password = "correct") {
  EXPECT_GE(sodium_init(), 0);
  const std::vector<unsigned char> salt(crypto_pwhash_SALTBYTES, 's');
  std::string out(32, '\0');
  EXPECT_EQ(crypto_pwhash(reinterpret_cast<unsigned char*>(out.data()),
                          out.size(), password.data(), password.size(),
                          salt.data(), 2, memory, crypto_pwhash_ALG_ARGON2ID13),
            0);
  return out;
}

// Where nothing is kept, everything else must hold.
constexpr bool kKept = OSTIARY_KEEPS_HASH_MEMORY != 0;

TEST(KeptMemory, HashesOfOneSizeShareIt) {
  const std::string expected = Hash(8 * kMiB);
  KeptMemory memory;
  {
    const KeptMemory::Lending lending(memory);
    for (int i = 0; i < 5; ++i) {
      EXPECT_EQ(Hash(8 * kMiB), expected);
      EXPECT_NE(Hash(8 * kMiB, "wrong"), expected);
    }
  }
  EXPECT_EQ(memory.reuses(), kKept ? 9 : 0);
  EXPECT_EQ(memory.empty(), !kKept);
  EXPECT_EQ(Hash(8 * kMiB), expected);  // without it again
  EXPECT_EQ(memory.reuses(), kKept ? 9 : 0);
}

TEST(KeptMemory, AnotherSizeReplacesIt) {
  const std::string small = Hash(8 * kMiB), large = Hash(16 * kMiB);
  KeptMemory memory;
  const KeptMemory::Lending lending(memory);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Hash(8 * kMiB), small);
    EXPECT_EQ(Hash(16 * kMiB), large);
  }
  EXPECT_EQ(memory.reuses(), 0);
}

TEST(KeptMemory, NothingOfAHashStaysInIt) {
  KeptMemory memory;
  void* const block = memory.Take(4 * kMiB);
  ASSERT_NE(block, nullptr);
  std::fill_n(static_cast<char*>(block), 4 * kMiB, 'x');
  EXPECT_TRUE(memory.PutBack(block, 4 * kMiB));
  const char* const bytes = static_cast<const char*>(block);
  EXPECT_TRUE(
      std::all_of(bytes, bytes + 4 * kMiB, [](char c) { return c == 0; }));
  EXPECT_EQ(memory.Take(4 * kMiB), block);
}

TEST(KeptMemory, ItIsLentOnceAtATimeAndTakesBackOnlyItsOwn) {
  KeptMemory memory;
  int other = 0;
  EXPECT_FALSE(memory.PutBack(&other, sizeof(other)));
  void* const block = memory.Take(4 * kMiB);
  EXPECT_EQ(memory.Take(4 * kMiB), nullptr);
  EXPECT_FALSE(memory.PutBack(&other, sizeof(other)));
  EXPECT_TRUE(memory.PutBack(block, 4 * kMiB));
  EXPECT_FALSE(memory.PutBack(block, 4 * kMiB));
}

TEST(KeptMemory, SmallAndHugeMappingsAreNotItsBusiness) {
  KeptMemory memory;
  EXPECT_EQ(memory.Take(kMiB - 1), nullptr);
  EXPECT_EQ(memory.Take(KeptMemory::kMost + 1), nullptr);
  EXPECT_TRUE(memory.empty());
}

TEST(KeptMemory, ReleasedItIsGone) {
  KeptMemory memory;
  memory.PutBack(memory.Take(4 * kMiB), 4 * kMiB);
  EXPECT_FALSE(memory.empty());
  memory.Release();
  EXPECT_TRUE(memory.empty());
}

TEST(KeptMemory, OtherThreadsAndOtherMappingsAreTheSystems) {
  KeptMemory memory;
  const KeptMemory::Lending lending(memory);
  std::thread other([] { Hash(8 * kMiB); });
  other.join();
  EXPECT_TRUE(memory.empty());
  void* const shared =
      mmap(nullptr, 4 * kMiB, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(shared, MAP_FAILED);
  EXPECT_TRUE(memory.empty());
  EXPECT_EQ(munmap(shared, 4 * kMiB), 0);
  EXPECT_EQ(mmap(nullptr, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            MAP_FAILED);
  EXPECT_EQ(errno, EINVAL);
}

}  // namespace
}  // namespace ostiary::password

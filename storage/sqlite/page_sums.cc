#include "storage/sqlite/page_sums.h"

#include <xxhash.h>

#include <algorithm>
#include <cstring>
#include <vector>

namespace ostiary::storage::sqlite {
namespace {

constexpr char kMagic[] = "ostiary page sums, version 1\n";
constexpr std::uint64_t kNothing = 0;

bool IsZero(const unsigned char* block) {
  return std::all_of(block, block + PageSums::kBlock,
                     [](unsigned char byte) { return byte == 0; });
}

void Seal(std::uint32_t number, unsigned char* block) {
  constexpr std::size_t kBody = PageSums::kBlock - 8;
  const std::uint64_t hash = HashOf(block, kBody, number);
  std::memcpy(block + kBody, &hash, sizeof(hash));
}

void FillHeader(unsigned char* block) {
  std::memset(block, 0, PageSums::kBlock);
  std::memcpy(block, kMagic, sizeof(kMagic));
  Seal(0, block);
}

}  // namespace

std::uint64_t HashOf(const void* bytes, std::size_t size, std::uint64_t seed) {
  return XXH64(bytes, size, seed);
}

PageSums::~PageSums() {
  for (std::atomic<Chunk*>& chunk : chunks_) delete chunk.load();
}

bool PageSums::Matches(std::uint32_t page, const void* bytes) const {
  const std::uint64_t expected = Sum(page);
  if (expected == kNothing) return true;
  return std::max<std::uint64_t>(HashOf(bytes, kPage, page), 1) == expected;
}

bool PageSums::Note(std::uint32_t page, const void* bytes) {
  // 0 is taken.
  return SetSum(page, std::max<std::uint64_t>(HashOf(bytes, kPage, page), 1));
}

void PageSums::Forget(std::uint32_t page) {
  if (Knows(page)) SetSum(page, kNothing);
}

std::uint64_t PageSums::Sum(std::uint32_t page) const {
  const std::size_t index = page - 1;
  constexpr std::size_t kInChunk = std::tuple_size_v<Chunk>;
  if (page == 0 || index / kInChunk >= kChunks) return kNothing;
  const Chunk* const chunk =
      chunks_[index / kInChunk].load(std::memory_order_acquire);
  if (chunk == nullptr) return kNothing;
  return (*chunk)[index % kInChunk].load(std::memory_order_acquire);
}

bool PageSums::SetSum(std::uint32_t page, std::uint64_t sum) {
  const std::size_t index = page - 1;
  constexpr std::size_t kInChunk = std::tuple_size_v<Chunk>;
  if (page == 0 || index / kInChunk >= kChunks) return false;
  const std::lock_guard<std::mutex> lock(mutex_);
  std::atomic<Chunk*>& slot = chunks_[index / kInChunk];
  Chunk* chunk = slot.load();
  if (chunk == nullptr) {
    chunk = new Chunk();
    slot.store(chunk, std::memory_order_release);
  }
  (*chunk)[index % kInChunk].store(sum, std::memory_order_release);
  dirty_.insert(static_cast<std::uint32_t>(index / kSumsInBlock + 1));
  return true;
}

bool PageSums::dirty() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return !dirty_.empty();
}

int PageSums::LoadBlock(std::uint32_t number, const unsigned char* block) {
  if (IsZero(block)) return SQLITE_OK;
  unsigned char expected[kBlock];
  if (number == 0) {
    FillHeader(expected);
    return std::memcmp(block, expected, kBlock) == 0 ? SQLITE_OK
                                                     : SQLITE_CORRUPT;
  }
  std::memcpy(expected, block, kBlock);
  Seal(number, expected);
  if (std::memcmp(block, expected, kBlock) != 0) return SQLITE_CORRUPT;
  const std::uint32_t first = (number - 1) * kSumsInBlock + 1;
  for (std::uint32_t i = 0; i < kSumsInBlock; ++i) {
    std::uint64_t sum;
    std::memcpy(&sum, block + 8 * i, sizeof(sum));
    if (sum != kNothing && !SetSum(first + i, sum)) return SQLITE_CORRUPT;
  }
  return SQLITE_OK;
}

void PageSums::FillBlock(std::uint32_t number, unsigned char* block) const {
  if (number == 0) return FillHeader(block);
  const std::uint32_t first = (number - 1) * kSumsInBlock + 1;
  for (std::uint32_t i = 0; i < kSumsInBlock; ++i) {
    const std::uint64_t sum = Sum(first + i);
    std::memcpy(block + 8 * i, &sum, sizeof(sum));
  }
  Seal(number, block);
}

int PageSums::Load(sqlite3_file* file, Torn torn) {
  sqlite3_int64 size = 0;
  if (const int code = file->pMethods->xFileSize(file, &size);
      code != SQLITE_OK) {
    return code;
  }
  std::vector<unsigned char> bytes(64 * kBlock);
  // What a cut left of a last block is no block.
  const auto blocks = static_cast<std::uint32_t>(size / kBlock);
  for (std::uint32_t next = 0; next < blocks;) {
    const std::uint32_t count = std::min<std::uint32_t>(64, blocks - next);
    int code = file->pMethods->xRead(
        file, bytes.data(), static_cast<int>(count * kBlock),
        static_cast<sqlite3_int64>(next) * static_cast<int>(kBlock));
    for (std::uint32_t i = 0; i < count && code == SQLITE_OK; ++i) {
      code = LoadBlock(next + i, &bytes[i * kBlock]);
      if (code == SQLITE_CORRUPT && torn == Torn::kSaysNothing)
        code = SQLITE_OK;
    }
    if (code != SQLITE_OK) return code;
    next += count;
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  dirty_.clear();
  return SQLITE_OK;
}

int PageSums::Flush(sqlite3_file* file, int sync_flags) {
  std::set<std::uint32_t> blocks;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    blocks = dirty_;
  }
  if (blocks.empty()) return SQLITE_OK;
  sqlite3_int64 size = 0;
  int code = file->pMethods->xFileSize(file, &size);
  if (code != SQLITE_OK) return code;
  if (size == 0) blocks.insert(0);
  // Neighbours go in one write.
  std::vector<unsigned char> run;
  for (auto next = blocks.begin(); next != blocks.end();) {
    const std::uint32_t first = *next;
    run.clear();
    for (std::uint32_t number = first;
         next != blocks.end() && *next == number && run.size() < 128 * kBlock;
         ++number, ++next) {
      run.resize(run.size() + kBlock);
      FillBlock(number, &run[run.size() - kBlock]);
    }
    code = file->pMethods->xWrite(
        file, run.data(), static_cast<int>(run.size()),
        static_cast<sqlite3_int64>(first) * static_cast<int>(kBlock));
    if (code != SQLITE_OK) return code;
  }
  code = file->pMethods->xSync(file, sync_flags);
  if (code != SQLITE_OK) return code;
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const std::uint32_t number : blocks) dirty_.erase(number);
  return SQLITE_OK;
}

}  // namespace ostiary::storage::sqlite

#ifndef OSTIARY_STORAGE_SQLITE_PAGE_SUMS_H_
#define OSTIARY_STORAGE_SQLITE_PAGE_SUMS_H_

#include <sqlite3.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <set>

namespace ostiary::storage::sqlite {

// XXH64 of `bytes`. On disk, as a number of this machine.
std::uint64_t HashOf(const void* bytes, std::size_t size, std::uint64_t seed);

// What each page of the store's file must be: a hash of it under its number,
// kept in a file of its own beside it (STORE-sums). So a page is recognised as
// wrong when bits in it changed, when it is another page's, and also when it is
// itself as it was some time ago: what a hash inside the page would not see.
//
// It finds damage, not malice: who can write both files can make them agree.
//
// On disk, blocks of 512 bytes, which a disk writes whole or not at all: first
// a header (the magic, zeroes), then blocks of 63 hashes; the last 8 bytes of
// each are its own hash under its number. A hash of 0, and a block of zeroes
// (never written, after a power cut), say nothing about their pages.
//
// A power cut leaves hashes and pages disagreeing only where the write-ahead
// log has the page, because Flush is done before the log may start anew; and
// then nobody reads it from the file until it has been written again.
//
// Matches and Knows: any thread. The others: one thread at a time.
class PageSums {
 public:
  static constexpr std::size_t kPage = 4096;
  static constexpr std::size_t kBlock = 512;

  PageSums() = default;
  ~PageSums();
  PageSums(const PageSums&) = delete;
  PageSums& operator=(const PageSums&) = delete;

  // Whether `bytes` may be page `page` (the first is 1); true if nothing is
  // known about it.
  bool Matches(std::uint32_t page, const void* bytes) const;
  bool Knows(std::uint32_t page) const { return Sum(page) != 0; }

  // Page `page` has been written like this. False: beyond what is kept.
  bool Note(std::uint32_t page, const void* bytes);
  // It was written in part: nothing is known about it.
  void Forget(std::uint32_t page);

  // What to make of a block that is neither whole nor empty.
  enum class Torn {
    kIsDamage,
    // A write of it failed half way, and the process died before it could try
    // again. Only while the log still has its pages: it says nothing about
    // them, like one that was never written.
    kSaysNothing,
  };

  // Reads the blocks of `file`. An SQLite code; SQLITE_CORRUPT: damage.
  int Load(sqlite3_file* file, Torn torn);
  // True if something was noted that is not in the file.
  bool dirty() const;
  // Writes what was noted since and syncs.
  int Flush(sqlite3_file* file, int sync_flags);

 private:
  static constexpr std::size_t kSumsInBlock = kBlock / 8 - 1;
  static constexpr std::size_t kBlocksInChunk = 1024;
  static constexpr std::size_t kChunks = 4096;  // of 252 MiB each: 1 TB
  using Chunk =
      std::array<std::atomic<std::uint64_t>, kBlocksInChunk * kSumsInBlock>;

  std::uint64_t Sum(std::uint32_t page) const;
  bool SetSum(std::uint32_t page, std::uint64_t sum);
  int LoadBlock(std::uint32_t number, const unsigned char* block);
  void FillBlock(std::uint32_t number, unsigned char* block) const;

  std::array<std::atomic<Chunk*>, kChunks> chunks_{};
  mutable std::mutex mutex_;
  std::set<std::uint32_t> dirty_;  // blocks; guarded by mutex_
};

}  // namespace ostiary::storage::sqlite

#endif  // OSTIARY_STORAGE_SQLITE_PAGE_SUMS_H_

#include "storage/sqlite/page_sums.h"

#include <cstring>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "storage/sqlite/summing_vfs.h"
#include "tests/storage/power_loss/memory_disk.h"
#include "tests/support/status_matchers.h"

namespace ostiary::storage::sqlite {
namespace {

using ::ostiary::testing::DiskImage;
using ::ostiary::testing::DiskOp;
using ::ostiary::testing::MemoryDisk;
using ::ostiary::testing::ValueOf;

constexpr char kFile[] = "/store-sums";

std::string Page(char letter) { return std::string(PageSums::kPage, letter); }

std::unique_ptr<VfsFile> Open() {
  return ValueOf(VfsFile::Open(
      sqlite3_vfs_find(nullptr), kFile,
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MAIN_JOURNAL));
}

std::string BytesOf(VfsFile& file) {
  sqlite3_int64 size = 0;
  file.get()->pMethods->xFileSize(file.get(), &size);
  std::string bytes(static_cast<std::size_t>(size), '\0');
  file.get()->pMethods->xRead(file.get(), bytes.data(), static_cast<int>(size),
                              0);
  return bytes;
}

// What it writes of some pages.
std::string SumsOf(std::uint32_t pages) {
  const MemoryDisk disk;
  PageSums sums;
  for (std::uint32_t page = 1; page <= pages; ++page)
    EXPECT_TRUE(sums.Note(page, Page('a').data()));
  const auto file = Open();
  EXPECT_EQ(sums.Flush(file->get(), SQLITE_SYNC_NORMAL), SQLITE_OK);
  return BytesOf(*file);
}

int LoadOf(const std::string& bytes, PageSums& sums) {
  const MemoryDisk disk(DiskImage{{kFile, bytes}});
  return sums.Load(Open()->get(), PageSums::Torn::kIsDamage);
}

// On disks: never changes.
TEST(PageHashTest, IsXxh64) {
  EXPECT_EQ(HashOf(nullptr, 0, 0), 0xef46db3751d8e999u);
  std::string bytes(504, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<char>(i);
  EXPECT_EQ(HashOf(bytes.data(), bytes.size(), 7), 0xd28b773a0b0e3be3u);
  bytes.resize(4096);
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<char>(i * 7);
  EXPECT_EQ(HashOf(bytes.data(), bytes.size(), 3), 0xcc65729cf7515aebu);
}

TEST(PageSumsTest, KnowsAPageByItsNumberAndItsLastContent) {
  PageSums sums;
  EXPECT_TRUE(sums.Matches(3, Page('a').data())) << "nothing is known yet";
  sums.Note(3, Page('a').data());
  sums.Note(4, Page('b').data());
  EXPECT_TRUE(sums.Matches(3, Page('a').data()));
  EXPECT_FALSE(sums.Matches(3, Page('b').data())) << "another page's";
  EXPECT_FALSE(sums.Matches(4, Page('a').data()));
  EXPECT_FALSE(sums.Matches(3, Page('\0').data()));
  sums.Note(3, Page('c').data());
  EXPECT_FALSE(sums.Matches(3, Page('a').data())) << "as it was before";
  sums.Forget(3);
  EXPECT_TRUE(sums.Matches(3, Page('x').data()));
}

TEST(PageSumsTest, EveryFlippedBitIsNoticed) {
  PageSums sums;
  std::string page = Page('p');
  sums.Note(9, page.data());
  for (std::size_t bit = 0; bit < page.size() * 8; ++bit) {
    page[bit / 8] ^= static_cast<char>(1 << bit % 8);
    ASSERT_FALSE(sums.Matches(9, page.data())) << bit;
    page[bit / 8] ^= static_cast<char>(1 << bit % 8);
  }
}

TEST(PageSumsTest, WhatWasFlushedIsLoaded) {
  for (const std::uint32_t pages : {1u, 62u, 63u, 64u, 5000u}) {
    const std::string bytes = SumsOf(pages);
    EXPECT_EQ(bytes.size(), 512u * (1 + (pages + 62) / 63));
    PageSums sums;
    ASSERT_EQ(LoadOf(bytes, sums), SQLITE_OK);
    EXPECT_FALSE(sums.dirty());
    EXPECT_TRUE(sums.Knows(pages));
    EXPECT_FALSE(sums.Knows(pages + 1));
    EXPECT_TRUE(sums.Matches(pages, Page('a').data()));
    EXPECT_FALSE(sums.Matches(pages, Page('b').data()));
  }
}

TEST(PageSumsTest, OnlyBlocksWithNewsAreWritten) {
  MemoryDisk disk;
  PageSums sums;
  for (std::uint32_t page = 1; page <= 1000; ++page)
    sums.Note(page, Page('a').data());
  const auto file = Open();
  ASSERT_EQ(sums.Flush(file->get(), SQLITE_SYNC_NORMAL), SQLITE_OK);
  const std::size_t before = disk.Recording().size();
  ASSERT_EQ(sums.Flush(file->get(), SQLITE_SYNC_NORMAL), SQLITE_OK);
  EXPECT_EQ(disk.Recording().size(), before) << "nothing new";
  sums.Note(500, Page('b').data());
  ASSERT_EQ(sums.Flush(file->get(), SQLITE_SYNC_NORMAL), SQLITE_OK);
  const std::vector<DiskOp> recording = disk.Recording();
  ASSERT_EQ(recording.size(), before + 2);
  EXPECT_EQ(recording[before].bytes.size(), 512u);
  EXPECT_EQ(recording[before].offset, 512 * (1 + 499 / 63));
  EXPECT_EQ(recording[before + 1].kind, DiskOp::Kind::kSync);
}

TEST(PageSumsTest, ABlockIsWholeOrEmpty) {
  const std::string good = SumsOf(200);
  for (std::size_t at = 0; at < good.size(); at += 37) {
    std::string bytes = good;
    bytes[at] ^= 4;
    PageSums sums;
    EXPECT_EQ(LoadOf(bytes, sums), SQLITE_CORRUPT) << at;
  }
  // As a power cut leaves it: the file has grown and the block is not there.
  std::string empty = good;
  std::memset(&empty[512], 0, 512);
  PageSums sums;
  ASSERT_EQ(LoadOf(empty, sums), SQLITE_OK);
  EXPECT_FALSE(sums.Knows(1));
  EXPECT_TRUE(sums.Knows(64));
}

TEST(PageSumsTest, BlocksDoNotChangePlaces) {
  std::string bytes = SumsOf(200);
  const std::string first = bytes.substr(512, 512);
  bytes.replace(512, 512, bytes.substr(1024, 512));
  bytes.replace(1024, 512, first);
  PageSums sums;
  EXPECT_EQ(LoadOf(bytes, sums), SQLITE_CORRUPT);
}

}  // namespace
}  // namespace ostiary::storage::sqlite

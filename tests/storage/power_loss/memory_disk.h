#ifndef OSTIARY_TESTS_STORAGE_POWER_LOSS_MEMORY_DISK_H_
#define OSTIARY_TESTS_STORAGE_POWER_LOSS_MEMORY_DISK_H_

#include <sqlite3.h>

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace ostiary::testing {

// What a program asked of its disk, in order.
struct DiskOp {
  enum class Kind {
    kWrite,
    kTruncate,    // to `offset` bytes
    kSync,        // of the file
    kCreate,      // an entry `name` for file `inode` in the folder
    kDelete,      // of the entry `name`
    kSyncFolder,  // of all entries
    kBegin,       // operation `number` of the workload has been asked for
    kAnswered,    // it has been answered
  };
  Kind kind;
  int inode = 0;
  std::string name;
  std::int64_t offset = 0;
  std::string bytes;
  int number = 0;
};

// The files of a folder by their names.
using DiskImage = std::map<std::string, std::string>;

// A disk in memory as SQLite's default VFS while it lives: it remembers every
// request, keeps locks and shared memory like the real one, and syncs a folder
// when the real one does (with the first sync of a journal or log it made, and
// with a deletion that asks for it). A store that is missing is made by opening
// it, because the shipped code makes it past SQLite.
//
// Thread-safe. One at a time; no connection may outlive it.
class MemoryDisk {
 public:
  // Whether a sync is a sync. With kLie it answers and does nothing.
  enum class Syncs { kHonest, kLie };
  // Whether `PRAGMA synchronous` is obeyed. kOff swallows it and sets OFF on
  // every connection.
  enum class Synchronous { kAsAsked, kOff };

  MemoryDisk() : MemoryDisk(DiskImage{}) {}
  explicit MemoryDisk(DiskImage image, Syncs syncs = Syncs::kHonest,
                      Synchronous synchronous = Synchronous::kAsAsked);
  ~MemoryDisk();
  MemoryDisk(const MemoryDisk&) = delete;
  MemoryDisk& operator=(const MemoryDisk&) = delete;

  // Puts a mark between the requests.
  void Begin(int number) {
    Record({DiskOp::Kind::kBegin, 0, "", 0, "", number});
  }
  void Answered(int number) {
    Record({DiskOp::Kind::kAnswered, 0, "", 0, "", number});
  }
  std::vector<DiskOp> Recording();

  // The interface to SQLite, in the .cc.
  struct File;

 private:
  struct Inode {
    int number = 0;
    std::string bytes;
    bool folder_to_sync = false;
    // Locks of the main file: how many connections hold each level or more.
    int shared = 0;
    const File* reserved = nullptr;
    const File* pending = nullptr;
    const File* exclusive = nullptr;
    std::vector<std::unique_ptr<std::array<char, 32768>>> shm;
    std::array<int, SQLITE_SHM_NLOCK> shm_shared{};
    std::array<const File*, SQLITE_SHM_NLOCK> shm_exclusive{};
  };

  void Record(DiskOp op);
  std::shared_ptr<Inode> FindOrMake(const std::string& name, bool journal);

  const Syncs syncs_;
  const Synchronous synchronous_;
  sqlite3_vfs vfs_{};
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Inode>> folder_;  // guarded by mutex_
  std::vector<DiskOp> recording_;                         // guarded by mutex_
  int inodes_ = 0;                                        // guarded by mutex_
  std::uint64_t random_ = 1;                              // guarded by mutex_
};

}  // namespace ostiary::testing

#endif  // OSTIARY_TESTS_STORAGE_POWER_LOSS_MEMORY_DISK_H_

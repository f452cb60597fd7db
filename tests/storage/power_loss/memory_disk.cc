#include "tests/storage/power_loss/memory_disk.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

namespace ostiary::testing {
namespace {

constexpr char kName[] = "memory-disk";

int SetSynchronousOff(sqlite3* connection, char**,
                      const sqlite3_api_routines*) {
  return sqlite3_exec(connection, "PRAGMA synchronous = OFF; ", nullptr,
                      nullptr, nullptr);
}

// The type that sqlite3_auto_extension wants of it.
void (*Extension())() {
  return reinterpret_cast<void (*)()>(SetSynchronousOff);
}

}  // namespace

struct MemoryDisk::File {
  sqlite3_file base;
  MemoryDisk* disk;
  std::shared_ptr<Inode> inode;
  int level = SQLITE_LOCK_NONE;

  static File& Of(sqlite3_file* file) { return *reinterpret_cast<File*>(file); }
  using Lock = std::lock_guard<std::mutex>;

  static int Close(sqlite3_file* file) {
    Unlock(file, SQLITE_LOCK_NONE);
    Of(file).~File();
    file->pMethods = nullptr;
    return SQLITE_OK;
  }
  static int Read(sqlite3_file* file, void* out, int size,
                  sqlite3_int64 offset) {
    const Lock lock(Of(file).disk->mutex_);
    const std::string& bytes = Of(file).inode->bytes;
    const auto wanted = static_cast<std::size_t>(size);
    const std::size_t from =
        std::min(bytes.size(), static_cast<std::size_t>(offset));
    const std::size_t got = std::min(wanted, bytes.size() - from);
    std::memcpy(out, bytes.data() + from, got);
    std::memset(static_cast<char*>(out) + got, 0, wanted - got);
    return got == wanted ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
  }
  static int Write(sqlite3_file* file, const void* in, int size,
                   sqlite3_int64 offset) {
    MemoryDisk& disk = *Of(file).disk;
    const Lock lock(disk.mutex_);
    Inode& inode = *Of(file).inode;
    const auto at = static_cast<std::size_t>(offset);
    const auto count = static_cast<std::size_t>(size);
    if (inode.bytes.size() < at + count) inode.bytes.resize(at + count);
    std::memcpy(inode.bytes.data() + at, in, count);
    disk.recording_.push_back({DiskOp::Kind::kWrite, inode.number, "", offset,
                               std::string(static_cast<const char*>(in), count),
                               0});
    return SQLITE_OK;
  }
  static int Truncate(sqlite3_file* file, sqlite3_int64 size) {
    MemoryDisk& disk = *Of(file).disk;
    const Lock lock(disk.mutex_);
    Of(file).inode->bytes.resize(static_cast<std::size_t>(size));
    disk.recording_.push_back(
        {DiskOp::Kind::kTruncate, Of(file).inode->number, "", size, "", 0});
    return SQLITE_OK;
  }
  static int Sync(sqlite3_file* file, int) {
    MemoryDisk& disk = *Of(file).disk;
    if (disk.syncs_ == Syncs::kLie) return SQLITE_OK;
    const Lock lock(disk.mutex_);
    Inode& inode = *Of(file).inode;
    disk.recording_.push_back(
        {DiskOp::Kind::kSync, inode.number, "", 0, "", 0});
    if (inode.folder_to_sync) {
      disk.recording_.push_back({DiskOp::Kind::kSyncFolder, 0, "", 0, "", 0});
    }
    inode.folder_to_sync = false;
    return SQLITE_OK;
  }
  static int FileSize(sqlite3_file* file, sqlite3_int64* size) {
    const Lock lock(Of(file).disk->mutex_);
    *size = static_cast<sqlite3_int64>(Of(file).inode->bytes.size());
    return SQLITE_OK;
  }
  static int Acquire(sqlite3_file* file, int level) {
    File& me = Of(file);
    const Lock lock(me.disk->mutex_);
    Inode& inode = *me.inode;
    if (me.level >= level) return SQLITE_OK;
    const auto others = [&me](const File* holder) {
      return holder != nullptr && holder != &me;
    };
    if (others(inode.exclusive)) return SQLITE_BUSY;
    if (me.level == SQLITE_LOCK_NONE) {
      if (others(inode.pending)) return SQLITE_BUSY;
      ++inode.shared;
      me.level = SQLITE_LOCK_SHARED;
    }
    if (level >= SQLITE_LOCK_RESERVED) {
      if (others(inode.reserved)) return SQLITE_BUSY;
      inode.reserved = &me;
      me.level = SQLITE_LOCK_RESERVED;
    }
    if (level == SQLITE_LOCK_EXCLUSIVE) {
      inode.pending = &me;
      me.level = SQLITE_LOCK_PENDING;
      if (inode.shared > 1) return SQLITE_BUSY;
      inode.exclusive = &me;
      me.level = SQLITE_LOCK_EXCLUSIVE;
    }
    return SQLITE_OK;
  }
  static int Unlock(sqlite3_file* file, int level) {
    File& me = Of(file);
    const Lock lock(me.disk->mutex_);
    Inode& inode = *me.inode;
    if (me.level <= level) return SQLITE_OK;
    for (const File** holder :
         {&inode.reserved, &inode.pending, &inode.exclusive}) {
      if (*holder == &me) *holder = nullptr;
    }
    if (level == SQLITE_LOCK_NONE) --inode.shared;
    me.level = level;
    return SQLITE_OK;
  }
  static int CheckReservedLock(sqlite3_file* file, int* held) {
    const Lock lock(Of(file).disk->mutex_);
    *held = Of(file).inode->reserved != nullptr;
    return SQLITE_OK;
  }
  static int FileControl(sqlite3_file* file, int op, void* argument) {
    if (op != SQLITE_FCNTL_PRAGMA) return SQLITE_NOTFOUND;
    const auto* const words = static_cast<char**>(argument);
    const bool swallowed = Of(file).disk->synchronous_ == Synchronous::kOff &&
                           sqlite3_stricmp(words[1], "synchronous") == 0 &&
                           words[2] != nullptr &&
                           sqlite3_stricmp(words[2], "OFF") != 0;
    return swallowed ? SQLITE_OK : SQLITE_NOTFOUND;
  }
  static int SectorSize(sqlite3_file*) { return 4096; }
  // As the default one has it on Linux.
  static int DeviceCharacteristics(sqlite3_file*) {
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
  }
  static int ShmMap(sqlite3_file* file, int region, int, int extend,
                    void volatile** out) {
    const Lock lock(Of(file).disk->mutex_);
    auto& regions = Of(file).inode->shm;
    const auto index = static_cast<std::size_t>(region);
    *out = nullptr;
    if (index >= regions.size() && extend == 0) return SQLITE_OK;
    while (index >= regions.size()) {
      regions.push_back(std::make_unique<std::array<char, 32768>>());
      regions.back()->fill(0);
    }
    *out = regions[index]->data();
    return SQLITE_OK;
  }
  static int ShmLock(sqlite3_file* file, int offset, int count, int flags) {
    File& me = Of(file);
    const Lock lock(me.disk->mutex_);
    Inode& inode = *me.inode;
    for (int i = offset; i < offset + count; ++i) {
      const File* const holder = inode.shm_exclusive[i];
      if ((flags & SQLITE_SHM_LOCK) == 0) break;
      if (holder != nullptr && holder != &me) return SQLITE_BUSY;
      if ((flags & SQLITE_SHM_EXCLUSIVE) != 0 && inode.shm_shared[i] > 0)
        return SQLITE_BUSY;
    }
    for (int i = offset; i < offset + count; ++i) {
      const bool locks = (flags & SQLITE_SHM_LOCK) != 0;
      if ((flags & SQLITE_SHM_SHARED) != 0) {
        inode.shm_shared[i] += locks ? 1 : -1;
      } else {
        inode.shm_exclusive[i] = locks ? &me : nullptr;
      }
    }
    return SQLITE_OK;
  }
  static void ShmBarrier(sqlite3_file* file) {
    const Lock lock(Of(file).disk->mutex_);
  }
  static int ShmUnmap(sqlite3_file* file, int remove) {
    const Lock lock(Of(file).disk->mutex_);
    if (remove != 0) Of(file).inode->shm.clear();
    return SQLITE_OK;
  }

  static MemoryDisk& Disk(sqlite3_vfs* vfs) {
    return *static_cast<MemoryDisk*>(vfs->pAppData);
  }
  static int Open(sqlite3_vfs* vfs, const char* name, sqlite3_file* out,
                  int flags, int* out_flags) {
    static const sqlite3_io_methods kMethods = {2,
                                                Close,
                                                Read,
                                                Write,
                                                Truncate,
                                                Sync,
                                                FileSize,
                                                Acquire,
                                                Unlock,
                                                CheckReservedLock,
                                                FileControl,
                                                SectorSize,
                                                DeviceCharacteristics,
                                                ShmMap,
                                                ShmLock,
                                                ShmBarrier,
                                                ShmUnmap,
                                                nullptr,
                                                nullptr};
    MemoryDisk& disk = Disk(vfs);
    const Lock lock(disk.mutex_);
    constexpr int kJournals =
        SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL | SQLITE_OPEN_WAL;
    const std::string key = name == nullptr ? "" : name;
    const bool makes =
        (flags & (SQLITE_OPEN_CREATE | SQLITE_OPEN_MAIN_DB)) != 0;
    out->pMethods = nullptr;
    if (!makes && disk.folder_.count(key) == 0) return SQLITE_CANTOPEN;
    auto* const file = new (out) File{{}, &disk, nullptr};
    file->inode = name == nullptr
                      ? std::make_shared<Inode>()
                      : disk.FindOrMake(key, (flags & kJournals) != 0);
    file->base.pMethods = &kMethods;
    if (out_flags != nullptr) *out_flags = flags;
    return SQLITE_OK;
  }
  static int Delete(sqlite3_vfs* vfs, const char* name, int sync_folder) {
    MemoryDisk& disk = Disk(vfs);
    const Lock lock(disk.mutex_);
    if (disk.folder_.erase(name) == 0) return SQLITE_IOERR_DELETE_NOENT;
    disk.recording_.push_back({DiskOp::Kind::kDelete, 0, name, 0, "", 0});
    if (sync_folder != 0 && disk.syncs_ == Syncs::kHonest)
      disk.recording_.push_back({DiskOp::Kind::kSyncFolder, 0, "", 0, "", 0});
    return SQLITE_OK;
  }
  static int Access(sqlite3_vfs* vfs, const char* name, int flags, int* out) {
    MemoryDisk& disk = Disk(vfs);
    const Lock lock(disk.mutex_);
    const auto found = disk.folder_.find(name);
    *out = found != disk.folder_.end() &&
           (flags != SQLITE_ACCESS_EXISTS || !found->second->bytes.empty());
    return SQLITE_OK;
  }
  static int FullPathname(sqlite3_vfs*, const char* name, int size, char* out) {
    sqlite3_snprintf(size, out, "%s", name);
    return SQLITE_OK;
  }
  // Always the same, so that a recording can be made again.
  static int Randomness(sqlite3_vfs* vfs, int size, char* out) {
    MemoryDisk& disk = Disk(vfs);
    const Lock lock(disk.mutex_);
    for (int i = 0; i < size; ++i) {
      disk.random_ = disk.random_ * 6364136223846793005u + 1442695040888963407u;
      out[i] = static_cast<char>(disk.random_ >> 56);
    }
    return size;
  }
  static int Sleep(sqlite3_vfs*, int microseconds) { return microseconds; }
  static int CurrentTime(sqlite3_vfs*, double* out) {
    *out = 2460000.5;
    return SQLITE_OK;
  }
  static int GetLastError(sqlite3_vfs*, int, char*) { return 0; }
};

MemoryDisk::MemoryDisk(DiskImage image, Syncs syncs, Synchronous synchronous)
    : syncs_(syncs), synchronous_(synchronous) {
  for (auto& [name, bytes] : image) {
    auto inode = std::make_shared<Inode>();
    inode->number = ++inodes_;
    inode->bytes = std::move(bytes);
    folder_.emplace(name, std::move(inode));
  }
  vfs_.iVersion = 1;
  vfs_.szOsFile = sizeof(File);
  vfs_.mxPathname = 512;
  vfs_.zName = kName;
  vfs_.pAppData = this;
  vfs_.xOpen = File::Open;
  vfs_.xDelete = File::Delete;
  vfs_.xAccess = File::Access;
  vfs_.xFullPathname = File::FullPathname;
  vfs_.xRandomness = File::Randomness;
  vfs_.xSleep = File::Sleep;
  vfs_.xCurrentTime = File::CurrentTime;
  vfs_.xGetLastError = File::GetLastError;
  sqlite3_initialize();
  sqlite3_vfs_register(&vfs_, 1);
  // SQLite asks for randomness once in a process; from now on it asks this one.
  sqlite3_randomness(0, nullptr);
  if (synchronous_ == Synchronous::kOff) sqlite3_auto_extension(Extension());
}

MemoryDisk::~MemoryDisk() {
  if (synchronous_ == Synchronous::kOff)
    sqlite3_cancel_auto_extension(Extension());
  sqlite3_vfs_unregister(&vfs_);
  sqlite3_randomness(0, nullptr);
}

std::vector<DiskOp> MemoryDisk::Recording() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return recording_;
}

void MemoryDisk::Record(DiskOp op) {
  const std::lock_guard<std::mutex> lock(mutex_);
  recording_.push_back(std::move(op));
}

std::shared_ptr<MemoryDisk::Inode> MemoryDisk::FindOrMake(
    const std::string& name, bool journal) {
  std::shared_ptr<Inode>& inode = folder_[name];
  if (inode != nullptr) return inode;
  inode = std::make_shared<Inode>();
  inode->number = ++inodes_;
  inode->folder_to_sync = journal;
  recording_.push_back({DiskOp::Kind::kCreate, inode->number, name, 0, "", 0});
  return inode;
}

}  // namespace ostiary::testing

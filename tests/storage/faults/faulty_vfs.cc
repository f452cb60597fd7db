#include "tests/storage/faults/faulty_vfs.h"

#include <sqlite3.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <set>
#include <system_error>

namespace ostiary::testing {
namespace {

constexpr sqlite3_int64 kPage = 4096;  // the system's

// A file as the disk has it, and the pages that the system still has to write.
struct Medium {
  std::string synced;
  std::set<sqlite3_int64> dirty;
};

struct State {
  std::mutex mutex;
  bool armed = false;
  Fault fault = Fault::kReadError;
  Times times = Times::kOnce;
  int at = 0;
  int calls = 0;
  std::map<std::string, Medium> media;  // by path
};

State& state() {
  static State* const state = new State;
  return *state;
}

bool Strikes(Fault fault) {
  State& s = state();
  const std::lock_guard<std::mutex> lock(s.mutex);
  if (!s.armed || s.fault != fault) return false;
  ++s.calls;
  const bool strikes =
      s.times == Times::kOnce ? s.calls == s.at : s.calls >= s.at;
  if (strikes) errno = EIO;
  return strikes;
}

// --- A file.

struct FaultyFile {
  sqlite3_file base;
  Medium* medium;  // null: a file that need not survive
  sqlite3_file* real;
};

FaultyFile& Of(sqlite3_file* file) {
  return *reinterpret_cast<FaultyFile*>(file);
}
sqlite3_file* RealOf(sqlite3_file* file) { return Of(file).real; }
const sqlite3_io_methods& MethodsOf(sqlite3_file* file) {
  return *RealOf(file)->pMethods;
}

int Close(sqlite3_file* file) { return MethodsOf(file).xClose(RealOf(file)); }

int Read(sqlite3_file* file, void* out, int count, sqlite3_int64 at) {
  if (Strikes(Fault::kReadError)) return SQLITE_IOERR_READ;
  const int code = MethodsOf(file).xRead(RealOf(file), out, count, at);
  if (code == SQLITE_OK && Strikes(Fault::kShortRead)) {
    std::memset(static_cast<char*>(out) + count / 2, 0,
                static_cast<std::size_t>(count - count / 2));
    return SQLITE_IOERR_SHORT_READ;
  }
  return code;
}

int WriteThrough(sqlite3_file* file, const void* bytes, int count,
                 sqlite3_int64 at) {
  if (Medium* medium = Of(file).medium; medium != nullptr && count > 0) {
    const std::lock_guard<std::mutex> lock(state().mutex);
    for (sqlite3_int64 page = at / kPage; page * kPage < at + count; ++page)
      medium->dirty.insert(page);
  }
  return MethodsOf(file).xWrite(RealOf(file), bytes, count, at);
}

int Write(sqlite3_file* file, const void* bytes, int count, sqlite3_int64 at) {
  const bool full = Strikes(Fault::kDiskFull);
  const bool broken = Strikes(Fault::kWriteError);
  if (!full && !broken) return WriteThrough(file, bytes, count, at);
  WriteThrough(file, bytes, count / 2, at);
  errno = full ? ENOSPC : EIO;
  return full ? SQLITE_FULL : SQLITE_IOERR_WRITE;
}

int Sync(sqlite3_file* file, int) {
  const bool broken = Strikes(Fault::kSyncError);
  Medium* const medium = Of(file).medium;
  if (medium != nullptr) {
    const std::lock_guard<std::mutex> lock(state().mutex);
    if (!broken) {
      for (const sqlite3_int64 page : medium->dirty) {
        char bytes[kPage] = {};
        sqlite3_int64 size = 0;
        MethodsOf(file).xFileSize(RealOf(file), &size);
        const sqlite3_int64 count =
            std::min(kPage, std::max<sqlite3_int64>(size - page * kPage, 0));
        if (count == 0) continue;
        MethodsOf(file).xRead(RealOf(file), bytes, static_cast<int>(count),
                              page * kPage);
        const auto end = static_cast<std::size_t>(page * kPage + count);
        if (medium->synced.size() < end) medium->synced.resize(end);
        std::memcpy(medium->synced.data() + page * kPage, bytes,
                    static_cast<std::size_t>(count));
      }
    }
    medium->dirty.clear();
  }
  return broken ? SQLITE_IOERR_FSYNC : SQLITE_OK;
}

int Truncate(sqlite3_file* file, sqlite3_int64 size) {
  if (Strikes(Fault::kOtherError)) return SQLITE_IOERR_TRUNCATE;
  if (Medium* medium = Of(file).medium; medium != nullptr) {
    const std::lock_guard<std::mutex> lock(state().mutex);
    if (medium->synced.size() > static_cast<std::size_t>(size))
      medium->synced.resize(static_cast<std::size_t>(size));
  }
  return MethodsOf(file).xTruncate(RealOf(file), size);
}

int FileSize(sqlite3_file* file, sqlite3_int64* size) {
  if (Strikes(Fault::kOtherError)) return SQLITE_IOERR_FSTAT;
  return MethodsOf(file).xFileSize(RealOf(file), size);
}
int Lock(sqlite3_file* file, int level) {
  if (Strikes(Fault::kOtherError)) return SQLITE_IOERR_LOCK;
  return MethodsOf(file).xLock(RealOf(file), level);
}
int Unlock(sqlite3_file* file, int level) {
  return MethodsOf(file).xUnlock(RealOf(file), level);
}
int CheckReservedLock(sqlite3_file* file, int* out) {
  return MethodsOf(file).xCheckReservedLock(RealOf(file), out);
}
int FileControl(sqlite3_file* file, int operation, void* argument) {
  return MethodsOf(file).xFileControl(RealOf(file), operation, argument);
}
int SectorSize(sqlite3_file* file) {
  return MethodsOf(file).xSectorSize(RealOf(file));
}
int DeviceCharacteristics(sqlite3_file* file) {
  return MethodsOf(file).xDeviceCharacteristics(RealOf(file));
}
int ShmMap(sqlite3_file* file, int region, int size, int extend,
           void volatile** out) {
  if (Strikes(Fault::kOtherError)) return SQLITE_IOERR_SHMMAP;
  return MethodsOf(file).xShmMap(RealOf(file), region, size, extend, out);
}
int ShmLock(sqlite3_file* file, int offset, int count, int flags) {
  const bool letting_go = (flags & SQLITE_SHM_UNLOCK) != 0;
  if (!letting_go && Strikes(Fault::kOtherError)) return SQLITE_IOERR_SHMLOCK;
  return MethodsOf(file).xShmLock(RealOf(file), offset, count, flags);
}
void ShmBarrier(sqlite3_file* file) {
  MethodsOf(file).xShmBarrier(RealOf(file));
}
int ShmUnmap(sqlite3_file* file, int remove) {
  return MethodsOf(file).xShmUnmap(RealOf(file), remove);
}

// Version 2: no memory maps of the file, whose errors would be signals.
constexpr sqlite3_io_methods kMethods = {2,
                                         Close,
                                         Read,
                                         Write,
                                         Truncate,
                                         Sync,
                                         FileSize,
                                         Lock,
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

// --- The file system.

sqlite3_vfs* real_vfs = nullptr;
sqlite3_vfs vfs = {};

int Open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags,
         int* out_flags) {
  FaultyFile& opened = Of(file);
  opened.base.pMethods = nullptr;
  if (Strikes(Fault::kOtherError)) return SQLITE_CANTOPEN;
  opened.real = reinterpret_cast<sqlite3_file*>(&opened + 1);
  const int code =
      real_vfs->xOpen(real_vfs, name, opened.real, flags, out_flags);
  if (code != SQLITE_OK) return code;
  opened.base.pMethods = &kMethods;
  opened.medium = nullptr;
  if (name != nullptr && (flags & SQLITE_OPEN_DELETEONCLOSE) == 0) {
    const std::lock_guard<std::mutex> lock(state().mutex);
    opened.medium = &state().media[name];
  }
  return SQLITE_OK;
}

int Delete(sqlite3_vfs*, const char* name, int sync_directory) {
  if (Strikes(Fault::kOtherError)) return SQLITE_IOERR_DELETE;
  {
    const std::lock_guard<std::mutex> lock(state().mutex);
    const auto medium = state().media.find(name);
    if (medium != state().media.end()) medium->second = Medium();
  }
  return real_vfs->xDelete(real_vfs, name, sync_directory);
}

int Access(sqlite3_vfs*, const char* name, int flags, int* out) {
  if (Strikes(Fault::kOtherError)) return SQLITE_IOERR_ACCESS;
  return real_vfs->xAccess(real_vfs, name, flags, out);
}
int FullPathname(sqlite3_vfs*, const char* name, int size, char* out) {
  return real_vfs->xFullPathname(real_vfs, name, size, out);
}

// --- Memory.

sqlite3_mem_methods real_memory;

void* Allocate(int size) {
  if (Strikes(Fault::kNoMemory)) return nullptr;
  return real_memory.xMalloc(size);
}
void* Reallocate(void* block, int size) {
  if (Strikes(Fault::kNoMemory)) return nullptr;
  return real_memory.xRealloc(block, size);
}

void Require(int code) {
  if (code != SQLITE_OK) std::abort();
}

void WriteFile(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

constexpr const char* kFilesOfAStore[] = {"", "-wal", "-journal"};

}  // namespace

const char* FaultName(Fault fault) {
  switch (fault) {
    case Fault::kReadError:
      return "read error";
    case Fault::kShortRead:
      return "short read";
    case Fault::kWriteError:
      return "write error";
    case Fault::kDiskFull:
      return "disk full";
    case Fault::kSyncError:
      return "failed sync";
    case Fault::kOtherError:
      return "other I/O error";
    case Fault::kNoMemory:
      return "out of memory";
  }
  return "?";
}

void FaultyDisk::Install() {
  if (real_vfs != nullptr) return;
  Require(sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real_memory));
  sqlite3_mem_methods memory = real_memory;
  memory.xMalloc = Allocate;
  memory.xRealloc = Reallocate;
  Require(sqlite3_config(SQLITE_CONFIG_MALLOC, &memory));
  // As the store itself, which is refused once SQLite runs.
  Require(sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0));
  real_vfs = sqlite3_vfs_find(nullptr);
  vfs = *real_vfs;
  vfs.zName = "faulty";
  vfs.szOsFile += static_cast<int>(sizeof(FaultyFile));
  vfs.xOpen = Open;
  vfs.xDelete = Delete;
  vfs.xAccess = Access;
  vfs.xFullPathname = FullPathname;
  Require(sqlite3_vfs_register(&vfs, /*makeDflt=*/1));
}

void FaultyDisk::Arm(Fault fault, Times times, int call) {
  State& s = state();
  const std::lock_guard<std::mutex> lock(s.mutex);
  s.armed = true;
  s.fault = fault;
  s.times = times;
  s.at = call;
  s.calls = 0;
}

int FaultyDisk::Disarm() {
  State& s = state();
  const std::lock_guard<std::mutex> lock(s.mutex);
  s.armed = false;
  return s.calls;
}

void FaultyDisk::CopyAsAfterKill(const std::string& from,
                                 const std::string& to) {
  const std::lock_guard<std::mutex> lock(state().mutex);
  for (const char* suffix : kFilesOfAStore) {
    const auto medium = state().media.find(from + suffix);
    if (medium == state().media.end()) continue;
    state().media[to + suffix] = medium->second;
    std::error_code none;  // it was deleted
    std::filesystem::copy_file(from + suffix, to + suffix, none);
  }
}

void FaultyDisk::CopyAsAfterPowerLoss(const std::string& from,
                                      const std::string& to) {
  const std::lock_guard<std::mutex> lock(state().mutex);
  for (const char* suffix : kFilesOfAStore) {
    const auto medium = state().media.find(from + suffix);
    if (medium == state().media.end()) continue;
    state().media[to + suffix] = Medium{medium->second.synced, {}};
    WriteFile(to + suffix, medium->second.synced);
  }
}

void FaultyDisk::Forget(const std::string& path) {
  const std::lock_guard<std::mutex> lock(state().mutex);
  for (const char* suffix : kFilesOfAStore) state().media.erase(path + suffix);
}

}  // namespace ostiary::testing

#include "storage/sqlite/strict_files.h"

#include <sqlite3.h>

#include <cerrno>
#include <cstring>

namespace ostiary::storage::sqlite {
namespace {

constexpr char kName[] = "ostiary";

struct StrictFile {
  sqlite3_file base;
  sqlite3_file* real;  // ours; closed and freed by Close
  bool is_database;    // and not its log
};

StrictFile& Of(sqlite3_file* file) {
  return *reinterpret_cast<StrictFile*>(file);
}
sqlite3_file* Real(sqlite3_file* file) { return Of(file).real; }
const sqlite3_io_methods& Methods(sqlite3_file* file) {
  return *Real(file)->pMethods;
}

int Close(sqlite3_file* file) {
  const int code = Methods(file).xClose(Real(file));
  sqlite3_free(Real(file));
  return code;
}

// A new file is empty, and what is none of SQLite's may be shorter than a page:
// SQLite finds that out from what is missing of its header.
bool MayEndHere(sqlite3_file* file, int count, sqlite3_int64 at) {
  constexpr sqlite3_int64 kHeaderBytes = 100;
  sqlite3_int64 size = 0;
  if (Methods(file).xFileSize(Real(file), &size) != SQLITE_OK) return false;
  return size == 0 || (at < kHeaderBytes && size < at + count);
}

int Read(sqlite3_file* file, void* out, int count, sqlite3_int64 at) {
  const int code = Methods(file).xRead(Real(file), out, count, at);
  if (code != SQLITE_IOERR_SHORT_READ || !Of(file).is_database) return code;
  if (MayEndHere(file, count, at)) return code;
  errno = EIO;
  return SQLITE_IOERR_READ;
}

int Write(sqlite3_file* file, const void* bytes, int count, sqlite3_int64 at) {
  return Methods(file).xWrite(Real(file), bytes, count, at);
}
int Truncate(sqlite3_file* file, sqlite3_int64 size) {
  return Methods(file).xTruncate(Real(file), size);
}
int Sync(sqlite3_file* file, int flags) {
  return Methods(file).xSync(Real(file), flags);
}
int FileSize(sqlite3_file* file, sqlite3_int64* size) {
  return Methods(file).xFileSize(Real(file), size);
}
int Lock(sqlite3_file* file, int level) {
  return Methods(file).xLock(Real(file), level);
}
int Unlock(sqlite3_file* file, int level) {
  return Methods(file).xUnlock(Real(file), level);
}
int CheckReservedLock(sqlite3_file* file, int* out) {
  return Methods(file).xCheckReservedLock(Real(file), out);
}
int FileControl(sqlite3_file* file, int operation, void* argument) {
  return Methods(file).xFileControl(Real(file), operation, argument);
}
int SectorSize(sqlite3_file* file) {
  return Methods(file).xSectorSize(Real(file));
}
int DeviceCharacteristics(sqlite3_file* file) {
  return Methods(file).xDeviceCharacteristics(Real(file));
}
int ShmMap(sqlite3_file* file, int region, int size, int extend,
           void volatile** out) {
  return Methods(file).xShmMap(Real(file), region, size, extend, out);
}
int ShmLock(sqlite3_file* file, int offset, int count, int flags) {
  return Methods(file).xShmLock(Real(file), offset, count, flags);
}
void ShmBarrier(sqlite3_file* file) { Methods(file).xShmBarrier(Real(file)); }
int ShmUnmap(sqlite3_file* file, int remove) {
  return Methods(file).xShmUnmap(Real(file), remove);
}
// A file system without memory maps answers that nothing is mapped.
int Fetch(sqlite3_file* file, sqlite3_int64 at, int count, void** out) {
  *out = nullptr;
  if (Methods(file).iVersion < 3) return SQLITE_OK;
  return Methods(file).xFetch(Real(file), at, count, out);
}
int Unfetch(sqlite3_file* file, sqlite3_int64 at, void* mapped) {
  if (Methods(file).iVersion < 3) return SQLITE_OK;
  return Methods(file).xUnfetch(Real(file), at, mapped);
}

const sqlite3_io_methods& StrictMethods() {
  static const sqlite3_io_methods methods = [] {
    sqlite3_io_methods made = {};
    made.iVersion = 3;
    made.xClose = Close;
    made.xRead = Read;
    made.xWrite = Write;
    made.xTruncate = Truncate;
    made.xSync = Sync;
    made.xFileSize = FileSize;
    made.xLock = Lock;
    made.xUnlock = Unlock;
    made.xCheckReservedLock = CheckReservedLock;
    made.xFileControl = FileControl;
    made.xSectorSize = SectorSize;
    made.xDeviceCharacteristics = DeviceCharacteristics;
    made.xShmMap = ShmMap;
    made.xShmLock = ShmLock;
    made.xShmBarrier = ShmBarrier;
    made.xShmUnmap = ShmUnmap;
    made.xFetch = Fetch;
    made.xUnfetch = Unfetch;
    return made;
  }();
  return methods;
}

// Asked anew each time: a test may put another one in its place.
sqlite3_vfs* Default() { return sqlite3_vfs_find(nullptr); }

int Open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags,
         int* out_flags) {
  StrictFile& opened = Of(file);
  opened.base.pMethods = nullptr;
  sqlite3_vfs* const system = Default();
  const auto size = static_cast<sqlite3_uint64>(system->szOsFile);
  opened.real = static_cast<sqlite3_file*>(sqlite3_malloc64(size));
  if (opened.real == nullptr) return SQLITE_NOMEM;
  std::memset(opened.real, 0, size);
  const int code = system->xOpen(system, name, opened.real, flags, out_flags);
  if (opened.real->pMethods == nullptr) {
    sqlite3_free(opened.real);
    return code;
  }
  opened.is_database = (flags & SQLITE_OPEN_MAIN_DB) != 0;
  opened.base.pMethods = &StrictMethods();
  return code;
}

int Delete(sqlite3_vfs*, const char* name, int sync_directory) {
  return Default()->xDelete(Default(), name, sync_directory);
}
int Access(sqlite3_vfs*, const char* name, int flags, int* out) {
  return Default()->xAccess(Default(), name, flags, out);
}
int FullPathname(sqlite3_vfs*, const char* name, int size, char* out) {
  return Default()->xFullPathname(Default(), name, size, out);
}

const char* Register() {
  static sqlite3_vfs strict = *Default();  // what is not about files stays
  strict.pNext = nullptr;
  strict.zName = kName;
  strict.szOsFile = static_cast<int>(sizeof(StrictFile));
  strict.xOpen = Open;
  strict.xDelete = Delete;
  strict.xAccess = Access;
  strict.xFullPathname = FullPathname;
  // Fails for want of memory only; then the name finds nothing.
  sqlite3_vfs_register(&strict, /*makeDflt=*/0);
  return kName;
}

}  // namespace

const char* StrictFiles() {
  static const char* const name = Register();
  return name;
}

}  // namespace ostiary::storage::sqlite

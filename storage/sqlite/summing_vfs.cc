#include "storage/sqlite/summing_vfs.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/sqlite/connection.h"
#include "storage/sqlite/engine.h"

namespace ostiary::storage::sqlite {
namespace {

constexpr int kPage = static_cast<int>(PageSums::kPage);
// A journal's: SQLite then syncs the folder with the file's first sync, and
// takes the mode of the store for it.
constexpr int kSumsFlags =
    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MAIN_JOURNAL;

std::string NextName() {
  static std::atomic<int> next{0};
  return absl::StrCat("ostiary-", ++next);
}

std::uint32_t PageAt(sqlite3_int64 offset) {
  return static_cast<std::uint32_t>(offset / kPage + 1);
}

// Reads in units of whole pages of ours; SQLite's own may be larger.
bool IsWhole(sqlite3_int64 offset, sqlite3_int64 size) {
  return offset % kPage == 0 && size % kPage == 0;
}

absl::Status SumsDamaged(const std::string& path) {
  return absl::DataLossError(absl::StrCat(
      path,
      "-sums is damaged, so it cannot be told whether the store is; if the "
      "store itself passes `sqlite3 -readonly ... 'PRAGMA integrity_check'`, "
      "remove this file and it is made anew"));
}

std::string Resolved(sqlite3_vfs* vfs, const std::string& path) {
  std::string full(static_cast<std::size_t>(vfs->mxPathname) + 1, '\0');
  // SQLITE_OK, or that it went through a symbolic link.
  const int code =
      vfs->xFullPathname(vfs, path.c_str(), vfs->mxPathname, full.data());
  return (code & 0xff) == SQLITE_OK ? std::string(full.c_str()) : path;
}

}  // namespace

absl::StatusOr<std::unique_ptr<VfsFile>> VfsFile::Open(sqlite3_vfs* vfs,
                                                       std::string path,
                                                       int flags) {
  path.push_back('\0');  // twice: a name may be followed by parameters
  std::unique_ptr<VfsFile> file(
      new VfsFile(std::move(path), static_cast<std::size_t>(vfs->szOsFile)));
  const int code =
      vfs->xOpen(vfs, file->path_.c_str(), file->get(), flags, nullptr);
  if (code == SQLITE_OK) return file;
  return StatusFrom(code, absl::StrCat("cannot open ", file->path_.c_str()));
}

VfsFile::~VfsFile() {
  if (get()->pMethods != nullptr) get()->pMethods->xClose(get());
}

// The C interface. `base` is what SQLite sees; the file below follows it in the
// same memory.
struct SummingFile {
  sqlite3_file base;
  SummingVfs* owner;

  static SummingFile* Of(sqlite3_file* file) {
    return reinterpret_cast<SummingFile*>(file);
  }
  static sqlite3_file* Below(sqlite3_file* file) {
    return reinterpret_cast<sqlite3_file*>(Of(file) + 1);
  }
  static const sqlite3_io_methods* MethodsBelow(sqlite3_file* file) {
    return Below(file)->pMethods;
  }

  static int Close(sqlite3_file* file) {
    return MethodsBelow(file)->xClose(Below(file));
  }
  static int Read(sqlite3_file* file, void* out, int size,
                  sqlite3_int64 offset) {
    const int code = MethodsBelow(file)->xRead(Below(file), out, size, offset);
    // What a cut file lacks is filled with zeroes; no page of ours is that.
    if (code != SQLITE_OK && code != SQLITE_IOERR_SHORT_READ) return code;
    if (!Of(file)->owner->Verify(offset, out, size)) return SQLITE_IOERR_DATA;
    return code;
  }
  static int Write(sqlite3_file* file, const void* bytes, int size,
                   sqlite3_int64 offset) {
    const int code =
        MethodsBelow(file)->xWrite(Below(file), bytes, size, offset);
    if (code != SQLITE_OK) return code;
    return Of(file)->owner->NoteWritten(offset, bytes, size);
  }
  static int Truncate(sqlite3_file* file, sqlite3_int64 size) {
    return MethodsBelow(file)->xTruncate(Below(file), size);
  }
  // The pages first: a sum on the disk promises that its page is there.
  static int Sync(sqlite3_file* file, int flags) {
    const int code = MethodsBelow(file)->xSync(Below(file), flags);
    if (code != SQLITE_OK) return code;
    return Of(file)->owner->Flush(flags);
  }
  static int FileSize(sqlite3_file* file, sqlite3_int64* size) {
    return MethodsBelow(file)->xFileSize(Below(file), size);
  }
  static int Lock(sqlite3_file* file, int level) {
    return MethodsBelow(file)->xLock(Below(file), level);
  }
  static int Unlock(sqlite3_file* file, int level) {
    return MethodsBelow(file)->xUnlock(Below(file), level);
  }
  static int CheckReservedLock(sqlite3_file* file, int* held) {
    return MethodsBelow(file)->xCheckReservedLock(Below(file), held);
  }
  static int FileControl(sqlite3_file* file, int op, void* argument) {
    return MethodsBelow(file)->xFileControl(Below(file), op, argument);
  }
  static int SectorSize(sqlite3_file* file) {
    return MethodsBelow(file)->xSectorSize(Below(file));
  }
  static int DeviceCharacteristics(sqlite3_file* file) {
    return MethodsBelow(file)->xDeviceCharacteristics(Below(file));
  }
  static int ShmMap(sqlite3_file* file, int region, int size, int extend,
                    void volatile** out) {
    return MethodsBelow(file)->xShmMap(Below(file), region, size, extend, out);
  }
  static int ShmLock(sqlite3_file* file, int offset, int count, int flags) {
    return MethodsBelow(file)->xShmLock(Below(file), offset, count, flags);
  }
  static void ShmBarrier(sqlite3_file* file) {
    MethodsBelow(file)->xShmBarrier(Below(file));
  }
  static int ShmUnmap(sqlite3_file* file, int remove) {
    return MethodsBelow(file)->xShmUnmap(Below(file), remove);
  }
  static int Fetch(sqlite3_file* file, sqlite3_int64 offset, int size,
                   void** out) {
    const int code = MethodsBelow(file)->xFetch(Below(file), offset, size, out);
    if (code != SQLITE_OK || *out == nullptr) return code;
    if (Of(file)->owner->Verify(offset, *out, size)) return SQLITE_OK;
    MethodsBelow(file)->xUnfetch(Below(file), offset, *out);
    *out = nullptr;
    return SQLITE_IOERR_DATA;
  }
  static int Unfetch(sqlite3_file* file, sqlite3_int64 offset, void* page) {
    return MethodsBelow(file)->xUnfetch(Below(file), offset, page);
  }

  // As much of the interface as the file below has.
  static const sqlite3_io_methods* MethodsFor(int version) {
    static const sqlite3_io_methods kMethods[] = {Methods(1), Methods(2),
                                                  Methods(3)};
    return &kMethods[std::clamp(version, 1, 3) - 1];
  }
  static sqlite3_io_methods Methods(int version) {
    return {version,
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
            Fetch,
            Unfetch};
  }

  // The interface to the system: everything but opening is that below, which
  // must be given itself.
  static SummingVfs* Owner(sqlite3_vfs* vfs) {
    return static_cast<SummingVfs*>(vfs->pAppData);
  }
  static sqlite3_vfs* Base(sqlite3_vfs* vfs) { return Owner(vfs)->base_; }

  static int Open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file,
                  int flags, int* out_flags) {
    return Owner(vfs)->OpenFile(name, file, flags, out_flags);
  }
  static int Delete(sqlite3_vfs* vfs, const char* name, int sync_folder) {
    return Base(vfs)->xDelete(Base(vfs), name, sync_folder);
  }
  static int Access(sqlite3_vfs* vfs, const char* name, int flags, int* out) {
    return Base(vfs)->xAccess(Base(vfs), name, flags, out);
  }
  static int FullPathname(sqlite3_vfs* vfs, const char* name, int size,
                          char* out) {
    return Base(vfs)->xFullPathname(Base(vfs), name, size, out);
  }
  static void* DlOpen(sqlite3_vfs*, const char*) { return nullptr; }
  static void DlError(sqlite3_vfs*, int size, char* out) {
    if (size > 0) *out = '\0';
  }
  static void (*DlSym(sqlite3_vfs*, void*, const char*))() { return nullptr; }
  static void DlClose(sqlite3_vfs*, void*) {}
  static int Randomness(sqlite3_vfs* vfs, int size, char* out) {
    return Base(vfs)->xRandomness(Base(vfs), size, out);
  }
  static int Sleep(sqlite3_vfs* vfs, int microseconds) {
    return Base(vfs)->xSleep(Base(vfs), microseconds);
  }
  static int CurrentTime(sqlite3_vfs* vfs, double* out) {
    return Base(vfs)->xCurrentTime(Base(vfs), out);
  }
  static int GetLastError(sqlite3_vfs* vfs, int size, char* out) {
    return Base(vfs)->xGetLastError(Base(vfs), size, out);
  }
  static int CurrentTimeInt64(sqlite3_vfs* vfs, sqlite3_int64* out) {
    return Base(vfs)->xCurrentTimeInt64(Base(vfs), out);
  }

  static void Fill(sqlite3_vfs& vfs, const sqlite3_vfs& base) {
    vfs.iVersion = std::min(base.iVersion, 2);
    vfs.szOsFile = static_cast<int>(sizeof(SummingFile)) + base.szOsFile;
    vfs.mxPathname = base.mxPathname;
    vfs.xOpen = Open;
    vfs.xDelete = Delete;
    vfs.xAccess = Access;
    vfs.xFullPathname = FullPathname;
    vfs.xDlOpen = DlOpen;
    vfs.xDlError = DlError;
    vfs.xDlSym = DlSym;
    vfs.xDlClose = DlClose;
    vfs.xRandomness = Randomness;
    vfs.xSleep = Sleep;
    vfs.xCurrentTime = CurrentTime;
    vfs.xGetLastError = GetLastError;
    vfs.xCurrentTimeInt64 = CurrentTimeInt64;
  }
};

SummingVfs::SummingVfs(std::string path)
    : path_(Resolved(SystemVfs(), path)),
      name_(NextName()),
      base_(SystemVfs()) {
  SummingFile::Fill(vfs_, *base_);
  vfs_.zName = name_.c_str();
  vfs_.pAppData = this;
  sqlite3_vfs_register(&vfs_, 0);
}

SummingVfs::~SummingVfs() { sqlite3_vfs_unregister(&vfs_); }

absl::StatusOr<std::unique_ptr<SummingVfs>> SummingVfs::Create(
    std::string path, FileTrust trust) {
  std::unique_ptr<SummingVfs> vfs(new SummingVfs(std::move(path)));
  if (absl::Status loaded = vfs->Load(trust); !loaded.ok()) return loaded;
  if (absl::Status adopted = vfs->Adopt(); !adopted.ok()) return adopted;
  return vfs;
}

absl::Status SummingVfs::Load(FileTrust trust) {
  const std::string sums = absl::StrCat(path_, "-sums");
  int there = 0;
  int code = base_->xAccess(base_, sums.c_str(), SQLITE_ACCESS_EXISTS, &there);
  if (code != SQLITE_OK) return StatusFrom(code, sums);
  if (there == 0) return absl::OkStatus();
  if (trust == FileTrust::kAsFound) {
    code = base_->xDelete(base_, sums.c_str(), 1);
    return code == SQLITE_OK ? absl::OkStatus() : StatusFrom(code, sums);
  }
  absl::StatusOr<std::unique_ptr<VfsFile>> file =
      VfsFile::Open(base_, sums, kSumsFlags);
  if (!file.ok()) return file.status();
  int log = 0;
  code = base_->xAccess(base_, absl::StrCat(path_, "-wal").c_str(),
                        SQLITE_ACCESS_EXISTS, &log);
  if (code != SQLITE_OK) return StatusFrom(code, path_);
  code = sums_.Load((*file)->get(), log == 0 ? PageSums::Torn::kIsDamage
                                             : PageSums::Torn::kSaysNothing);
  if (code == SQLITE_CORRUPT) return SumsDamaged(path_);
  if (code != SQLITE_OK) return StatusFrom(code, sums);
  file_ = *std::move(file);
  return absl::OkStatus();
}

// Takes pages of which nothing is known as they are: those of a store from
// before there were sums, or from a backup.
absl::Status SummingVfs::Adopt() {
  absl::StatusOr<std::unique_ptr<VfsFile>> opened =
      VfsFile::Open(base_, path_, SQLITE_OPEN_READONLY | SQLITE_OPEN_MAIN_DB);
  if (!opened.ok()) return opened.status();
  sqlite3_file* const file = (*opened)->get();
  sqlite3_int64 size = 0;
  int code = file->pMethods->xFileSize(file, &size);
  std::vector<unsigned char> page(PageSums::kPage);
  for (sqlite3_int64 at = 0; code == SQLITE_OK && at + kPage <= size;
       at += kPage) {
    if (sums_.Knows(PageAt(at))) continue;
    code = file->pMethods->xRead(file, page.data(), kPage, at);
    // Smaller pages than ours cannot be summed. 1 stands for 65536.
    const int page_size = page[16] << 8 | page[17];
    if (at == 0 && page_size != 1 && page_size < kPage) break;
    if (code == SQLITE_OK) sums_.Note(PageAt(at), page.data());
  }
  if (code != SQLITE_OK) return StatusFrom(code, path_);
  return absl::OkStatus();
}

int SummingVfs::OpenFile(const char* name, sqlite3_file* file, int flags,
                         int* out_flags) {
  if (name == nullptr || (flags & SQLITE_OPEN_MAIN_DB) == 0 || path_ != name) {
    return base_->xOpen(base_, name, file, flags, out_flags);
  }
  file->pMethods = nullptr;
  sqlite3_file* const below = SummingFile::Below(file);
  const int code = base_->xOpen(base_, name, below, flags, out_flags);
  if (below->pMethods == nullptr) return code;
  SummingFile::Of(file)->owner = this;
  file->pMethods = SummingFile::MethodsFor(below->pMethods->iVersion);
  return code;
}

bool SummingVfs::Verify(sqlite3_int64 offset, const void* bytes,
                        int size) const {
  if (IsWhole(offset, size)) {
    const auto* page = static_cast<const char*>(bytes);
    for (int at = 0; at < size; at += kPage) {
      if (!sums_.Matches(PageAt(offset + at), page + at)) return false;
    }
    return true;
  }
  // SQLite looks into the header of the file before it reads its first page.
  // It reads nothing else in part, unless the header lied about the size of
  // the pages.
  return offset + size <= 100 || !sums_.Knows(PageAt(offset));
}

int SummingVfs::NoteWritten(sqlite3_int64 offset, const void* bytes, int size) {
  if (IsWhole(offset, size)) {
    const auto* page = static_cast<const char*>(bytes);
    for (int at = 0; at < size; at += kPage) {
      if (!sums_.Note(PageAt(offset + at), page + at)) return SQLITE_FULL;
    }
    return SQLITE_OK;
  }
  for (std::uint32_t page = PageAt(offset); page <= PageAt(offset + size - 1);
       ++page) {
    sums_.Forget(page);
  }
  return SQLITE_OK;
}

int SummingVfs::Flush(int sync_flags) {
  if (!sums_.dirty()) return SQLITE_OK;
  const std::lock_guard<std::mutex> lock(mutex_);
  if (file_ == nullptr) {
    absl::StatusOr<std::unique_ptr<VfsFile>> file =
        VfsFile::Open(base_, absl::StrCat(path_, "-sums"), kSumsFlags);
    if (!file.ok()) return SQLITE_CANTOPEN;
    file_ = *std::move(file);
  }
  return sums_.Flush(file_->get(), sync_flags);
}

}  // namespace ostiary::storage::sqlite

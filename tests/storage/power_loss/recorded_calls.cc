#include "tests/storage/power_loss/recorded_calls.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace ostiary::testing {
namespace {

RecordedCalls* recorder = nullptr;

}  // namespace

RecordedCalls::RecordedCalls(std::string folder) : folder_(std::move(folder)) {
  recorder = this;
}

RecordedCalls::~RecordedCalls() { recorder = nullptr; }

void RecordedCalls::Begin(int number) {
  Record(DiskOp::Kind::kBegin, 0, "", 0, "", number);
}

void RecordedCalls::Answered(int number) {
  Record(DiskOp::Kind::kAnswered, 0, "", 0, "", number);
}

void RecordedCalls::Opened(int descriptor, const std::string& path, int flags) {
  open_.erase(descriptor);
  if (path == folder_) open_[descriptor] = {};
  if (path.compare(0, folder_.size() + 1, folder_ + "/") != 0) return;
  const auto known = inodes_.find(path);
  int inode = known == inodes_.end() ? 0 : known->second;
  if (inode == 0) {
    inode = inodes_[path] = ++made_;
    Record(DiskOp::Kind::kCreate, inode, path);
  } else if ((flags & O_TRUNC) != 0) {
    sizes_[inode] = 0;
    Record(DiskOp::Kind::kTruncate, inode, "");
  }
  open_[descriptor] = {inode, (flags & O_APPEND) != 0 ? sizes_[inode] : 0};
}

void RecordedCalls::Written(int descriptor, const void* bytes,
                            std::size_t size) {
  const auto file = open_.find(descriptor);
  if (file == open_.end()) return;
  Record(DiskOp::Kind::kWrite, file->second.inode, "", file->second.at,
         std::string(static_cast<const char*>(bytes), size));
  file->second.at += static_cast<std::int64_t>(size);
  sizes_[file->second.inode] = file->second.at;
}

void RecordedCalls::Synced(int descriptor) {
  const auto file = open_.find(descriptor);
  if (file == open_.end()) return;
  Record(
      file->second.inode == 0 ? DiskOp::Kind::kSyncFolder : DiskOp::Kind::kSync,
      file->second.inode, "");
}

void RecordedCalls::Linked(const std::string& from, const std::string& to) {
  const auto file = inodes_.find(from);
  if (file == inodes_.end()) return;
  inodes_[to] = file->second;
  Record(DiskOp::Kind::kCreate, file->second, to);
}

void RecordedCalls::Unlinked(const std::string& path) {
  if (inodes_.erase(path) == 1) Record(DiskOp::Kind::kDelete, 0, path);
}

void RecordedCalls::Record(DiskOp::Kind kind, int inode,
                           const std::string& name, std::int64_t offset,
                           std::string bytes, int number) {
  recording_.push_back({kind, inode, name, offset, std::move(bytes), number});
}

}  // namespace ostiary::testing

// Ahead of libc's. Each does the same and then tells the recorder.
using ostiary::testing::recorder;

extern "C" {

int open(const char* path, int flags, ...) {
  mode_t mode = 0;
  if ((flags & O_CREAT) != 0) {
    va_list arguments;
    va_start(arguments, flags);
    mode = static_cast<mode_t>(va_arg(arguments, int));
    va_end(arguments);
  }
  const auto file =
      static_cast<int>(syscall(SYS_openat, AT_FDCWD, path, flags, mode));
  if (recorder != nullptr && file >= 0) recorder->Opened(file, path, flags);
  return file;
}

int mkostemp(char* path, int flags) {
  static const auto real =
      reinterpret_cast<int (*)(char*, int)>(dlsym(RTLD_NEXT, "mkostemp"));
  const int file = real(path, flags);
  if (recorder != nullptr && file >= 0) recorder->Opened(file, path, flags);
  return file;
}

ssize_t write(int file, const void* bytes, size_t size) {
  const ssize_t written = syscall(SYS_write, file, bytes, size);
  if (recorder != nullptr && written > 0)
    recorder->Written(file, bytes, static_cast<std::size_t>(written));
  return written;
}

int fsync(int file) {
  const auto synced = static_cast<int>(syscall(SYS_fsync, file));
  if (recorder != nullptr && synced == 0) recorder->Synced(file);
  return synced;
}

int rename(const char* from, const char* to) noexcept {
  const auto renamed =
      static_cast<int>(syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0));
  if (recorder != nullptr && renamed == 0) {
    recorder->Linked(from, to);
    recorder->Unlinked(from);
  }
  return renamed;
}

int link(const char* from, const char* to) noexcept {
  const auto linked =
      static_cast<int>(syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0));
  if (recorder != nullptr && linked == 0) recorder->Linked(from, to);
  return linked;
}

int unlink(const char* path) noexcept {
  const auto gone = static_cast<int>(syscall(SYS_unlinkat, AT_FDCWD, path, 0));
  if (recorder != nullptr && gone == 0) recorder->Unlinked(path);
  return gone;
}

}  // extern "C"

#ifndef OSTIARY_TESTS_STORAGE_POWER_LOSS_RECORDED_CALLS_H_
#define OSTIARY_TESTS_STORAGE_POWER_LOSS_RECORDED_CALLS_H_

#include <map>
#include <string>
#include <vector>

#include "tests/storage/power_loss/memory_disk.h"

namespace ostiary::testing {

// What the rooms of this program ask of the system about the files of one
// folder while it lives: open, mkostemp, write, fsync, rename, link and unlink
// are defined again in the .cc, ahead of libc's, and do what those do. Calls
// from within libc and libstdc++ (streams) are not seen.
//
// One at a time, one thread.
class RecordedCalls {
 public:
  explicit RecordedCalls(std::string folder);
  ~RecordedCalls();
  RecordedCalls(const RecordedCalls&) = delete;
  RecordedCalls& operator=(const RecordedCalls&) = delete;

  void Begin(int number);
  void Answered(int number);
  const std::vector<DiskOp>& recording() const { return recording_; }

  // For the definitions.
  void Opened(int descriptor, const std::string& path, int flags);
  void Written(int descriptor, const void* bytes, std::size_t size);
  void Synced(int descriptor);
  void Linked(const std::string& from, const std::string& to);
  void Unlinked(const std::string& path);

 private:
  struct OpenFile {
    int inode = 0;  // 0: the folder
    std::int64_t at = 0;
  };

  void Record(DiskOp::Kind kind, int inode, const std::string& name,
              std::int64_t offset = 0, std::string bytes = "", int number = 0);

  const std::string folder_;
  std::vector<DiskOp> recording_;
  std::map<std::string, int> inodes_;  // by path
  std::map<int, std::int64_t> sizes_;  // by inode
  std::map<int, OpenFile> open_;       // by descriptor
  int made_ = 0;
};

}  // namespace ostiary::testing

#endif  // OSTIARY_TESTS_STORAGE_POWER_LOSS_RECORDED_CALLS_H_

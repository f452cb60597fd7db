#ifndef OSTIARY_STORAGE_SQLITE_NEW_FILE_H_
#define OSTIARY_STORAGE_SQLITE_NEW_FILE_H_

#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace ostiary::storage::sqlite {

// A file that gets its name once it is whole: until then it is `name.part`,
// mode 0600, and goes away with this object. Killed in between, the part stays
// and nobody takes it for the file.
//
// One thread.
class NewFile {
 public:
  // The folder must be one where nobody but us or root can rename things: what
  // is written here by name would else end up in a file of somebody else's
  // choice. Errors as Store::BackUp.
  static absl::StatusOr<NewFile> Create(const std::string& path);

  ~NewFile();
  NewFile(NewFile&& other) noexcept;
  NewFile& operator=(NewFile&&) = delete;
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  int descriptor() const { return file_; }
  const std::string& part() const { return part_; }

  // kResourceExhausted unless `bytes` fit and leave a little to others.
  absl::Status CheckRoom(std::int64_t bytes) const;
  // What was written so far is on its way to the disk when this returns: one
  // large sync at the end would hold up everybody else's small ones.
  absl::Status FlushSoFar() const;

  struct Digest {
    std::int64_t size_bytes = 0;
    std::string sha256;  // hex
  };
  // Of what is in the file. `stop` as in BackupOrder.
  absl::StatusOr<Digest> Describe() const;

  // Gives the file its name, durably. kAlreadyExists if there is one by now.
  absl::Status Publish();

 private:
  NewFile(std::string path, std::string part, int file)
      : path_(std::move(path)), part_(std::move(part)), file_(file) {}

  std::string path_;
  std::string part_;
  int file_;  // -1 once moved from
  bool published_ = false;
};

// A rename or a new name in the file's folder survives a crash from then on.
absl::Status SyncFolderOf(const std::string& path);

}  // namespace ostiary::storage::sqlite

#endif  // OSTIARY_STORAGE_SQLITE_NEW_FILE_H_

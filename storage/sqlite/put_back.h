#ifndef OSTIARY_STORAGE_SQLITE_PUT_BACK_H_
#define OSTIARY_STORAGE_SQLITE_PUT_BACK_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/open_store.h"
#include "storage/store.h"

// What a restore does with files; see storage/open_store.h, which hands these
// on. Nobody else may have the files open.
namespace ostiary::storage::sqlite {

absl::StatusOr<StoreFileKind> KindOf(const std::string& path);
absl::StatusOr<ImportedFile> Import(const std::string& from,
                                    const std::string& path);
absl::Status CheckFile(const std::string& path);
absl::Status Exchange(const std::string& fresh, const std::string& path,
                      const std::string& aside);
absl::Status Adopt(const std::string& path, const std::string& aside);
absl::Status Remove(const std::string& path);
absl::StatusOr<std::unique_ptr<Store>> OpenForReading(const std::string& path);

}  // namespace ostiary::storage::sqlite

#endif  // OSTIARY_STORAGE_SQLITE_PUT_BACK_H_

#ifndef OSTIARY_SERVER_FOUNDATION_H_
#define OSTIARY_SERVER_FOUNDATION_H_

#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "server/base/clock.h"
#include "server/base/log.h"
#include "server/config.h"
#include "server/data_dir.h"
#include "server/key/key_encryption_key.h"
#include "server/mark_file.h"
#include "storage/open_store.h"
#include "storage/store.h"

namespace ostiary {

// What every mode that touches the store needs, opened in the one safe order:
// the directory with its lock, the key-encryption key, the mark, the clock, the
// store.
struct Foundation {
  DataDir data_dir;
  key::KeyEncryptionKey kek;  // as the file had it; changed by a rotation
  MarkFile mark_file;
  std::optional<Mark> mark;  // of the last run; nullopt: there was none
  SystemClock clock;         // never earlier than the mark
  std::unique_ptr<storage::Store> store;
  storage::LedgerHead head;  // where the ledger stands

  // Refuses a key-encryption key that is missing beside a store that is not:
  // making a new one would lock out every key in it. Refuses a backup that was
  // merely copied into place. Does not compare the store with the mark: that
  // is CheckAgainstMark's.
  static absl::StatusOr<std::unique_ptr<Foundation>> Lay(
      const Config& config, storage::StoreListener listener);

  // The same in two steps, for who does something to the store's file before
  // it is opened.
  enum class DamagedMark { kRefuse, kAsNone };
  static absl::StatusOr<std::unique_ptr<Foundation>> Prepare(
      const Config& config, key::MissingFile missing_kek, DamagedMark damaged);
  absl::Status Open(const Config& config, const std::string& store_url,
                    storage::StoreListener listener,
                    storage::StoreFile file = storage::StoreFile::kAsWritten);

  Foundation(DataDir dir, key::KeyEncryptionKey key, MarkFile file,
             std::optional<Mark> last);
};

// The same error, naming the store's file if it does not yet: an operator who
// reads "malformed" must know what to put back.
absl::Status NameStore(const Config& config, const absl::Status& status);

}  // namespace ostiary

#endif  // OSTIARY_SERVER_FOUNDATION_H_

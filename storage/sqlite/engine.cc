#include "storage/sqlite/engine.h"

namespace ostiary::storage::sqlite {

sqlite3_vfs* SystemVfs() {
  static const int uncounted = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  (void)uncounted;
  return sqlite3_vfs_find(nullptr);
}

}  // namespace ostiary::storage::sqlite

#include "tests/storage/conformance/conformance.h"

#include "storage/open_store.h"
#include "tests/support/temp_dir.h"

namespace ostiary::storage::conformance {
namespace {

class SqliteBackend : public Backend {
 public:
  absl::StatusOr<std::unique_ptr<Store>> Open(StoreListener listener) override {
    return OpenStore({.url = "sqlite:" + dir_.File("store.db"),
                      .readers = 4,
                      .listener = std::move(listener)});
  }

 private:
  ostiary::testing::TempDir dir_;
};

INSTANTIATE_TEST_SUITE_P(Sqlite, StoreConformance,
                         ::testing::Values(BackendUnderTest{
                             "Sqlite", [] {
                               return std::make_unique<SqliteBackend>();
                             }}));

}  // namespace
}  // namespace ostiary::storage::conformance

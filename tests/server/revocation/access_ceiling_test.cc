#include "server/revocation/access_ceiling.h"

#include <memory>

#include "gtest/gtest.h"
#include "storage/open_store.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace ostiary::revocation {
namespace {

using ::ostiary::testing::ValueOf;

class AccessCeilingTest : public ::testing::Test {
 protected:
  AccessCeilingTest() { Reopen(); }
  void Reopen() {
    store_.reset();
    storage::OpenOptions options;
    options.url = "sqlite:" + dir_.File("store.db");
    options.readers = 1;
    store_ = ValueOf(storage::OpenStore(options));
  }
  absl::Duration Agree(absl::Duration configured) {
    return ValueOf(AgreeOnAccessCeiling(*store_, configured, now_));
  }

  testing::TempDir dir_;
  std::unique_ptr<storage::Store> store_;
  absl::Time now_ = absl::FromUnixSeconds(1'700'000'000);
};

TEST_F(AccessCeilingTest, FirstStartTakesWhatIsConfigured) {
  EXPECT_EQ(Agree(absl::Minutes(15)), absl::Minutes(15));
}

TEST_F(AccessCeilingTest, IsRaisedAtOnce) {
  Agree(absl::Minutes(15));
  EXPECT_EQ(Agree(absl::Hours(2)), absl::Hours(2));
}

TEST_F(AccessCeilingTest, IsLoweredOnlyAfterTheLongestTokenHasPassed) {
  Agree(absl::Hours(2));
  EXPECT_EQ(Agree(absl::Minutes(15)), absl::Hours(2));
  now_ += absl::Hours(24) - absl::Seconds(1);
  EXPECT_EQ(Agree(absl::Minutes(15)), absl::Hours(2));
  now_ += absl::Seconds(1);
  EXPECT_EQ(Agree(absl::Minutes(15)), absl::Minutes(15));
}

TEST_F(AccessCeilingTest, WaitBeginsAfreshWithEveryOtherConfiguration) {
  Agree(absl::Hours(2));
  Agree(absl::Minutes(15));
  now_ += absl::Hours(23);
  EXPECT_EQ(Agree(absl::Hours(1)), absl::Hours(2));
  now_ += absl::Hours(23);
  EXPECT_EQ(Agree(absl::Hours(1)), absl::Hours(2));
  now_ += absl::Hours(1);
  EXPECT_EQ(Agree(absl::Hours(1)), absl::Hours(1));
}

TEST_F(AccessCeilingTest, SurvivesARestart) {
  Agree(absl::Hours(2));
  Reopen();
  EXPECT_EQ(Agree(absl::Minutes(15)), absl::Hours(2));
  now_ += absl::Hours(12);
  Reopen();
  EXPECT_EQ(Agree(absl::Minutes(15)), absl::Hours(2));
  now_ += absl::Hours(12);
  Reopen();
  EXPECT_EQ(Agree(absl::Minutes(15)), absl::Minutes(15));
}

TEST_F(AccessCeilingTest, RaisedAgainWhileWaitingToBeLowered) {
  Agree(absl::Hours(2));
  Agree(absl::Minutes(15));
  EXPECT_EQ(Agree(absl::Hours(3)), absl::Hours(3));
  EXPECT_EQ(Agree(absl::Minutes(15)), absl::Hours(3));
}

}  // namespace
}  // namespace ostiary::revocation

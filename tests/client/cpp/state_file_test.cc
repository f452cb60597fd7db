#include "client/cpp/state_file.h"

#include <sys/stat.h>

#include <fstream>
#include <iterator>

#include "gtest/gtest.h"
#include "ostiary/test_issuer.h"
#include "tests/client/cpp/fake_time.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace ostiary::client {
namespace {

using ::ostiary::testing::HasCode;
using ::ostiary::testing::TempDir;
using ::ostiary::testing::ValueOf;

constexpr char kIssuer[] = "https://id.example.test";

class StateFileTest : public ::testing::Test {
 protected:
  StateFileTest() {
    knowledge_.ReplaceKeys(ValueOf(jwt::KeySet::Parse(issuer_.JwksJson())));
    knowledge_.revoked().AddFingerprints(
        {revocation::Fingerprint::OfSession("sess_1")},
        time_.Now() + absl::Minutes(20));
    knowledge_.revoked().AddFingerprints({{1}, {2}}, absl::InfiniteFuture());
    knowledge_.revoked().AddAccount("acct_1", 7,
                                    time_.Now() + absl::Minutes(20));
    knowledge_.revoked().AddClient("web", time_.Now(), absl::InfiniteFuture());
    knowledge_.revoked().AddAll(time_.Now() - absl::Hours(1),
                                time_.Now() + absl::Minutes(20));
    knowledge_.revoked().AddKey("key_1");
    knowledge_.MoveTo({{3, 40}, "cursor-a"});
    knowledge_.MoveTo({{4, 5}, "cursor-b"});
    knowledge_.Freshen(time_.Now(), time_.Uptime());
  }

  absl::Status Write() { return WriteState(path_, kIssuer, knowledge_); }
  absl::Status Read(Knowledge& into, const std::string& issuer = kIssuer) {
    return ReadState(path_, issuer, time_.Now(), time_.Uptime(), into);
  }
  std::string Bytes() const {
    std::ifstream in(path_, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
  }
  void Put(const std::string& bytes) const {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << bytes;
  }

  TempDir dir_;
  const std::string path_ = dir_.File("state");
  testing::FakeTime time_;
  TestIssuer issuer_;
  Knowledge knowledge_;
};

TEST_F(StateFileTest, BringsBackEverything) {
  ASSERT_OK(Write());
  Knowledge back;
  ASSERT_OK(Read(back));
  EXPECT_EQ(back.keys().set.ToJson(), issuer_.JwksJson());
  EXPECT_TRUE(back.keys().known);
  EXPECT_EQ(back.position(), knowledge_.position());
  EXPECT_EQ(back.as_of(), knowledge_.as_of());
  EXPECT_EQ(back.HasReached({3, 40}), Arrival::kReached);
  EXPECT_EQ(back.HasReached({3, 41}), Arrival::kLost);
  EXPECT_EQ(back.revoked().size(), knowledge_.revoked().size());
  const absl::Time later = time_.Now() + absl::Hours(1);
  EXPECT_EQ(back.revoked().Forget(later, later), 3u);
  revocation::TokenMarks token;
  token.client_id = "web";
  token.issue_time = time_.Now();
  EXPECT_TRUE(back.revoked().Hits(token));
}

TEST_F(StateFileTest, IsForTheOwnerOnly) {
  ASSERT_OK(Write());
  struct stat info;
  ASSERT_EQ(stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

// It holds the keys that will be trusted.
TEST_F(StateFileTest, FileThatOthersCouldHaveWrittenIsNotRead) {
  ASSERT_OK(Write());
  for (const mode_t mode : {0620u, 0602u, 0666u}) {
    ASSERT_EQ(chmod(path_.c_str(), mode), 0);
    Knowledge back;
    EXPECT_FALSE(Read(back).ok());
    EXPECT_FALSE(back.position().has_value());
  }
  ASSERT_EQ(chmod(path_.c_str(), 0644), 0);  // others may read it
  Knowledge back;
  EXPECT_OK(Read(back));
}

TEST_F(StateFileTest, OldFileIsAsStaleAsItIsOld) {
  ASSERT_OK(Write());
  time_.SetWallClock(time_.Now() + absl::Hours(2));
  Knowledge back;
  ASSERT_OK(Read(back));
  EXPECT_EQ(back.Staleness(time_.Now(), time_.Uptime()), absl::Hours(2));
  // Whatever is done to the wall clock afterwards.
  EXPECT_EQ(back.Staleness(time_.Now() - absl::Hours(2), time_.Uptime()),
            absl::Hours(2));
}

TEST_F(StateFileTest, FileFromTheFutureIsNotFresh) {
  ASSERT_OK(Write());
  time_.SetWallClock(time_.Now() - absl::Hours(2));
  Knowledge back;
  ASSERT_OK(Read(back));
  EXPECT_EQ(back.Staleness(time_.Now(), time_.Uptime()),
            absl::InfiniteDuration());
  EXPECT_EQ(back.revoked().size(), knowledge_.revoked().size());
}

TEST_F(StateFileTest, FileOfAnotherIssuerIsIgnored) {
  ASSERT_OK(Write());
  Knowledge back;
  EXPECT_THAT(Read(back, "https://other.example.test"),
              HasCode(absl::StatusCode::kFailedPrecondition));
  EXPECT_EQ(back.revoked().size(), 0u);
  EXPECT_FALSE(back.keys().known);
}

TEST_F(StateFileTest, AnyFlippedOrMissingByteIsNoticed) {
  ASSERT_OK(Write());
  const std::string good = Bytes();
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x40);
    Put(bad);
    Knowledge back;
    ASSERT_THAT(Read(back), HasCode(absl::StatusCode::kDataLoss)) << at;
    ASSERT_EQ(back.revoked().size(), 0u);
    Put(good.substr(0, at));
    ASSERT_THAT(Read(back), HasCode(absl::StatusCode::kDataLoss)) << at;
    ASSERT_FALSE(back.position().has_value());
  }
  Put(good + "x");
  Knowledge back;
  EXPECT_THAT(Read(back), HasCode(absl::StatusCode::kDataLoss));
}

TEST_F(StateFileTest, NoFileIsNotFound) {
  Knowledge back;
  EXPECT_THAT(Read(back), HasCode(absl::StatusCode::kNotFound));
}

TEST_F(StateFileTest, NothingIsWrittenBeforeASnapshot) {
  Knowledge empty;
  EXPECT_OK(WriteState(path_, kIssuer, empty));
  EXPECT_EQ(Bytes(), "");
}

TEST_F(StateFileTest, FailedWriteLeavesTheOldFileAndNoOther) {
  ASSERT_OK(Write());
  EXPECT_FALSE(WriteState(dir_.File("none/state"), kIssuer, knowledge_).ok());
  Knowledge back;
  EXPECT_OK(Read(back));
}

}  // namespace
}  // namespace ostiary::client

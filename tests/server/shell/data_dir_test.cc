#include "server/data_dir.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace ostiary {
namespace {

using ::ostiary::testing::HasCode;
using ::ostiary::testing::IsOk;
using ::ostiary::testing::TempDir;
using ::testing::HasSubstr;

unsigned ModeOf(const std::string& path) {
  struct stat entry {};
  stat(path.c_str(), &entry);
  return entry.st_mode & 07777;
}

std::string MessageOf(const absl::StatusOr<DataDir>& opened) {
  return std::string(opened.status().message());
}

TEST(DataDirTest, ANewDirectoryIsMadeForItsOwnerAlone) {
  const TempDir parent;
  const std::string path = parent.File("data");
  const mode_t old = umask(0);  // the widest
  const auto opened = DataDir::Open(path + "/");
  umask(old);
  ASSERT_THAT(opened, IsOk());
  EXPECT_EQ(opened->path(), path);
  EXPECT_EQ(ModeOf(path), 0700u);
  EXPECT_EQ(ModeOf(path + "/lock"), 0600u);
}

TEST(DataDirTest, ADirectoryThatOthersCanEnterIsRefused) {
  for (const mode_t mode : {0755, 0750, 0701, 0777, 01700}) {
    const TempDir dir;
    ASSERT_EQ(chmod(dir.path().c_str(), mode), 0);
    const auto opened = DataDir::Open(dir.path());
    EXPECT_THAT(opened, HasCode(absl::StatusCode::kFailedPrecondition));
    EXPECT_THAT(MessageOf(opened), HasSubstr("expected 0700"));
    EXPECT_THAT(MessageOf(opened), HasSubstr(dir.path()));
    EXPECT_FALSE(std::filesystem::exists(dir.File("lock")))
        << "nothing is written before the check";
  }
}

TEST(DataDirTest, ADirectoryOfAnotherUserIsRefused) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give a directory away";
  const TempDir dir;
  ASSERT_EQ(chown(dir.path().c_str(), 12345, 12345), 0);
  const auto opened = DataDir::Open(dir.path());
  EXPECT_THAT(opened, HasCode(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(MessageOf(opened), HasSubstr("belongs to user 12345"));
}

TEST(DataDirTest, AFileOrALinkInItsPlaceIsRefused) {
  const TempDir dir;
  std::ofstream(dir.File("file")) << "x";
  EXPECT_THAT(MessageOf(DataDir::Open(dir.File("file"))),
              HasSubstr("not a directory"));
  std::filesystem::create_directory(dir.File("real"));
  chmod(dir.File("real").c_str(), 0700);
  std::filesystem::create_directory_symlink(dir.File("real"), dir.File("link"));
  EXPECT_THAT(MessageOf(DataDir::Open(dir.File("link"))), HasSubstr("a link"));
}

TEST(DataDirTest, AMissingParentIsNamed) {
  const TempDir dir;
  EXPECT_THAT(MessageOf(DataDir::Open(dir.File("no/data"))),
              HasSubstr("No such file"));
}

TEST(DataDirTest, ASecondServerIsRefusedAndToldWhoHoldsTheLock) {
  const TempDir dir;
  ASSERT_OK_AND_ASSIGN(std::optional<DataDir> first, DataDir::Open(dir.path()));
  const auto second = DataDir::Open(dir.path());
  EXPECT_THAT(second, HasCode(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(MessageOf(second), HasSubstr(absl::StrCat("process ", getpid())));
  EXPECT_THAT(MessageOf(second), HasSubstr(dir.path()));
  first.reset();
  EXPECT_OK(DataDir::Open(dir.path()));
}

TEST(DataDirTest, MovingItKeepsTheLock) {
  const TempDir dir;
  ASSERT_OK_AND_ASSIGN(std::optional<DataDir> first, DataDir::Open(dir.path()));
  std::optional<DataDir> moved(std::move(*first));
  first.reset();
  EXPECT_FALSE(DataDir::Open(dir.path()).ok());
  moved.reset();
  EXPECT_OK(DataDir::Open(dir.path()));
}

TEST(DataDirTest, ALockFileLeftByACrashIsNoObstacle) {
  const TempDir dir;
  std::ofstream(dir.File("lock")) << "999999\n";
  EXPECT_OK(DataDir::Open(dir.path()));
}

TEST(DataDirTest, ASocketPathOver107BytesIsAnErrorThatSaysSo) {
  EXPECT_OK(CheckSocketPath(std::string(107, 'a')));
  const absl::Status refused = CheckSocketPath(std::string(108, 'a'));
  EXPECT_FALSE(refused.ok());
  EXPECT_THAT(std::string(refused.message()), HasSubstr("107 bytes"));
  EXPECT_THAT(std::string(refused.message()), HasSubstr("--operator-socket"));
}

TEST(DataDirTest, TheMarkLiesBesideTheKeyEncryptionKey) {
  EXPECT_EQ(MarkPath("/etc/keys/kek"), "/etc/keys/mark");
  EXPECT_EQ(RevokedKeysPath("/etc/keys/kek"), "/etc/keys/revoked-keys");
  EXPECT_EQ(MarkPath("kek"), "mark");
}

}  // namespace
}  // namespace ostiary

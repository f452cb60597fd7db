#include "tests/checker/canary.h"

#include "absl/strings/escaping.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ostiary::checker {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

const char kSecret[] = "canary-quill-anchor-48?>";

TEST(Canary, IsFoundInEverySpelling) {
  const std::string secret = kSecret;
  for (const std::string& spelled :
       {secret, absl::BytesToHexString(secret), absl::Base64Escape(secret),
        absl::Base64Escape("x" + secret + "y"),
        absl::WebSafeBase64Escape("xy" + secret + "z")}) {
    EXPECT_THAT(FindCanaries("log", "before " + spelled + " after",
                             {"another-secret", secret}),
                SizeIs(1))
        << spelled;
  }
}

TEST(Canary, IsNotFoundWhereItIsNot) {
  EXPECT_THAT(FindCanaries("log", "canary-quill-anchor-49", {kSecret}),
              IsEmpty());
}

TEST(Canary, TooShortOneIsPassedOver) {
  EXPECT_THAT(FindCanaries("log", "abc", {"abc", ""}), IsEmpty());
}

}  // namespace
}  // namespace ostiary::checker

#include "client/revocation/fingerprint.h"

#include "gtest/gtest.h"

namespace ostiary::revocation {
namespace {

// printf 'token:%s' tok_1 | sha256sum | cut -c1-13
TEST(Fingerprint, IsTheFirst52BitsOfTheDigestOfKindAndId) {
  EXPECT_EQ(Fingerprint::OfToken("tok_1").value, 0xcc1cd8f46bafa);
  EXPECT_EQ(Fingerprint::OfSession("sess_1").value, 0x20a527f63c95f);
}

TEST(Fingerprint, TokenAndSessionOfOneIdAreDifferent) {
  EXPECT_NE(Fingerprint::OfToken("x"), Fingerprint::OfSession("x"));
}

}  // namespace
}  // namespace ostiary::revocation

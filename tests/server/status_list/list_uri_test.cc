#include "server/status_list/list_uri.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/base/random.h"

namespace ostiary::status_list {
namespace {

using ::testing::Optional;
using ::testing::StartsWith;

TEST(ListUri, LeadsBackToTheListOfTheSameIssuer) {
  SystemRandom random;
  const IdBytes id = random.NewId(absl::UnixEpoch());
  for (const char* issuer :
       {"https://id.example", "https://id.example/", "https://id.example/t"}) {
    EXPECT_THAT(ListOf(issuer, UriOf(issuer, id)), Optional(id));
  }
  EXPECT_THAT(UriOf("https://id.example", id),
              StartsWith("https://id.example/status-lists/stl_"));
  EXPECT_EQ(ListOf("https://other.example", UriOf("https://id.example", id)),
            std::nullopt);
}

TEST(ListUri, NothingElseIsAList) {
  for (const char* uri :
       {"", "https://id.example", "https://id.example/status-lists/",
        "https://id.example/status-lists/stl_",
        "https://id.example/status-lists/sess_00000000000000000000000001",
        "/status-lists/stl_00000000000000000000000001"}) {
    EXPECT_EQ(ListOf("https://id.example", uri), std::nullopt) << uri;
  }
}

}  // namespace
}  // namespace ostiary::status_list

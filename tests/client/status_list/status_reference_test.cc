#include "client/status_list/status_reference.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ostiary::status_list {
namespace {

using ::testing::Optional;

TEST(StatusReference, IsReadFromTheClaims) {
  EXPECT_THAT(
      ReadStatusReference(
          R"({"a":1,"status":{"status_list":{"idx":7,"uri":"https://x/l"}}})"),
      Optional(StatusReference{7, "https://x/l"}));
}

TEST(StatusReference, IsNoneInAnyOtherForm) {
  for (const char* claims :
       {"", "{}", "[]", R"({"status":7})", R"({"status":{}})",
        R"({"status":{"status_list":[]}})",
        R"({"status":{"status_list":{"uri":"u"}}})",
        R"({"status":{"status_list":{"idx":7}}})",
        R"({"status":{"status_list":{"idx":-1,"uri":"u"}}})",
        R"({"status":{"status_list":{"idx":1.5,"uri":"u"}}})",
        R"({"status":{"status_list":{"idx":"7","uri":"u"}}})",
        R"({"status":{"status_list":{"idx":7,"uri":7}}})"}) {
    EXPECT_EQ(ReadStatusReference(claims), std::nullopt) << claims;
  }
}

}  // namespace
}  // namespace ostiary::status_list

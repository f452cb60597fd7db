#ifndef OSTIARY_TESTS_SUPPORT_STATUS_MATCHERS_H_
#define OSTIARY_TESTS_SUPPORT_STATUS_MATCHERS_H_

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

// Debian 12's Abseil has no status matchers; these are the few we need.
namespace ostiary::testing {

inline const absl::Status& StatusOf(const absl::Status& status) {
  return status;
}
template <typename T>
const absl::Status& StatusOf(const absl::StatusOr<T>& result) {
  return result.status();
}

MATCHER(IsOk, "is OK") {
  *result_listener << StatusOf(arg).ToString();
  return StatusOf(arg).ok();
}

MATCHER_P(HasCode, code,
          std::string("has code ") + absl::StatusCodeToString(code)) {
  *result_listener << StatusOf(arg).ToString();
  return StatusOf(arg).code() == code;
}

template <typename T>
T ValueOf(absl::StatusOr<T> result) {
  if (!result.ok()) {
    ADD_FAILURE() << result.status();
    std::abort();
  }
  return *std::move(result);
}

}  // namespace ostiary::testing

#define ASSERT_OK(expression) \
  ASSERT_THAT((expression), ::ostiary::testing::IsOk())
#define EXPECT_OK(expression) \
  EXPECT_THAT((expression), ::ostiary::testing::IsOk())

// ASSERT_OK_AND_ASSIGN(auto row, table.Find(id));
#define OSTIARY_CONCAT_INNER(a, b) a##b
#define OSTIARY_CONCAT(a, b) OSTIARY_CONCAT_INNER(a, b)
#define ASSERT_OK_AND_ASSIGN(lhs, expression)               \
  auto OSTIARY_CONCAT(status_or_, __LINE__) = (expression); \
  ASSERT_THAT(OSTIARY_CONCAT(status_or_, __LINE__),         \
              ::ostiary::testing::IsOk());                  \
  lhs = *std::move(OSTIARY_CONCAT(status_or_, __LINE__))

#endif  // OSTIARY_TESTS_SUPPORT_STATUS_MATCHERS_H_

#ifndef OSTIARY_TESTS_SUPPORT_TRIALS_H_
#define OSTIARY_TESTS_SUPPORT_TRIALS_H_

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>

#include "gtest/gtest.h"

namespace ostiary::testing {

// How often a test by chance tries, from which seeds, and how to see a failure
// again. tests/campaign multiplies `usual` with OSTIARY_TRIALS; OSTIARY_SEED
// makes the first trial the one that failed, and the only one.
//
//   Trials trials(200);
//   while (trials.Next()) { std::mt19937_64 chance(trials.seed()); ... }
//
// Next ends early once the test has failed, and has told the seed.
class Trials {
 public:
  explicit Trials(int usual) {
    if (const char* seed = std::getenv("OSTIARY_SEED")) {
      next_ = std::strtoull(seed, nullptr, 0);
      left_ = 1;
      return;
    }
    const char* times = std::getenv("OSTIARY_TRIALS");
    left_ = static_cast<std::int64_t>(
        usual * (times == nullptr ? 1.0 : std::strtod(times, nullptr)));
    next_ = std::random_device{}();
  }

  bool Next() {
    if (begun_ && ::testing::Test::HasFailure()) {
      std::cerr << "to see it again: OSTIARY_SEED=" << seed_ << "\n";
      return false;
    }
    if (left_-- <= 0) return false;
    begun_ = true;
    seed_ = next_++;
    return true;
  }

  std::uint64_t seed() const { return seed_; }

 private:
  std::int64_t left_ = 0;
  bool begun_ = false;
  std::uint64_t next_ = 0;
  std::uint64_t seed_ = 0;
};

}  // namespace ostiary::testing

#endif  // OSTIARY_TESTS_SUPPORT_TRIALS_H_

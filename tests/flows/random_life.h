#ifndef OSTIARY_TESTS_FLOWS_RANDOM_LIFE_H_
#define OSTIARY_TESTS_FLOWS_RANDOM_LIFE_H_

#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "tests/flows/recorder.h"

namespace ostiary::testing {

// What a few clients of one account do at random, all at the same time: they
// share what they have been given, like thieves and owners.
class RandomLife {
 public:
  RandomLife(Recorder& recorder, std::uint64_t seed, std::string username);

  // `clients` threads do `calls` things each. May be called again, after a
  // restart of the house for example.
  void Live(int clients, int calls);
  // Asks once more about everything that was given.
  void Probe();

 private:
  struct Share {
    std::vector<flow::IssuedTokens> tokens;
    std::vector<std::string> passwords;  // those it may be, the newest last
  };

  void DoSomething(std::mt19937_64& chance);
  void ChangeOwnPassword(const flow::IssuedTokens& tokens,
                         std::mt19937_64& chance);
  void Keep(const Recorder::Answer& answer);
  // One of the newest, mostly.
  flow::IssuedTokens Pick(std::mt19937_64& chance);
  std::string PickPassword(std::mt19937_64& chance);

  Recorder& recorder_;
  std::mt19937_64 chance_;
  const Person person_;
  std::mutex mutex_;
  Share share_;  // guarded by mutex_
  int passwords_made_ = 0;
};

}  // namespace ostiary::testing

#endif  // OSTIARY_TESTS_FLOWS_RANDOM_LIFE_H_

#ifndef OSTIARY_TESTS_FLOWS_FAULTY_RECORDERS_H_
#define OSTIARY_TESTS_FLOWS_FAULTY_RECORDERS_H_

#include <map>
#include <mutex>
#include <string>

#include "tests/flows/recorder.h"

// Houses with a fault, which every test of this kind must notice.
namespace ostiary::testing {

// Answers from what it said before: a token cache that holds the verdict.
class HoldsVerdicts : public Recorder {
 public:
  using Recorder::Recorder;

 protected:
  std::string AskVerdict(const std::string& access_token) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto it = said_.find(access_token);
    if (it != said_.end()) return it->second;
    return said_[access_token] = Recorder::AskVerdict(access_token);
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::string> said_;
};

// Acknowledges the end of a session and forgets it.
class ForgetsRevocations : public Recorder {
 public:
  using Recorder::Recorder;

 protected:
  absl::StatusOr<std::string> AskRevokeSession(const std::string&) override {
    return std::string();
  }
};

// Writes the generation it read over what another has written meanwhile: a
// refresh without the compare-and-set.
class LosesUpdates : public Recorder {
 public:
  using Recorder::Recorder;

 protected:
  absl::StatusOr<flow::IssuedTokens> AskRefresh(
      const std::string& token, const std::string& request_id) override {
    auto answer = Recorder::AskRefresh(token, request_id);
    if (!answer.ok()) return answer;
    EXPECT_TRUE(house()
                    .Write([&](storage::WriteTx& tx) {
                      auto row = tx.sessions().Find(answer->session_id.bytes());
                      const std::uint32_t read = (*row)->generation;
                      if (read > 2) (*row)->generation = read - 1;
                      return tx.sessions().UpdateIf(**row, read).status();
                    })
                    .ok());
    return answer;
  }
};

}  // namespace ostiary::testing

#endif  // OSTIARY_TESTS_FLOWS_FAULTY_RECORDERS_H_

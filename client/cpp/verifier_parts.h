#ifndef OSTIARY_CLIENT_CPP_VERIFIER_PARTS_H_
#define OSTIARY_CLIENT_CPP_VERIFIER_PARTS_H_

#include <atomic>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/cpp/asker.h"
#include "client/cpp/feed.h"
#include "client/cpp/judge.h"
#include "client/cpp/knowledge.h"
#include "client/cpp/link.h"
#include "client/cpp/state_file.h"
#include "ostiary/verifier.h"

namespace ostiary {

// What a Verifier is made of. Later members use earlier ones.
class Verifier::Parts {
 public:
  // Checks the options. Exactly one of the next two must follow.
  static absl::StatusOr<std::unique_ptr<Parts>> Make(VerifierOptions options);
  // Follows the server's feed.
  absl::Status Connect();
  // Knows what somebody else writes, and nobody to ask.
  void StandAlone(std::shared_ptr<client::Knowledge> knowledge);

  client::Judge& judge() const { return *judge_; }
  const client::Knowledge& knowledge() const { return *knowledge_; }
  VerifierStats Stats() const;
  void Close();

 private:
  Parts(VerifierOptions options, client::Rules rules, jwt::Verifier signatures);

  void MakeJudge();
  void ReadStateFile();
  void WriteStateFile();
  // On the feed's thread: forgets once a minute, writes the state file every
  // 30 s.
  void KeepHouse();

  const VerifierOptions options_;
  const client::Rules rules_;
  const jwt::Verifier signatures_;
  std::unique_ptr<client::Link> link_;
  std::shared_ptr<client::Knowledge> knowledge_;
  std::unique_ptr<client::Asker> asker_;
  std::unique_ptr<client::Judge> judge_;
  absl::Duration last_forgotten_;
  absl::Duration last_written_;
  std::atomic<bool> closed_ = false;
  std::unique_ptr<client::Feed> feed_;
};

}  // namespace ostiary

#endif  // OSTIARY_CLIENT_CPP_VERIFIER_PARTS_H_

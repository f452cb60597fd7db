#ifndef OSTIARY_CLIENT_CLI_LOAD_H_
#define OSTIARY_CLIENT_CLI_LOAD_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "client/cli/exit_code.h"
#include "client/cli/interrupt.h"
#include "client/cli/latencies.h"
#include "grpcpp/completion_queue.h"

namespace ostiary::cli {

// Why a call was not good.
struct CallFailure {
  std::string code;    // "RESOURCE_EXHAUSTED"; "OK" if the answer was a no
  std::string reason;  // "OVERLOADED"
  ExitCode exit_code = ExitCode::kInternal;
};

// One caller: one call at a time, one after the other. Every Begin is followed
// by the End of its kind, once `tag` has come out of the queue.
class Lane {
 public:
  virtual ~Lane() = default;

  virtual void Begin(grpc::CompletionQueue& queue, void* tag) = 0;
  // None: it was good.
  virtual std::optional<CallFailure> End() = 0;
  // False: no further Begin makes sense, e.g. the session is gone.
  virtual bool CanGoOn() const { return true; }

  // What the calls leave on the server is put away by a call that is not
  // measured. False: there is nothing, and nothing was begun.
  virtual bool BeginTidyUp(grpc::CompletionQueue& /*queue*/, void* /*tag*/) {
    return false;
  }
  virtual void EndTidyUp() {}
  // After every call instead of once at the end.
  virtual bool TidiesEachTime() const { return false; }

  // Ends the call that is under way.
  virtual void Cancel() = 0;
};

struct LoadPlan {
  absl::Duration duration;
  // Calls a second over all lanes. None: each lane calls as soon as its last
  // call has ended.
  std::optional<double> rate;
};

struct LoadResult {
  // From the first call to the end of the last one.
  absl::Duration elapsed;
  // Of the good ones. With a rate, a call that had to wait for a free lane
  // counts from when it was due: a server that stalls must not look fast
  // because it was asked less.
  Latencies latencies;
  struct Count {
    ExitCode exit_code;
    std::uint64_t times = 0;
  };
  // By code and reason.
  std::map<std::pair<std::string, std::string>, Count> failures;
  std::uint64_t failed = 0;
  // With a rate: calls that were due and found no free lane to the end.
  std::uint64_t not_begun = 0;
  bool interrupted = false;
};

// The last second, for who watches.
struct LoadSecond {
  absl::Duration since_begin;
  absl::Duration length;
  const Latencies& latencies;
  std::uint64_t failed;
};

// Drives the lanes from the calling thread until the time is over, `interrupt`
// has arrived or no lane can go on; then waits for the calls under way (2 s at
// most after an interrupt) and tidies up.
LoadResult RunLoad(const LoadPlan& plan,
                   const std::vector<std::unique_ptr<Lane>>& lanes,
                   const Interrupt& interrupt,
                   const std::function<void(const LoadSecond&)>& on_second);

}  // namespace ostiary::cli

#endif  // OSTIARY_CLIENT_CLI_LOAD_H_

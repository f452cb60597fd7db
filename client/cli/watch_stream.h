#ifndef OSTIARY_CLIENT_CLI_WATCH_STREAM_H_
#define OSTIARY_CLIENT_CLI_WATCH_STREAM_H_

#include <memory>
#include <string>

#include "absl/time/time.h"
#include "client/cli/connection.h"
#include "grpcpp/client_context.h"
#include "grpcpp/completion_queue.h"
#include "ostiary/v1/revocation_service.grpc.pb.h"

namespace ostiary::cli {

// One stream of RevocationService.Watch. For one thread.
class WatchStream {
 public:
  // Begins the call. `connection` must outlive it.
  WatchStream(const Connection& connection, const std::string& cursor);
  ~WatchStream();
  WatchStream(const WatchStream&) = delete;
  WatchStream& operator=(const WatchStream&) = delete;

  enum class Read { kFrame, kNothingYet, kEnded };
  // Waits for the next frame, at most `limit`; it is in `frame()` then.
  Read Next(absl::Duration limit);
  const v1::WatchResponse& frame() const { return frame_; }
  // Why it ended; once, after kEnded.
  grpc::Status Finish();

 private:
  const std::unique_ptr<v1::RevocationService::Stub> stub_;
  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  std::unique_ptr<grpc::ClientAsyncReader<v1::WatchResponse>> reader_;
  v1::WatchResponse frame_;
  enum { kStarting, kIdle, kReading } state_ = kStarting;
};

}  // namespace ostiary::cli

#endif  // OSTIARY_CLIENT_CLI_WATCH_STREAM_H_

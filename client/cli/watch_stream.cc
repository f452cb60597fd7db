#include "client/cli/watch_stream.h"

#include "absl/time/clock.h"

namespace ostiary::cli {

WatchStream::WatchStream(const Connection& connection,
                         const std::string& cursor)
    : stub_(v1::RevocationService::NewStub(connection.channel())) {
  connection.PrepareStream(context_);
  v1::WatchRequest request;
  request.set_cursor(cursor);
  request.set_compact(true);
  reader_ = stub_->AsyncWatch(&context_, request, &queue_, this);
}

WatchStream::~WatchStream() {
  context_.TryCancel();
  queue_.Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (queue_.Next(&tag, &ok)) {
  }
}

WatchStream::Read WatchStream::Next(absl::Duration limit) {
  const auto deadline = absl::ToChronoTime(absl::Now() + limit);
  for (;;) {
    if (state_ == kIdle) {
      reader_->Read(&frame_, this);
      state_ = kReading;
    }
    void* tag = nullptr;
    bool ok = false;
    const auto next = queue_.AsyncNext(&tag, &ok, deadline);
    if (next != grpc::CompletionQueue::GOT_EVENT) return Read::kNothingYet;
    const bool was_reading = state_ == kReading;
    state_ = kIdle;
    if (!ok) return Read::kEnded;
    if (was_reading) return Read::kFrame;
  }
}

grpc::Status WatchStream::Finish() {
  grpc::Status status;
  reader_->Finish(&status, this);
  void* tag = nullptr;
  bool ok = false;
  queue_.Next(&tag, &ok);
  return status;
}

}  // namespace ostiary::cli

#include "client/cpp/feed.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/cpp/follower.h"
#include "client/cpp/jitter.h"
#include "client/cpp/patience.h"
#include "grpcpp/completion_queue.h"
#include "ostiary/v1/revocation_service.grpc.pb.h"

namespace ostiary::client {
namespace {

// How often one who may not watch asks whether it may now.
constexpr absl::Duration kRejectedPause = absl::Seconds(10);
// A server that ends every stream at once is not called again at once.
constexpr absl::Duration kShortLife = absl::Seconds(1);

}  // namespace

// One call of Watch, whose reads give up after a time. A synchronous read would
// wait for ever on a connection that died without a word.
class Feed::Stream {
 public:
  Stream(Link& link, const std::string& cursor)
      : stub_(v1::RevocationService::NewStub(link.channel())) {
    link.Sign(context_);
    v1::WatchRequest request;
    request.set_cursor(cursor);
    request.set_compact(true);
    reader_ = stub_->PrepareAsyncWatch(&context_, request, &queue_);
  }
  ~Stream() {
    context_.TryCancel();
    queue_.Shutdown();
    void* tag = nullptr;
    bool ok = false;
    while (queue_.Next(&tag, &ok)) {
    }
  }

  grpc::ClientContext& context() { return context_; }

  enum class Read { kFrame, kEnded, kSilent };
  // Leaves the frame in `frame()`.
  Read Next(absl::Duration limit) {
    const absl::Time deadline = absl::Now() + limit;
    if (!started_) {
      reader_->StartCall(this);
      started_ = true;
      const Read start = Await(deadline);
      if (start != Read::kFrame) return start;
    }
    reader_->Read(&frame_, this);
    return Await(deadline);
  }
  const v1::WatchResponse& frame() const { return frame_; }

  // After kEnded.
  grpc::Status Finish(absl::Duration limit) {
    grpc::Status status;
    reader_->Finish(&status, this);
    if (Await(absl::Now() + limit) != Read::kSilent) return status;
    return grpc::Status(grpc::StatusCode::DEADLINE_EXCEEDED, "no status");
  }

 private:
  Read Await(absl::Time deadline) {
    void* tag = nullptr;
    bool ok = false;
    if (queue_.AsyncNext(&tag, &ok, absl::ToChronoTime(deadline)) !=
        grpc::CompletionQueue::GOT_EVENT) {
      // The operation still writes into our members; end it before they go.
      context_.TryCancel();
      queue_.Next(&tag, &ok);
      return Read::kSilent;
    }
    return ok ? Read::kFrame : Read::kEnded;
  }

  // The queue outlives the reader, the context outlives both.
  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  std::unique_ptr<v1::RevocationService::Stub> stub_;
  std::unique_ptr<grpc::ClientAsyncReader<v1::WatchResponse>> reader_;
  v1::WatchResponse frame_;
  bool started_ = false;
};

Feed::Feed(Link& link, Knowledge& knowledge, const TimeSource& time,
           absl::Duration silence_limit, LogSink log,
           std::function<void()> housekeeping)
    : link_(link),
      knowledge_(knowledge),
      time_(time),
      silence_limit_(silence_limit),
      log_(std::move(log)),
      housekeeping_(std::move(housekeeping)),
      thread_([this] { Run(); }) {}

Feed::~Feed() { Close(); }

void Feed::Close() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    changed_.notify_all();
    if (call_ != nullptr) call_->TryCancel();
  }
  const std::lock_guard lock(joining_);
  if (thread_.joinable()) thread_.join();
}

bool Feed::closing() const {
  const std::lock_guard lock(mutex_);
  return closing_;
}

void Feed::Run() {
  while (!closing()) {
    const End end = Watch();
    connected_ = false;
    if (closing()) return;
    housekeeping_();
    if (!Pause(PauseAfter(end))) return;
    link_.Renew();
    ++reconnects_;
  }
}

Feed::End Feed::Watch() {
  const auto position = knowledge_.position();
  Stream stream(link_, position ? position->cursor : std::string());
  {
    const std::lock_guard lock(mutex_);
    if (closing_) return End::kBroken;
    call_ = &stream.context();
  }
  const End end = Follow(stream);
  const std::lock_guard lock(mutex_);
  call_ = nullptr;
  return end;
}

Feed::End Feed::Follow(Stream& stream) {
  const absl::Duration start = time_.Uptime();
  Follower follower(knowledge_);
  while (true) {
    const Stream::Read read = stream.Next(silence_limit_);
    if (read == Stream::Read::kSilent) return End::kBroken;
    if (read == Stream::Read::kEnded) break;
    switch (follower.Take(stream.frame(), time_.Uptime())) {
      case Follower::Step::kAbandon:
        log_("revocation feed: a gap or a frame that cannot be read; resuming");
        return End::kBroken;
      case Follower::Step::kAdvanced:
        failures_ = 0;
        break;
      case Follower::Step::kHeard:
        break;
    }
    connected_ = true;
    housekeeping_();
  }
  const grpc::Status status = stream.Finish(silence_limit_);
  if (status.error_code() == grpc::StatusCode::UNAUTHENTICATED ||
      status.error_code() == grpc::StatusCode::PERMISSION_DENIED) {
    log_(absl::StrCat("revocation feed: THE SERVER REFUSES THIS VERIFIER (",
                      ReasonOf(status), "): ", status.error_message()));
    return End::kRejected;
  }
  const bool by_server =
      status.error_code() == grpc::StatusCode::UNAVAILABLE || status.ok();
  const bool lived = time_.Uptime() - start >= kShortLife;
  return by_server && connected_ && lived ? End::kOrderly : End::kBroken;
}

absl::Duration Feed::PauseAfter(End end) {
  switch (end) {
    case End::kOrderly:
      return absl::ZeroDuration();
    case End::kRejected:
      return kRejectedPause;
    case End::kBroken:
      break;
  }
  return Backoff(failures_++);
}

bool Feed::Pause(absl::Duration duration) {
  std::unique_lock lock(mutex_);
  return !AwaitFor(changed_, lock, duration, [this] { return closing_; });
}

}  // namespace ostiary::client

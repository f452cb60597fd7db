#include <atomic>
#include <chrono>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "grpcpp/impl/rpc_method.h"
#include "grpcpp/support/sync_stream.h"
#include "ostiary/v1/revocation_service.grpc.pb.h"
#include "tests/server/grpc/wire_test.h"

namespace ostiary::rpc {
namespace {

using ::grpc::StatusCode;
using Frame = door::Subscription::Frame;
using Reader = std::unique_ptr<::grpc::ClientReader<v1::WatchResponse>>;

// The source that all streams of a test follow: as many numbered messages as
// have been let out.
class Source {
 public:
  // One stream's place in it.
  class Follower final : public door::Subscription {
   public:
    Follower(Source& source, std::function<void()> wake)
        : source_(source), wake_(std::move(wake)) {
      absl::MutexLock lock(&source_.mutex_);
      source_.followers_.insert(this);
    }
    ~Follower() override {
      absl::MutexLock lock(&source_.mutex_);
      source_.followers_.erase(this);
    }
    absl::StatusOr<Frame> Next() override {
      EXPECT_FALSE(inside_.exchange(true)) << "two threads at once";
      const Frame frame =
          at_ < source_.let_out_ ? source_.Make(++at_) : nullptr;
      inside_ = false;
      if (frame == nullptr && source_.over_)
        return Refuse(Reason::kAccessTokenRejected);
      return frame;
    }
    void Wake() { wake_(); }

   private:
    Source& source_;
    const std::function<void()> wake_;
    std::uint64_t at_ = 0;
    std::atomic<bool> inside_{false};
  };

  explicit Source(std::size_t padding = 0) : padding_(padding, 'x') {}

  void LetOut(std::uint64_t count) { let_out_ += count; }
  // Every stream ends after what has been let out.
  void End() { over_ = true; }
  void WakeAll() {
    absl::MutexLock lock(&mutex_);
    for (Follower* follower : followers_) follower->Wake();
  }
  std::size_t followers() const {
    absl::MutexLock lock(&mutex_);
    return followers_.size();
  }
  bool AwaitFollowers(std::size_t count) const {
    const absl::Time end = absl::Now() + absl::Seconds(20);
    while (followers() != count && absl::Now() < end)
      absl::SleepFor(absl::Milliseconds(1));
    return followers() == count;
  }
  std::uint64_t made() const { return made_; }

 private:
  Frame Make(std::uint64_t number) {
    ++made_;
    v1::WatchResponse response;
    response.mutable_heartbeat()->set_sequence(number);
    response.mutable_heartbeat()->set_cursor(padding_);
    return std::make_shared<const std::string>(response.SerializeAsString());
  }

  const std::string padding_;
  std::atomic<std::uint64_t> let_out_{0};
  std::atomic<bool> over_{false};
  std::atomic<std::uint64_t> made_{0};
  mutable absl::Mutex mutex_;
  std::set<Follower*> followers_ ABSL_GUARDED_BY(mutex_);
};

class StreamTest : public WireTest {
 protected:
  static constexpr char kWatch[] = "ostiary.v1.RevocationService/Watch";

  // Streams end before what they follow.
  ~StreamTest() override { server_.reset(); }

  // Before Start.
  Source& Follow(std::size_t padding = 0) {
    Source& source = sources_.emplace_back(padding);
    door_.OnStream<v1::WatchRequest>(
        kWatch,
        [&source](const google::protobuf::Message&, std::function<void()> wake)
            -> absl::StatusOr<std::unique_ptr<door::Subscription>> {
          return std::make_unique<Source::Follower>(source, std::move(wake));
        });
    return source;
  }

  // A stream with a connection of its own.
  struct Stream {
    explicit Stream(const std::string& address)
        : stub(v1::RevocationService::NewStub(Connect(address))) {
      call.set_deadline(Soon());
      reader = stub->Watch(&call, v1::WatchRequest());
    }
    // 0: the stream has ended.
    std::uint64_t Read() {
      v1::WatchResponse response;
      return reader->Read(&response) ? response.heartbeat().sequence() : 0;
    }

    std::unique_ptr<v1::RevocationService::Stub> stub;
    ::grpc::ClientContext call;
    Reader reader;
  };
  std::unique_ptr<Stream> Open() const {
    return std::make_unique<Stream>(Address());
  }

  // A call with these bytes for its request.
  ::grpc::Status WatchWith(const std::string& bytes) const {
    const auto channel = Connect(Address());
    ::grpc::ClientContext call;
    call.set_deadline(Soon());
    const ::grpc::Slice slice(bytes);
    const ::grpc::internal::RpcMethod method(
        "/ostiary.v1.RevocationService/Watch",
        ::grpc::internal::RpcMethod::SERVER_STREAMING);
    const Reader reader(
        ::grpc::internal::ClientReaderFactory<v1::WatchResponse>::Create(
            channel.get(), method, &call, ::grpc::ByteBuffer(&slice, 1)));
    v1::WatchResponse response;
    EXPECT_FALSE(reader->Read(&response));
    return reader->Finish();
  }

 private:
  std::deque<Source> sources_;
};

TEST_F(StreamTest, MessagesArriveInOrderAsTheyAreLetOut) {
  Source& source = Follow();
  Start();
  source.LetOut(3);
  const auto stream = Open();
  for (std::uint64_t i = 1; i <= 3; ++i) EXPECT_EQ(stream->Read(), i);
  source.LetOut(2);
  source.WakeAll();
  for (std::uint64_t i = 4; i <= 5; ++i) EXPECT_EQ(stream->Read(), i);
}

TEST_F(StreamTest, MoreStreamsThanSlotsAreServed) {
  Source& source = Follow();
  Start();
  std::vector<std::unique_ptr<Stream>> streams;
  for (int i = 0; i < 50; ++i) streams.push_back(Open());
  ASSERT_TRUE(source.AwaitFollowers(50));
  source.LetOut(1);
  source.WakeAll();
  for (const auto& stream : streams) EXPECT_EQ(stream->Read(), 1u);
}

// 640 MB would lie in memory if what a reader does not read were written.
TEST_F(StreamTest, ASlowReaderIsNotWrittenTo) {
  Source& source = Follow(64 << 10);
  Start();
  const auto stream = Open();
  ASSERT_TRUE(source.AwaitFollowers(1));
  for (int i = 0; i < 10'000; ++i) {
    source.LetOut(1);
    source.WakeAll();
  }
  absl::SleepFor(absl::Milliseconds(50));
  EXPECT_LT(source.made(), 200u);
  // And when it reads again, it misses nothing.
  for (std::uint64_t i = 1; i <= 500; ++i) ASSERT_EQ(stream->Read(), i);
}

TEST_F(StreamTest, ACallerWhoCancelsIsForgotten) {
  Source& source = Follow();
  Start();
  const auto stream = Open();
  ASSERT_TRUE(source.AwaitFollowers(1));
  stream->call.TryCancel();
  EXPECT_TRUE(source.AwaitFollowers(0));
  EXPECT_EQ(stream->reader->Finish().error_code(), StatusCode::CANCELLED);
}

TEST_F(StreamTest, ACallerWhoseConnectionBreaksIsForgotten) {
  Source& source = Follow();
  Start();
  auto stream = Open();
  ASSERT_TRUE(source.AwaitFollowers(1));
  stream.reset();
  EXPECT_TRUE(source.AwaitFollowers(0));
}

TEST_F(StreamTest, ACallersDeadlineEndsItsStream) {
  Source& source = Follow();
  Start();
  const auto stub = v1::RevocationService::NewStub(Connect(Address()));
  ::grpc::ClientContext call;
  call.set_deadline(std::chrono::system_clock::now() +
                    std::chrono::milliseconds(300));
  const auto reader = stub->Watch(&call, v1::WatchRequest());
  v1::WatchResponse response;
  EXPECT_FALSE(reader->Read(&response));
  EXPECT_EQ(reader->Finish().error_code(), StatusCode::DEADLINE_EXCEEDED);
  EXPECT_TRUE(source.AwaitFollowers(0));
}

TEST_F(StreamTest, DrainingEndsEveryStreamAtOnceAndSaysSo) {
  Source& source = Follow();
  Start();
  std::vector<std::unique_ptr<Stream>> streams;
  for (int i = 0; i < 20; ++i) streams.push_back(Open());
  ASSERT_TRUE(source.AwaitFollowers(20));
  const absl::Time began = absl::Now();
  server_->Drain(absl::Seconds(10));
  EXPECT_LT(absl::Now() - began, absl::Seconds(2));
  for (const auto& stream : streams) {
    EXPECT_EQ(stream->Read(), 0u);
    const ::grpc::Status status = stream->reader->Finish();
    EXPECT_EQ(status.error_code(), StatusCode::UNAVAILABLE);
    EXPECT_EQ(ReasonIn(status), "NOT_READY");
  }
  EXPECT_EQ(source.followers(), 0u);
}

TEST_F(StreamTest, StreamsThatHaveJustBeenWokenDoNotHoldTheDrain) {
  for (int round = 0; round < 5; ++round) {
    Source& source = Follow();
    Start();
    std::vector<std::unique_ptr<Stream>> streams;
    for (int i = 0; i < 100; ++i) streams.push_back(Open());
    ASSERT_TRUE(source.AwaitFollowers(100));
    source.LetOut(1);
    source.WakeAll();
    const absl::Time began = absl::Now();
    server_->Drain(absl::Seconds(10));
    EXPECT_LT(absl::Now() - began, absl::Seconds(5));
    EXPECT_EQ(source.followers(), 0u);
    for (const auto& stream : streams) {
      while (stream->Read() != 0) {
      }
      EXPECT_EQ(stream->reader->Finish().error_code(), StatusCode::UNAVAILABLE);
    }
  }
}

TEST_F(StreamTest, AReaderThatDoesNotReadDoesNotHoldTheServer) {
  Source& source = Follow(64 << 10);
  Start();
  source.LetOut(1000);
  const auto stream = Open();
  ASSERT_TRUE(source.AwaitFollowers(1));
  absl::SleepFor(absl::Milliseconds(20));
  const absl::Time began = absl::Now();
  server_->Drain(absl::Milliseconds(200));
  EXPECT_LT(absl::Now() - began, absl::Seconds(3));
  EXPECT_EQ(source.followers(), 0u);
}

TEST_F(StreamTest, BytesThatAreNoMessageAreRefusedWithAReason) {
  Source& source = Follow();
  Start();
  const ::grpc::Status status = WatchWith("\x0a\xff");  // cut off
  EXPECT_EQ(status.error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(ReasonIn(status), "ARGUMENT_INVALID");
  EXPECT_EQ(source.made(), 0u);
}

TEST_F(StreamTest, ARequestOverItsBoundIsRefusedWithAReason) {
  Follow();
  Start();
  v1::WatchRequest request;
  request.set_cursor(std::string(1100, 'x'));
  const ::grpc::Status status = WatchWith(request.SerializeAsString());
  EXPECT_EQ(ReasonIn(status), "REQUEST_TOO_LARGE");
}

TEST_F(StreamTest, ARefusedSubscriptionEndsTheStreamWithItsReason) {
  door_.OnStream<v1::WatchRequest>(
      kWatch,
      [](const google::protobuf::Message&, std::function<void()>)
          -> absl::StatusOr<std::unique_ptr<door::Subscription>> {
        return RefuseUntil(Reason::kOverloaded, absl::Seconds(5));
      });
  Start();
  const ::grpc::Status status = WatchWith("");
  EXPECT_EQ(status.error_code(), StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(ReasonIn(status), "OVERLOADED");
  google::rpc::RetryInfo retry;
  ASSERT_TRUE(FindDetail(status, retry));
  EXPECT_EQ(retry.retry_delay().seconds(), 5);
}

TEST_F(StreamTest, ASubscriptionThatIsOverEndsTheStreamWithItsReason) {
  Source& source = Follow();
  Start();
  std::vector<std::unique_ptr<Stream>> streams;
  for (int i = 0; i < 20; ++i) streams.push_back(Open());
  ASSERT_TRUE(source.AwaitFollowers(20));
  source.LetOut(2);
  source.End();
  source.WakeAll();
  for (const auto& stream : streams) {
    EXPECT_EQ(stream->Read(), 1u);
    EXPECT_EQ(stream->Read(), 2u);
    EXPECT_EQ(stream->Read(), 0u);
    EXPECT_EQ(ReasonIn(stream->reader->Finish()), "ACCESS_TOKEN_REJECTED");
  }
  EXPECT_TRUE(source.AwaitFollowers(0));
}

TEST_F(StreamTest, StreamsDoNotStandInTheWayOfCalls) {
  Source& source = Follow();
  ServerOptions options = TcpOptions();
  options.max_calls_in_flight = 4;
  Start(options);
  std::vector<std::unique_ptr<Stream>> streams;
  for (int i = 0; i < 20; ++i) streams.push_back(Open());
  ASSERT_TRUE(source.AwaitFollowers(20));
  EXPECT_TRUE(Verify(Connect(Address())).ok());
}

// Woken from several threads, while callers come, cancel and break off, and at
// last while the server drains.
TEST_F(StreamTest, WakesCancelsAndTheDrainMayMeet) {
  for (int round = 0; round < 3; ++round) {
    Source source(100);
    FakeDoor door;
    door.OnStream<v1::WatchRequest>(
        kWatch,
        [&source](const google::protobuf::Message&, std::function<void()> wake)
            -> absl::StatusOr<std::unique_ptr<door::Subscription>> {
          return std::make_unique<Source::Follower>(source, std::move(wake));
        });
    ASSERT_OK_AND_ASSIGN(server_, Server::Start(door, TcpOptions()));
    const std::string address = Address();
    std::atomic<bool> over{false};
    std::vector<std::jthread> wakers;
    for (int i = 0; i < 2; ++i) {
      wakers.emplace_back([&] {
        while (!over) {
          source.LetOut(1);
          source.WakeAll();
          absl::SleepFor(absl::Microseconds(200));
        }
      });
    }
    std::vector<std::jthread> callers;
    for (int i = 0; i < 4; ++i) {
      callers.emplace_back([&, i] {
        for (int n = 0; n < 15; ++n) {
          Stream stream(address);
          std::uint64_t last = 0;
          for (int reads = 0; reads < n; ++reads) {
            const std::uint64_t read = stream.Read();
            if (read == 0) return;  // drained
            EXPECT_EQ(read, ++last);
          }
          if (i % 2 == 0) stream.call.TryCancel();
        }
      });
    }
    absl::SleepFor(absl::Milliseconds(30 + 30 * round));
    const absl::Time began = absl::Now();
    server_->Drain(absl::Seconds(10));
    EXPECT_LT(absl::Now() - began, absl::Seconds(5));
    callers.clear();
    over = true;
    wakers.clear();
    EXPECT_EQ(source.followers(), 0u);
    server_.reset();
  }
}

}  // namespace
}  // namespace ostiary::rpc

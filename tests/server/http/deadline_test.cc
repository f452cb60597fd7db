#include "server/http/deadline.h"

#include <memory>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace ostiary::http {
namespace {

class DeadlineTest : public ::testing::Test {
 protected:
  DeadlineTest() : stream_(MakeStream(io_)) {}

  bool Closed() const { return !stream_->socket().is_open(); }

  // Lets timers ring for so long.
  void RunFor(absl::Duration time) {
    io_.restart();
    io_.run_for(absl::ToChronoMilliseconds(time));
  }

  // When the stream was closed, from now; at most 10 s.
  absl::Duration TimeUntilClosed() {
    const absl::Time began = absl::Now();
    while (!Closed() && absl::Now() - began < absl::Seconds(10))
      RunFor(absl::Milliseconds(1));
    return absl::Now() - began;
  }

  asio::io_context io_;
  const std::shared_ptr<Stream> stream_;

 private:
  static std::shared_ptr<Stream> MakeStream(asio::io_context& io) {
    Socket socket(io.get_executor());
    socket.open(asio::ip::tcp::v4());
    return MakePlainStream(std::move(socket));
  }
};

TEST_F(DeadlineTest, TheStreamIsClosedWhenItsTimeIsUp) {
  Deadline deadline(io_.get_executor(), stream_);
  deadline.Set(absl::Milliseconds(30));
  const absl::Duration took = TimeUntilClosed();
  EXPECT_GE(took, absl::Milliseconds(30));
  EXPECT_LT(took, absl::Seconds(5));
}

TEST_F(DeadlineTest, ALaterDeadlineReplacesAnEarlierOne) {
  Deadline deadline(io_.get_executor(), stream_);
  deadline.Set(absl::Milliseconds(10));
  deadline.Set(absl::Milliseconds(150));
  const absl::Duration took = TimeUntilClosed();
  EXPECT_GE(took, absl::Milliseconds(150));
  EXPECT_LT(took, absl::Seconds(5));
}

TEST_F(DeadlineTest, AnEarlierDeadlineReplacesALaterOne) {
  Deadline deadline(io_.get_executor(), stream_);
  deadline.Set(absl::Minutes(5));
  deadline.Set(absl::Milliseconds(10));
  EXPECT_LT(TimeUntilClosed(), absl::Seconds(5));
}

TEST_F(DeadlineTest, AClearedDeadlineDoesNotClose) {
  Deadline deadline(io_.get_executor(), stream_);
  deadline.Set(absl::Milliseconds(10));
  deadline.Clear();
  RunFor(absl::Milliseconds(40));
  EXPECT_FALSE(Closed());
}

// Moved on by every request: the timer rings early, and the last one counts.
TEST_F(DeadlineTest, ADeadlineThatWasMovedOnManyTimesStillCloses) {
  Deadline deadline(io_.get_executor(), stream_);
  for (int i = 0; i < 20; ++i) {
    deadline.Set(absl::Milliseconds(200));
    RunFor(absl::Milliseconds(2));
    deadline.Clear();
    ASSERT_FALSE(Closed());
  }
  deadline.Set(absl::Milliseconds(50));
  EXPECT_LT(TimeUntilClosed(), absl::Seconds(5));
}

TEST_F(DeadlineTest, ADeadlineSetAfterOneHasRungClosesTheStreamToo) {
  Deadline deadline(io_.get_executor(), stream_);
  deadline.Set(absl::Milliseconds(5));
  deadline.Clear();
  RunFor(absl::Milliseconds(20));  // rings for nothing
  ASSERT_FALSE(Closed());
  deadline.Set(absl::Milliseconds(10));
  EXPECT_LT(TimeUntilClosed(), absl::Seconds(5));
}

TEST_F(DeadlineTest, ADeadlineThatIsGoneClosesNothing) {
  {
    Deadline deadline(io_.get_executor(), stream_);
    deadline.Set(absl::Milliseconds(5));
  }
  RunFor(absl::Milliseconds(20));
  EXPECT_FALSE(Closed());
}

}  // namespace
}  // namespace ostiary::http

#ifndef OSTIARY_TESTS_BENCH_BARE_STREAM_H_
#define OSTIARY_TESTS_BENCH_BARE_STREAM_H_

#include <functional>
#include <string>

#include "absl/strings/string_view.h"

namespace ostiary::bench {

// A gRPC server stream on a connection of its own, read with next to no CPU: a
// socket, and as much of HTTP/2 as an answer needs. A client library takes
// several times the server's CPU for each message, and on a machine that holds
// both it is the client that one would measure.
//
// Not thread-safe.
class BareStream {
 public:
  // Connects to a port of loopback and calls `method` ("/pkg.Service/Method")
  // with one serialized request. Ends the process where that fails.
  BareStream(int port, const std::string& method, const std::string& request);
  ~BareStream();
  BareStream(const BareStream&) = delete;
  BareStream& operator=(const BareStream&) = delete;

  int fd() const { return fd_; }

  // Takes what has arrived; `take` is given every whole message. Ends the
  // process where the stream has ended.
  void Receive(const std::function<void(absl::string_view)>& take);

 private:
  void Write(absl::string_view bytes);
  void TakeFrame(char type, char flags, absl::string_view payload);

  const int fd_;
  std::string received_;  // of frames
  std::string data_;      // of messages
};

}  // namespace ostiary::bench

#endif  // OSTIARY_TESTS_BENCH_BARE_STREAM_H_

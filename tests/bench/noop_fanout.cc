// The fan-out that gRPC itself costs: answers every Revoke at once, and sends
// the same bytes to every Watch stream. One queue, one thread, one buffer.
//
//   noop_fanout HEX     the bytes of a message
//
// Prints "port N" and serves until it is killed.

#include <cstdio>
#include <memory>
#include <set>
#include <string>

#include "absl/strings/escaping.h"
#include "grpcpp/grpcpp.h"
#include "ostiary/v1/revocation_service.grpc.pb.h"
#include "ostiary/v1/token_service.grpc.pb.h"

namespace ostiary::bench {
namespace {

using Tokens = v1::TokenService;
using AsyncRevoke = Tokens::WithAsyncMethod_Revoke<Tokens::Service>;
using Revocations = v1::RevocationService;
using RawWatch = Revocations::WithRawMethod_Watch<Revocations::Service>;
using Queue = ::grpc::ServerCompletionQueue;

// Everything that comes back from the queue.
struct Event {
  virtual ~Event() = default;
  virtual void Proceed(bool ok) = 0;
};

class WatchStream;

struct Streams {
  RawWatch service;
  ::grpc::ByteBuffer message;
  std::set<WatchStream*> open;
};

class WatchStream final : public Event {
 public:
  WatchStream(Streams& streams, Queue& queue)
      : streams_(streams), queue_(queue) {
    streams.service.RequestWatch(&call_, &request_, &writer_, &queue_, &queue_,
                                 this);
  }

  void Proceed(bool ok) override {
    if (!ok) {
      streams_.open.erase(this);
      delete this;
      return;
    }
    writing_ = false;
    if (!streams_.open.insert(this).second) return;
    new WatchStream(streams_, queue_);
    Send();
  }

  void Send() {
    if (writing_) return;
    writing_ = true;
    writer_.Write(streams_.message, this);
  }

 private:
  Streams& streams_;
  Queue& queue_;
  ::grpc::ServerContext call_;
  ::grpc::ByteBuffer request_;
  ::grpc::ServerAsyncWriter<::grpc::ByteBuffer> writer_{&call_};
  bool writing_ = false;
};

class RevokeCall final : public Event {
 public:
  RevokeCall(AsyncRevoke& service, Streams& streams, Queue& queue)
      : service_(service), streams_(streams), queue_(queue) {
    service_.RequestRevoke(&call_, &request_, &writer_, &queue_, &queue_, this);
  }

  void Proceed(bool ok) override {
    if (!ok || answered_) {
      delete this;
      return;
    }
    new RevokeCall(service_, streams_, queue_);
    answered_ = true;
    writer_.Finish(response_, ::grpc::Status::OK, this);
    for (WatchStream* stream : streams_.open) stream->Send();
  }

 private:
  AsyncRevoke& service_;
  Streams& streams_;
  Queue& queue_;
  ::grpc::ServerContext call_;
  v1::RevokeRequest request_;
  v1::RevokeResponse response_;
  ::grpc::ServerAsyncResponseWriter<v1::RevokeResponse> writer_{&call_};
  bool answered_ = false;
};

int Serve(const std::string& message) {
  AsyncRevoke revoke;
  Streams streams;
  const ::grpc::Slice slice(message);
  streams.message = ::grpc::ByteBuffer(&slice, 1);
  ::grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", ::grpc::InsecureServerCredentials(),
                           &port);
  builder.RegisterService(&revoke);
  builder.RegisterService(&streams.service);
  auto queue = builder.AddCompletionQueue();
  const auto server = builder.BuildAndStart();
  if (server == nullptr) return 1;
  for (int i = 0; i < 16; ++i) {
    new WatchStream(streams, *queue);
    new RevokeCall(revoke, streams, *queue);
  }
  std::printf("port %d\n", port);
  std::fflush(stdout);
  void* tag = nullptr;
  bool ok = false;
  while (queue->Next(&tag, &ok)) static_cast<Event*>(tag)->Proceed(ok);
  return 0;
}

}  // namespace
}  // namespace ostiary::bench

int main(int argc, char** argv) {
  if (argc == 2) return ostiary::bench::Serve(absl::HexStringToBytes(argv[1]));
  std::fprintf(stderr, "noop_fanout HEX\n");
  return 2;
}

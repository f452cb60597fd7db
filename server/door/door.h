#ifndef OSTIARY_SERVER_DOOR_DOOR_H_
#define OSTIARY_SERVER_DOOR_DOOR_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/door/call.h"
#include "server/door/method.h"
#include "server/door/subscription.h"

namespace google::protobuf {
class Message;
}  // namespace google::protobuf

namespace ostiary::door {

// A document that is served from memory over HTTP: the JWKS, the discovery
// documents.
struct Document {
  std::string content_type;
  std::string cache_control;
  std::string etag;  // with its quotes
  std::string body;
};

// A request that a gateway holds, as nginx's auth_request and its like tell of
// it over HTTP.
struct ForwardedCheck {
  // What the route asks for: the query of the URL that the gateway's own
  // configuration names, as received.
  std::string policy;
  // Every authorization header of the request.
  std::vector<std::string> authorization;
  // The URL or path that the client asked for, from each header in which
  // gateways tell it. Never policy; it may only show that `policy` is the
  // client's.
  std::vector<std::string> client_urls = {};
};

// What the gateway is told; all of it may leave the house.
struct GateAnswer {
  int status = 503;  // 200, 401, 403 or 503, nothing else
  // A value may be empty: the client's own header of that name must go.
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

// What a method answers with.
struct Reply {
  // A message of the method's response type.
  std::unique_ptr<google::protobuf::Message> message;
  // Where it lay ready in memory: that message, serialized, and `message` is
  // empty. Empty: not used.
  std::string encoded = {};
};

// What the wires see of the house. The same for gRPC and HTTP, so that no path
// lacks a check that another has: admit, validate, act, map, audit.
//
// Thread-safe.
class Door {
 public:
  // Called exactly once, on the lane's thread or before Dispatch returns.
  using Done = absl::AnyInvocable<void(absl::Status)>;

  virtual ~Door() = default;

  // Every method that serves, in a fixed order.
  virtual std::vector<const MethodRow*> Methods() const = 0;
  // By "ostiary.v1.AuthService/SignUp"; null if it does not serve.
  virtual const MethodRow* Find(absl::string_view name) const = 0;
  // A new, empty request or response of that method.
  virtual std::unique_ptr<google::protobuf::Message> NewRequest(
      const MethodRow& row) const = 0;
  virtual std::unique_ptr<google::protobuf::Message> NewResponse(
      const MethodRow& row) const = 0;

  // Serves one call: runs it inline or on its lane, and calls `done`. The
  // context, the request and the reply must outlive that call. The status
  // is ready for ToRpcStatus: what is inside it may leave the house. A secret
  // in `request` is wiped before `done`.
  virtual void Dispatch(const MethodRow& row, const CallContext& context,
                        google::protobuf::Message& request, Reply& reply,
                        Done done) = 0;

  // Every method whose callers send one request after the other on a stream;
  // each is a call of its own, for Dispatch. Find does not know them.
  virtual std::vector<const MethodRow*> Exchanges() const { return {}; }

  // Every method that answers with a stream. NewRequest knows them too; Find
  // does not.
  virtual std::vector<const MethodRow*> Streams() const { return {}; }

  // Begins a stream. `wake` may be called on any thread, also without need,
  // until the subscription is destroyed. The status is ready for ToRpcStatus.
  virtual absl::StatusOr<std::unique_ptr<Subscription>> Subscribe(
      const MethodRow& row, const CallContext& context,
      const google::protobuf::Message& request, std::function<void()> wake);

  // Whether a request that a gateway holds may pass. From memory, at once.
  virtual GateAnswer AskGate(const ForwardedCheck& asked);

  // The document at an absolute path ("/.well-known/jwks.json"); null: none.
  virtual std::shared_ptr<const Document> FindDocument(
      absl::string_view path) const = 0;

  // True once everything is loaded and until draining begins.
  virtual bool Ready() const = 0;
};

}  // namespace ostiary::door

#endif  // OSTIARY_SERVER_DOOR_DOOR_H_

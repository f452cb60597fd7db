#ifndef OSTIARY_SERVER_DOOR_METHOD_BOOK_H_
#define OSTIARY_SERVER_DOOR_METHOD_BOOK_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "server/door/door.h"
#include "server/door/method.h"
#include "server/door/subscription.h"
#include "server/flow/caller.h"

namespace ostiary::door {

// The methods with their handlers. A handler turns a request message into what
// a flow takes, and what the flow gives into a response message; nothing else.
//
// Filled while the house is assembled, read-only from then on.
class MethodBook {
 public:
  struct Method {
    const MethodRow* row;
    const google::protobuf::Message* request;  // prototypes
    const google::protobuf::Message* response;
    std::function<absl::Status(const flow::Caller&, google::protobuf::Message&,
                               Reply&)>
        act;
    // Answers on the wire's own thread where this very request is little work;
    // otherwise nothing, and the row's lane does it. May be empty.
    std::function<std::optional<absl::Status>(const google::protobuf::Message&,
                                              Reply&)>
        act_at_once;
    // The request's fields that hold a password or a refresh token.
    std::vector<const google::protobuf::FieldDescriptor*> secrets;

    // Wipes them: also where the handler, which takes them, never ran.
    void WipeSecrets(google::protobuf::Message& message) const;
  };

  // A method that answers with a stream.
  struct Stream {
    const MethodRow* row;
    const google::protobuf::Message* request;  // prototype
    std::function<absl::StatusOr<std::unique_ptr<Subscription>>(
        const google::protobuf::Message&, std::function<void()> wake)>
        subscribe;
  };

  template <typename Request, typename Response>
  using Handler =
      std::function<absl::Status(const flow::Caller&, Request&, Response&)>;

  // Ends the process if the policy table has no row of this name, or if the
  // name is served already: a mistake in the program, seen at its first start.
  template <typename Request, typename Response>
  void Serve(absl::string_view name, Handler<Request, Response> handler) {
    Method method;
    method.request = &Request::default_instance();
    method.response = &Response::default_instance();
    method.act = [handler = std::move(handler)](
                     const flow::Caller& caller,
                     google::protobuf::Message& request, Reply& reply) {
      return handler(caller, static_cast<Request&>(request),
                     static_cast<Response&>(*reply.message));
    };
    Add(name, std::move(method));
  }

  // How a method answers that has its response's bytes at hand: both append to
  // them. `at_once` may be empty; see Method::act_at_once.
  template <typename Request>
  struct Encoder {
    std::function<absl::Status(const Request&, std::string&)> handler;
    std::function<std::optional<absl::Status>(const Request&, std::string&)>
        at_once;
  };
  template <typename Request, typename Response>
  void ServeEncoded(absl::string_view name, Encoder<Request> encoder) {
    Add(name, Encoded<Request, Response>(std::move(encoder)));
  }
  // The same for a method whose callers send a stream of requests
  // (Door::Exchanges).
  template <typename Request, typename Response>
  void ServeExchange(absl::string_view name, Encoder<Request> encoder) {
    AddExchange(name, Encoded<Request, Response>(std::move(encoder)));
  }

  // The same for a method that answers with a stream (Door::Subscribe).
  template <typename Request>
  void ServeStream(absl::string_view name,
                   std::function<absl::StatusOr<std::unique_ptr<Subscription>>(
                       const Request&, std::function<void()> wake)>
                       subscribe) {
    AddStream(name, {nullptr, &Request::default_instance(),
                     [subscribe = std::move(subscribe)](
                         const google::protobuf::Message& request,
                         std::function<void()> wake) {
                       return subscribe(static_cast<const Request&>(request),
                                        std::move(wake));
                     }});
  }

  // What gateways ask over HTTP (Door::AskGate); `name` is the route.
  struct Forwarded {
    const MethodRow* row = nullptr;
    std::function<GateAnswer(const ForwardedCheck&)> answer;
  };
  void ServeForwarded(absl::string_view name,
                      std::function<GateAnswer(const ForwardedCheck&)> answer);

  const Method* Find(absl::string_view name) const;
  const Stream* FindStream(absl::string_view name) const;
  // Of an exchange too.
  const Method* FindAny(absl::string_view name) const;
  const std::vector<const MethodRow*>& rows() const { return rows_; }
  const std::vector<const MethodRow*>& exchange_rows() const {
    return exchange_rows_;
  }
  const std::vector<const MethodRow*>& stream_rows() const {
    return stream_rows_;
  }
  // Without a row: not served.
  const Forwarded& forwarded() const { return forwarded_; }

 private:
  using Methods = absl::flat_hash_map<std::string, std::unique_ptr<Method>>;

  template <typename Request, typename Response>
  static Method Encoded(Encoder<Request> encoder) {
    Method method;
    method.request = &Request::default_instance();
    method.response = &Response::default_instance();
    method.act = [handler = std::move(encoder.handler)](
                     const flow::Caller&, google::protobuf::Message& request,
                     Reply& reply) {
      return handler(static_cast<Request&>(request), reply.encoded);
    };
    if (encoder.at_once != nullptr) {
      method.act_at_once = [at_once = std::move(encoder.at_once)](
                               const google::protobuf::Message& request,
                               Reply& reply) {
        return at_once(static_cast<const Request&>(request), reply.encoded);
      };
    }
    return method;
  }

  void Add(absl::string_view name, Method method);
  void AddExchange(absl::string_view name, Method method);
  void AddTo(Methods& methods, std::vector<const MethodRow*>& rows,
             absl::string_view name, Method method);
  void AddStream(absl::string_view name, Stream stream);

  std::vector<const MethodRow*> rows_;
  std::vector<const MethodRow*> stream_rows_;
  std::vector<const MethodRow*> exchange_rows_;
  Methods methods_;
  Methods exchanges_;
  absl::flat_hash_map<std::string, std::unique_ptr<Stream>> streams_;
  Forwarded forwarded_;
};

}  // namespace ostiary::door

#endif  // OSTIARY_SERVER_DOOR_METHOD_BOOK_H_

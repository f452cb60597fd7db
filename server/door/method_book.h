#ifndef OSTIARY_SERVER_DOOR_METHOD_BOOK_H_
#define OSTIARY_SERVER_DOOR_METHOD_BOOK_H_

#include <functional>
#include <memory>
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
                               google::protobuf::Message&)>
        act;
    // Which lane this very request needs; empty: the row's.
    std::function<LaneName(const google::protobuf::Message&)> choose_lane;
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
  void Serve(absl::string_view name, Handler<Request, Response> handler,
             std::function<LaneName(const Request&)> choose_lane = nullptr) {
    Method method;
    method.request = &Request::default_instance();
    method.response = &Response::default_instance();
    method.act = [handler = std::move(handler)](
                     const flow::Caller& caller,
                     google::protobuf::Message& request,
                     google::protobuf::Message& response) {
      return handler(caller, static_cast<Request&>(request),
                     static_cast<Response&>(response));
    };
    if (choose_lane != nullptr) {
      method.choose_lane =
          [choose_lane](const google::protobuf::Message& request) {
            return choose_lane(static_cast<const Request&>(request));
          };
    }
    Add(name, std::move(method));
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
  const std::vector<const MethodRow*>& rows() const { return rows_; }
  const std::vector<const MethodRow*>& stream_rows() const {
    return stream_rows_;
  }
  // Without a row: not served.
  const Forwarded& forwarded() const { return forwarded_; }

 private:
  void Add(absl::string_view name, Method method);
  void AddStream(absl::string_view name, Stream stream);

  std::vector<const MethodRow*> rows_;
  std::vector<const MethodRow*> stream_rows_;
  absl::flat_hash_map<std::string, std::unique_ptr<Method>> methods_;
  absl::flat_hash_map<std::string, std::unique_ptr<Stream>> streams_;
  Forwarded forwarded_;
};

}  // namespace ostiary::door

#endif  // OSTIARY_SERVER_DOOR_METHOD_BOOK_H_

#ifndef OSTIARY_SERVER_DOOR_METHOD_H_
#define OSTIARY_SERVER_DOOR_METHOD_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace google::protobuf {
class Message;
}  // namespace google::protobuf

namespace ostiary::door {

// Who may call a method (protocol.md 2).
enum class Access {
  // Anyone, and it makes no difference who: nobody finds out.
  kAnonymous,
  // Anyone: the proof is inside the request. An authorization header is not
  // even looked at (client interceptors attach expired tokens to Refresh).
  kAnyone,
  // Anyone, but what the method allows depends on who it is. A bad
  // authorization header counts as none.
  kIdentified,
  // A live access token of an account.
  kAccount,
  // The same, or the operator.
  kAccountOrOperator,
  // Another service of the house's owner: a client certificate, or a service
  // token for the issuer; nobody need prove anything while --service-access is
  // open. The operator too.
  kService,
  // The operator socket, or a token for the issuer with the operator's role.
  kOperator,
};

// Where the work of a method runs (design.md 6).
enum class LaneName {
  kInline,    // on the wire's own thread: answers from memory
  kStore,     // waits for the store
  kPassword,  // waits for a password hash
  kSlow,      // minutes of work that nobody must wait behind
  kStream,    // a stream of answers, sent as they come
};

// One row of the policy table: everything the door knows about a method. A
// method without a row does not serve.
struct MethodRow {
  absl::string_view name;  // "ostiary.v1.AuthService/SignUp"
  Access access;
  LaneName lane;
  std::size_t max_request_bytes;
  // Calls that gRPC keeps ready to be matched at the same time.
  int slots;
};

}  // namespace ostiary::door

#endif  // OSTIARY_SERVER_DOOR_METHOD_H_

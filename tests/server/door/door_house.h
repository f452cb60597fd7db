#ifndef OSTIARY_TESTS_SERVER_DOOR_DOOR_HOUSE_H_
#define OSTIARY_TESTS_SERVER_DOOR_DOOR_HOUSE_H_

#include <memory>
#include <optional>
#include <string>

#include "absl/synchronization/notification.h"
#include "server/base/lane.h"
#include "server/base/metrics.h"
#include "server/door/admission.h"
#include "server/door/documents.h"
#include "server/door/house_door.h"
#include "server/door/messages.h"
#include "server/door/methods.h"
#include "tests/flows/house.h"
#include "tests/support/status_matchers.h"

namespace ostiary::testing {

// The house with its door, and no wire before it.
class DoorHouse {
 public:
  explicit DoorHouse(HouseOptions options = {})
      : house(Encoding(std::move(options))) {
    door::ServeAuth({house->sign_up, house->sign_in, house->refresh,
                     house->sign_out, house->change_password, house->accounts},
                    methods);
    door::ServeTokens({house->verify, house->revoke, house->manage_sessions,
                       *house->keys, house.clock, "api"},
                      methods);
    door::ServeGateways(gate, methods);
    door::ServeKeys(
        {*house->keys, encryption, house.clock, jwt::Algorithm::kEs256},
        methods);
    door::ServeAccounts(house->accounts, methods);
    door::ServeSessions(house->manage_sessions, methods);
    door::ServeAdmin({"1.2.3", kIssuer, "api", "sqlite", house.clock.Now(),
                      house->aftermath->revocations, *house->keys},
                     back_up, methods);
    door.emplace(door::HouseDoor::Parts{
        house.clock, house->random, house->logger, metrics, admission, methods,
        store_lane, password_lane, slow_lane,
        door::WellKnownDocuments(kIssuer, *house->keys)});
    door->Open();
  }

  // One call, waited for.
  absl::Status Call(absl::string_view method,
                    google::protobuf::Message& request,
                    google::protobuf::Message& response,
                    const door::CallContext& context) {
    absl::Notification done;
    absl::Status result;
    const door::MethodRow& row = *methods.FindAny(method)->row;
    door::Reply reply{door->NewResponse(row)};
    door->Dispatch(row, context, request, reply, [&](absl::Status status) {
      result = std::move(status);
      done.Notify();
    });
    done.WaitForNotification();
    if (reply.encoded.empty()) {
      response.CopyFrom(*reply.message);
    } else {
      response.ParseFromString(reply.encoded);
    }
    return result;
  }

  static door::CallContext OverGrpc(const std::string& access_token = "") {
    door::CallContext context;
    context.listener = door::Listener::kGrpc;
    context.peer_address = "192.0.2.7";
    if (!access_token.empty()) context.authorization = "Bearer " + access_token;
    return context;
  }
  static door::CallContext OnTheSocket() {
    door::CallContext context;
    context.listener = door::Listener::kOperatorSocket;
    return context;
  }

  static HouseOptions Encoding(HouseOptions options) {
    options.encode = door::EncodeVerdict;
    return options;
  }

  House house;
  Metrics metrics;
  Lane store_lane{"store", 2, 16};
  Lane password_lane{"password", 1, 1};
  Lane slow_lane{"slow", 2, 1};
  door::Admission admission{house.clock, house->verify, {kIssuer, "api", {}}};
  flow::GatewayCheck gateway_check{house->verify, "api"};
  door::Gate gate{gateway_check, house.clock, house->logger};
  flow::BackUp back_up{house.clock, *house->store, house->logger,
                       house.dir.File("backups")};
  // Without a file: it can be asked, not changed.
  key::KeyEncryptionKey kek =
      ValueOf(key::KeyEncryptionKey::FromText(std::string(64, '7')));
  key::KeyEncryption encryption{*house->store, kek, "/nonexistent/kek"};
  door::MethodBook methods;
  std::optional<door::HouseDoor> door;
};

}  // namespace ostiary::testing

#endif  // OSTIARY_TESTS_SERVER_DOOR_DOOR_HOUSE_H_

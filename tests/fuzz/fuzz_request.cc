// Protocol Buffers requests from strangers, through the door to the real rooms
// and a real store: the first byte chooses the method, the second who calls,
// the rest is the message. Every answer is a success or a refusal with a
// reason; nothing of ours breaks, and no answer tells a secret of the house.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "server/base/reason.h"
#include "tests/server/door/door_house.h"

namespace {

using ostiary::Reason;
using ostiary::testing::DoorHouse;
using ostiary::testing::HouseOptions;
using ostiary::testing::kPassword;

// Rooms fill up: begin again after so many runs.
constexpr int kRunsOfOneHouse = 5000;

void Require(bool held, const char* rule, absl::string_view method) {
  if (held) return;
  std::cerr << "broken: " << rule << " (" << method << ")" << std::endl;
  std::abort();
}

// A house in use: two accounts, one of them signed in.
struct World {
  World() : door(Quick()) {
    door.house.SignUp("ada");
    tokens = door.house.SignIn("ada", kPassword, "read");
    for (const auto* row : door.door->Methods()) methods.push_back(row);
  }
  static HouseOptions Quick() {
    HouseOptions options;
    options.hash = {64, 1};
    return options;
  }

  DoorHouse door;
  ostiary::flow::IssuedTokens tokens;
  std::vector<const ostiary::door::MethodRow*> methods;
};

ostiary::door::CallContext CallerOf(const World& world, std::uint8_t kind) {
  switch (kind % 3) {
    case 0:
      return DoorHouse::OverGrpc();
    case 1:
      return DoorHouse::OverGrpc(world.tokens.access_token);
    default:
      return DoorHouse::OnTheSocket();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  // Never destroyed: its threads must not outlive OpenSSL.
  static auto& world = *new std::unique_ptr<World>;
  static int runs = 0;
  if (size < 2) return 0;
  if (world == nullptr || ++runs % kRunsOfOneHouse == 0)
    world = std::make_unique<World>();
  const auto& row = *world->methods[data[0] % world->methods.size()];
  // The wires refuse what is larger before anybody parses it.
  if (size - 2 > row.max_request_bytes) return 0;
  const auto request = world->door.door->NewRequest(row);
  if (!request->ParseFromArray(data + 2, static_cast<int>(size - 2))) return 0;
  const auto response = world->door.door->NewResponse(row);
  const absl::Status status = world->door.Call(row.name, *request, *response,
                                               CallerOf(*world, data[1]));
  if (status.ok()) return 0;
  const Reason reason = ostiary::ReasonOf(status);
  if (reason == Reason::kInternal || !ostiary::HasReason(status))
    std::cerr << status << std::endl;
  Require(ostiary::HasReason(status), "a refusal has a reason", row.name);
  Require(reason != Reason::kInternal, "nothing of ours breaks", row.name);
  Require(!absl::StrContains(status.message(), kPassword), "no secret is told",
          row.name);
  return 0;
}

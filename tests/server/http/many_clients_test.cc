// Many clients at once against the whole room: sockets, JSON, lanes, drain.
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ostiary/v1/token_service.pb.h"
#include "server/base/clock.h"
#include "server/http/public_handler.h"
#include "server/http/server.h"
#include "tests/server/http/fake_door.h"
#include "tests/server/http/socket_client.h"
#include "tests/support/status_matchers.h"

namespace ostiary::http {
namespace {

constexpr int kClients = 64;
constexpr int kCalls = 20;

class ManyClientsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto verify = [](const door::CallContext& context,
                           const google::protobuf::Message& in,
                           google::protobuf::Message& out) {
      if (context.cancelled()) return absl::CancelledError();
      static_cast<v1::VerifyResponse&>(out).set_reason(
          static_cast<const v1::VerifyRequest&>(in).token());
      return absl::OkStatus();
    };
    door_.Serve<v1::VerifyRequest, v1::VerifyResponse>("test/Inline", verify);
    door_.Serve<v1::VerifyRequest, v1::VerifyResponse>("test/Lane", verify,
                                                       door::LaneName::kStore);
    ServerOptions options;
    options.listen = {"127.0.0.1:0"};
    auto server = Server::Start(options, clock_, handler_);
    ASSERT_OK(server);
    server_ = *std::move(server);
  }

  SystemClock clock_;
  FakeDoor door_;
  PublicHandler handler_{door_, clock_, {"http://127.0.0.1", {}, {}}};
  std::unique_ptr<Server> server_;
};

TEST_F(ManyClientsTest, EachGetsItsOwnAnswers) {
  std::atomic<int> right{0};
  std::vector<std::thread> clients;
  for (int c = 0; c < kClients; ++c) {
    clients.emplace_back([&, c] {
      SocketClient client(server_->ports().at(0));
      for (int i = 0; i < kCalls; ++i) {
        const std::string name = absl::StrCat(c, "-", i);
        const SeenAnswer answer =
            client.Ask(JsonPost(i % 2 == 0 ? "/test/Inline" : "/test/Lane",
                                absl::StrCat("{\"token\":\"", name, "\"}")));
        if (answer.body == absl::StrCat("{\"reason\":\"", name, "\"}")) ++right;
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(right, kClients * kCalls);
}

// Whoever got a connection accepted before the drain and sent a whole request
// gets a whole answer or none; nobody gets a part, and the drain ends.
TEST_F(ManyClientsTest, DrainingAmongCallsLeavesNoHalfAnswers) {
  std::atomic<int> strange{0};
  std::vector<std::thread> clients;
  std::vector<std::unique_ptr<SocketClient>> sockets;
  for (int c = 0; c < 16; ++c) {
    sockets.push_back(std::make_unique<SocketClient>(server_->ports().at(0)));
    sockets.back()->Ask(JsonPost("/test/Lane", "{}"));
    clients.emplace_back([&, socket = sockets.back().get()] {
      for (;;) {
        const SeenAnswer answer =
            socket->Ask(JsonPost("/test/Lane", "{\"token\":\"t\"}"));
        if (answer.status == 0) return;
        if (answer.body != "{\"reason\":\"t\"}") ++strange;
      }
    });
  }
  server_->Drain(absl::Seconds(10));
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(strange, 0);
}

}  // namespace
}  // namespace ostiary::http

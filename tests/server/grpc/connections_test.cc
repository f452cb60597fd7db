#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vector>

#include "absl/synchronization/notification.h"
#include "server/grpc/open_connections.h"
#include "tests/server/grpc/wire_test.h"

namespace ostiary::rpc {
namespace {

sockaddr_storage AddressOf(const std::string& text) {
  sockaddr_storage address = {};
  auto& v4 = reinterpret_cast<sockaddr_in&>(address);
  auto& v6 = reinterpret_cast<sockaddr_in6&>(address);
  if (inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) {
    address.ss_family = AF_INET;
  } else {
    EXPECT_EQ(inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr), 1) << text;
    address.ss_family = AF_INET6;
  }
  return address;
}

class OpenConnectionsTest : public ::testing::Test {
 protected:
  ~OpenConnectionsTest() override {
    for (const int fd : fds_) close(fd);
  }

  bool Enter(const std::string& peer) {
    fds_.push_back(socket(AF_INET, SOCK_STREAM, 0));
    now_ += absl::Seconds(1);
    return open_.Enter(fds_.back(), AddressOf(peer), now_);
  }

  void CloseOldest() {
    close(fds_.front());
    fds_.erase(fds_.begin());
  }

  OpenConnections open_{{5, 3}};
  std::vector<int> fds_;
  absl::Time now_ = absl::UnixEpoch();
};

TEST_F(OpenConnectionsTest, OneAddressCannotTakeEveryPlace) {
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(Enter("192.0.2.1"));
  EXPECT_FALSE(Enter("192.0.2.1"));
  EXPECT_TRUE(Enter("192.0.2.2"));
}

TEST_F(OpenConnectionsTest, ThereIsABoundForAllTogether) {
  for (int i = 1; i <= 5; ++i) EXPECT_TRUE(Enter(absl::StrCat("192.0.2.", i)));
  EXPECT_FALSE(Enter("192.0.2.9"));
}

TEST_F(OpenConnectionsTest, AConnectionThatWasClosedLeavesItsPlace) {
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(Enter("192.0.2.1"));
  EXPECT_FALSE(Enter("192.0.2.1"));
  CloseOldest();
  EXPECT_TRUE(Enter("192.0.2.1"));
  EXPECT_EQ(open_.count(), 3);
}

TEST_F(OpenConnectionsTest, WhoTakesOverADescriptorIsNotCountedTwice) {
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(Enter("192.0.2.1"));
    CloseOldest();
  }
}

TEST_F(OpenConnectionsTest, NeighboursInIpv6CountAsOne) {
  for (int i = 1; i <= 3; ++i)
    EXPECT_TRUE(Enter(absl::StrCat("2001:db8::", i)));
  EXPECT_FALSE(Enter("2001:db8::ffff:1"));
  EXPECT_TRUE(Enter("2001:db8:0:1::1"));
}

TEST_F(OpenConnectionsTest, AMappedAddressIsItsIpv4Address) {
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(Enter("192.0.2.1"));
  EXPECT_FALSE(Enter("::ffff:192.0.2.1"));
  EXPECT_TRUE(Enter("::ffff:192.0.2.2"));
}

TEST_F(OpenConnectionsTest, AFloodDoesNotMakeItLookEachTime) {
  for (int i = 0; i < 4; ++i) Enter("192.0.2.1");
  const int refused = fds_.back();  // not the number that is about to be free
  CloseOldest();
  const auto enter = [&](absl::Duration later) {
    return open_.Enter(refused, AddressOf("192.0.2.1"), now_ + later);
  };
  EXPECT_FALSE(enter(absl::Milliseconds(1)));
  EXPECT_TRUE(enter(absl::Seconds(1)));
}

// Connections over TCP to a real server.
class ConnectionsTest : public WireTest {
 protected:
  ~ConnectionsTest() override {
    for (const int fd : fds_) close(fd);
  }

  int Dial() {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    EXPECT_GE(fd, 0);
    sockaddr_storage to = AddressOf("127.0.0.1");
    auto& v4 = reinterpret_cast<sockaddr_in&>(to);
    v4.sin_port = htons(static_cast<std::uint16_t>(server_->ports().front()));
    EXPECT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof v4), 0);
    fds_.push_back(fd);
    return fd;
  }

  // Whether the server speaks first, as HTTP/2 does, or has hung up.
  static bool IsServed(int fd) {
    pollfd wait = {fd, POLLIN, 0};
    if (poll(&wait, 1, 5000) != 1) return false;
    char byte = 0;
    return recv(fd, &byte, 1, 0) == 1;
  }

  std::vector<int> fds_;
};

TEST_F(ConnectionsTest, OneTooManyIsHungUpOnAndTheOthersAreServed) {
  ServerOptions options = TcpOptions();
  options.connections = {8, 4};
  Start(options);
  const auto before = Connect(Address());
  ASSERT_TRUE(Verify(before).ok());
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(IsServed(Dial()));
  EXPECT_FALSE(IsServed(Dial()));
  EXPECT_TRUE(Verify(before).ok());
}

TEST_F(ConnectionsTest, ThereIsRoomAgainWhenTheyHaveGone) {
  ServerOptions options = TcpOptions();
  options.connections = {8, 4};
  Start(options);
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(IsServed(Dial()));
  ASSERT_FALSE(IsServed(Dial()));
  for (const int fd : fds_) close(fd);
  fds_.clear();
  const absl::Time end = absl::Now() + absl::Seconds(10);
  while (!IsServed(Dial())) {
    ASSERT_LT(absl::Now(), end);
    absl::SleepFor(absl::Milliseconds(20));
  }
}

TEST_F(ConnectionsTest, WithoutDescriptorsItWaitsAndComesBack) {
  Start();
  const auto before = Connect(Address());
  ASSERT_TRUE(Verify(before).ok());
  std::vector<int> waiting;
  for (int i = 0; i < 8; ++i)
    waiting.push_back(socket(AF_INET, SOCK_STREAM, 0));
  rlimit limit = {};
  getrlimit(RLIMIT_NOFILE, &limit);
  const rlimit none = {3, limit.rlim_max};  // no new number is low enough
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  sockaddr_storage to = AddressOf("127.0.0.1");
  auto& v4 = reinterpret_cast<sockaddr_in&>(to);
  v4.sin_port = htons(static_cast<std::uint16_t>(server_->ports().front()));
  for (const int fd : waiting)
    connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof v4);
  absl::SleepFor(absl::Milliseconds(50));
  EXPECT_TRUE(Verify(before).ok());
  setrlimit(RLIMIT_NOFILE, &limit);
  for (const int fd : waiting) EXPECT_TRUE(IsServed(fd));
  for (const int fd : waiting) close(fd);
  EXPECT_TRUE(Verify(Connect(Address())).ok());
}

TEST_F(ConnectionsTest, AWildcardTakesBothFamiliesAndSaysWhoCalls) {
  std::vector<std::string> peers;
  absl::Notification called;  // tsan does not see what gRPC orders
  door_.On<v1::RevokeRequest, v1::RevokeResponse>(
      kRevoke, door::LaneName::kInline,
      [&](const door::CallContext& context, const v1::RevokeRequest&,
          v1::RevokeResponse&) {
        peers.push_back(context.peer_address);
        called.Notify();
        return absl::OkStatus();
      });
  ServerOptions options;
  options.listen = {"[::]:0"};
  options.wait_for_lanes = [] {};
  auto started = Server::Start(door_, options);
  if (!started.ok()) GTEST_SKIP() << "no IPv6 here: " << started.status();
  server_ = *std::move(started);
  ::grpc::ClientContext call;
  call.set_deadline(Soon());
  v1::RevokeResponse response;
  ASSERT_TRUE(v1::TokenService::NewStub(Connect(Address()))
                  ->Revoke(&call, v1::RevokeRequest(), &response)
                  .ok());
  called.WaitForNotification();
  EXPECT_EQ(peers, std::vector<std::string>{"127.0.0.1"});
}

}  // namespace
}  // namespace ostiary::rpc

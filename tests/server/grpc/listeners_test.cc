#include "server/grpc/listeners.h"

#include <sys/stat.h>

#include <fstream>

#include "server/grpc/call_context.h"
#include "tests/server/grpc/wire_test.h"

namespace ostiary::rpc {
namespace {

using ::testing::HasSubstr;

TEST(PeerAddressTest, IsTheHostAlone) {
  EXPECT_EQ(PeerAddress("ipv4:127.0.0.1:4711"), "127.0.0.1");
  EXPECT_EQ(PeerAddress("ipv6:%5B::1%5D:4711"), "::1");
  EXPECT_EQ(PeerAddress("ipv6:[2001:db8::7]:4711"), "2001:db8::7");
  EXPECT_EQ(PeerAddress("ipv6:[fe80::1%25eth0]:4711"), "fe80::1%eth0");
}

TEST(PeerAddressTest, IsNothingForAnythingElse) {
  for (const char* peer :
       {"", "unix:", "unix:/run/x", "ipv4:", "ipv6:::1", "127.0.0.1:1"})
    EXPECT_EQ(PeerAddress(peer), "") << peer;
}

std::string Complaint(const absl::Status& status) {
  EXPECT_FALSE(status.ok());
  return std::string(status.message());
}

TEST(ListenTcpTest, AFreePortIsFoundAndTheSameForEveryAddressOfAName) {
  for (const char* listen : {"127.0.0.1:0", "localhost:0"}) {
    ASSERT_OK_AND_ASSIGN(const TcpListener listener, ListenTcp(listen));
    EXPECT_GT(listener.port, 0);
    EXPECT_FALSE(listener.sockets.empty());
  }
}

TEST(ListenTcpTest, APortThatIsListenedOnIsRefusedWithTheReason) {
  ASSERT_OK_AND_ASSIGN(const TcpListener first, ListenTcp("127.0.0.1:0"));
  EXPECT_THAT(
      Complaint(ListenTcp(absl::StrCat("127.0.0.1:", first.port)).status()),
      HasSubstr("in use"));
}

TEST(ListenTcpTest, BadSyntaxSaysWhatWasExpected) {
  for (const char* listen :
       {"", "50051", ":50051", "host:", "host:65536", "host:-1", "host:x"})
    EXPECT_THAT(Complaint(ListenTcp(listen).status()), HasSubstr("host:port"))
        << listen;
  EXPECT_THAT(Complaint(ListenTcp("::1:50051").status()),
              HasSubstr("[address]:port"));
}

TEST(ListenTcpTest, AnUnknownHostIsNamed) {
  EXPECT_THAT(Complaint(ListenTcp("no-such-host.invalid:0").status()),
              HasSubstr("does not resolve"));
}

TEST(ListenTcpTest, AnAddressOfAnotherMachineIsNamed) {
  EXPECT_THAT(Complaint(ListenTcp("192.0.2.1:0").status()),
              HasSubstr("no interface of this machine"));
}

class SocketPathTest : public WireTest {
 protected:
  testing::TempDir dir_;
};

TEST_F(SocketPathTest, APathThatIsTooLongSaysSo) {
  const std::string path = dir_.File(std::string(120, 'x'));
  EXPECT_THAT(Complaint(CheckSocketPath(path)), HasSubstr("at most 107"));
}

TEST_F(SocketPathTest, AFileInTheWayIsNotTakenForASocket) {
  std::ofstream(dir_.File("s")) << "precious";
  EXPECT_THAT(Complaint(CheckSocketPath(dir_.File("s"))),
              HasSubstr("not a socket"));
}

TEST_F(SocketPathTest, AMissingFolderIsNamed) {
  EXPECT_THAT(Complaint(CheckSocketPath(dir_.File("none/s"))),
              HasSubstr("folder does not exist"));
}

TEST_F(SocketPathTest, ASecondServerDoesNotTakeTheSocketOver) {
  ServerOptions options;
  options.operator_socket = dir_.File("s");
  Start(options);
  const auto second = Server::Start(door_, options);
  EXPECT_THAT(Complaint(second.status()), HasSubstr("another server answers"));
  EXPECT_TRUE(Verify(Connect("unix:" + options.operator_socket)).ok());
}

TEST_F(SocketPathTest, OnlyTheOwnerMayOpenTheSocket) {
  ServerOptions options;
  options.operator_socket = dir_.File("s");
  const mode_t before = umask(0);
  Start(options);
  EXPECT_EQ(umask(before), 0u);
  struct stat found;
  ASSERT_EQ(stat(options.operator_socket.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0600u);
}

TEST_F(SocketPathTest, APathIsTakenAsItIsWritten) {
  ServerOptions options;
  options.operator_socket = dir_.File("a%41b");
  Start(options);
  struct stat found;
  EXPECT_EQ(stat(options.operator_socket.c_str(), &found), 0);
}

TEST_F(SocketPathTest, OnlyTheSocketIsTheOperators) {
  std::vector<door::Listener> seen;
  std::vector<std::string> peers;
  door_.On<v1::RevokeRequest, v1::RevokeResponse>(
      kRevoke, door::LaneName::kInline,
      [&](const door::CallContext& context, const v1::RevokeRequest&,
          v1::RevokeResponse&) {
        seen.push_back(context.listener);
        peers.push_back(context.peer_address);
        EXPECT_TRUE(context.certificate_identities.empty());
        return absl::OkStatus();
      });
  ServerOptions options = TcpOptions();
  options.operator_socket = dir_.File("s");
  Start(options);
  for (const std::string& target :
       {"unix:" + options.operator_socket, Address()}) {
    ::grpc::ClientContext call;
    call.set_deadline(Soon());
    v1::RevokeResponse response;
    ASSERT_TRUE(v1::TokenService::NewStub(Connect(target))
                    ->Revoke(&call, v1::RevokeRequest(), &response)
                    .ok());
  }
  EXPECT_EQ(seen, (std::vector<door::Listener>{door::Listener::kOperatorSocket,
                                               door::Listener::kGrpc}));
  EXPECT_EQ(peers, (std::vector<std::string>{"", "127.0.0.1"}));
}

TEST_F(SocketPathTest, ASecondServerOnThePortIsRefusedWithTheReason) {
  Start();
  ServerOptions options;
  options.listen = {Address()};
  const auto second = Server::Start(door_, options);
  EXPECT_THAT(Complaint(second.status()), HasSubstr(Address()));
  EXPECT_THAT(Complaint(second.status()), HasSubstr("in use"));
}

TEST_F(SocketPathTest, AServerWithoutAnAddressDoesNotStart) {
  EXPECT_THAT(Complaint(Server::Start(door_, ServerOptions()).status()),
              HasSubstr("no address"));
}

TEST_F(SocketPathTest, ARowWithoutAMethodFailsTheStartAndIsNamed) {
  door_.On<v1::RevokeRequest, v1::RevokeResponse>(
      "ostiary.v1.TokenService/Forge", door::LaneName::kInline,
      [](const door::CallContext&, const v1::RevokeRequest&,
         v1::RevokeResponse&) { return absl::OkStatus(); });
  EXPECT_THAT(Complaint(Server::Start(door_, TcpOptions()).status()),
              HasSubstr("ostiary.v1.TokenService/Forge"));
}

}  // namespace
}  // namespace ostiary::rpc

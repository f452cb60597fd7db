#include "server/http/server.h"

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "server/base/clock.h"
#include "tests/server/http/socket_client.h"
#include "tests/support/status_matchers.h"

namespace ostiary::http {
namespace {

using ::testing::HasSubstr;

// Says back what it was given; "/wait" answers when it is told to.
class EchoHandler final : public Handler {
 public:
  void Handle(Request request, Done done) override {
    if (request.path == "/wait") {
      waiting_ = std::move(done);
      cancelled_ = request.cancelled;
      began_.Notify();
      return;
    }
    Response response;
    if (request.path == "/splitting")
      response.headers = {{"X-Echo", "a\r\nX-Evil: 1"}};
    response.body = absl::StrCat(request.method, " ", request.path, "?",
                                 request.query, " ", request.body.size());
    for (const Header& header : request.headers) {
      if (header.name == "x-trailer") response.body += " TRAILER";
    }
    done(std::move(response));
  }

  void AnswerTheWaiting() { waiting_(Response{200, {}, "waited"}); }
  void AwaitBegin() { began_.WaitForNotification(); }
  bool IsCancelled() const { return cancelled_(); }

 private:
  absl::Notification began_;
  Done waiting_;
  std::function<bool()> cancelled_;
};

class ServerTest : public ::testing::Test {
 protected:
  void Start(const Limits& limits = Limits()) {
    ServerOptions options;
    options.listen = {"127.0.0.1:0"};
    options.limits = limits;
    auto server = Server::Start(options, clock_, handler_);
    ASSERT_OK(server);
    server_ = *std::move(server);
  }
  std::unique_ptr<SocketClient> Connect() {
    return std::make_unique<SocketClient>(server_->ports().at(0));
  }
  // The status that `bytes` earn on a new connection, which must then be
  // closed.
  int Refusal(absl::string_view bytes) {
    auto client = Connect();
    const SeenAnswer answer = client->Ask(bytes);
    EXPECT_EQ(answer.headers.count("connection"), 1u) << bytes;
    EXPECT_TRUE(client->IsClosedByServer()) << bytes;
    return answer.status;
  }
  int Status(absl::string_view bytes) { return Connect()->Ask(bytes).status; }

  SystemClock clock_;
  EchoHandler handler_;
  std::unique_ptr<Server> server_;
};

TEST_F(ServerTest, AnswersAndKeepsTheConnection) {
  Start();
  auto client = Connect();
  for (int i = 0; i < 3; ++i) {
    const SeenAnswer answer = client->Ask(Get("/a/b?c=d"));
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "GET /a/b?c=d 0");
    EXPECT_EQ(answer.headers.at("x-content-type-options"), "nosniff");
    EXPECT_EQ(answer.headers.count("date"), 1u);
    EXPECT_EQ(answer.headers.count("connection"), 0u);
    EXPECT_EQ(answer.headers.count("strict-transport-security"), 0u);
  }
}

TEST_F(ServerTest, PipelinedRequestsAreAnsweredInOrder) {
  Start();
  auto client = Connect();
  std::string bytes;
  for (int i = 0; i < 20; ++i)
    bytes += JsonPost(absl::StrCat("/", i), std::string(i, 'x'));
  client->Send(bytes);
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(client->Receive().body, absl::StrCat("POST /", i, "? ", i));
}

TEST_F(ServerTest, ARequestMayArriveByteByByte) {
  Start();
  auto client = Connect();
  for (const char c : JsonPost("/slow", "{}"))
    ASSERT_TRUE(client->Send(std::string(1, c)));
  EXPECT_EQ(client->Receive().body, "POST /slow? 2");
}

TEST_F(ServerTest, Http10ClosesUnlessAskedToStay) {
  Start();
  auto client = Connect();
  SeenAnswer answer =
      client->Ask("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(answer.headers.at("connection"), "keep-alive");
  answer = client->Ask("GET / HTTP/1.0\r\n\r\n");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.headers.at("connection"), "close");
  EXPECT_TRUE(client->IsClosedByServer());
}

TEST_F(ServerTest, ConnectionCloseIsHonoured) {
  Start();
  auto client = Connect();
  const SeenAnswer answer = client->Ask(Get("/", "Connection: Foo, Close\r\n"));
  EXPECT_EQ(answer.headers.at("connection"), "close");
  EXPECT_TRUE(client->IsClosedByServer());
}

TEST_F(ServerTest, HeadHasLengthButNoBody) {
  Start();
  auto client = Connect();
  client->Send("HEAD /x HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(client->ReceiveHead().headers.at("content-length"), "10");
  EXPECT_EQ(client->Ask(Get("/")).status, 200);
}

TEST_F(ServerTest, ContinueIsSaidBeforeTheBodyIsSent) {
  Start();
  auto client = Connect();
  client->Send(
      "POST /up HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
      "Content-Length: 3\r\n\r\n");
  EXPECT_EQ(client->ReceiveInterim().status, 100);
  EXPECT_EQ(client->Ask("abc").body, "POST /up? 3");
}

TEST_F(ServerTest, ABodyTooLargeIsRefusedBeforeItIsSent) {
  Start();
  EXPECT_EQ(Refusal("POST / HTTP/1.1\r\nHost: localhost\r\n"
                    "Expect: 100-continue\r\nContent-Length: 65537\r\n\r\n"),
            413);
  EXPECT_EQ(Refusal("POST / HTTP/1.1\r\nHost: localhost\r\n"
                    "Expect: 200-ok\r\nContent-Length: 3\r\n\r\nabc"),
            417);
}

TEST_F(ServerTest, BodiesAreBoundedWithAndWithoutChunks) {
  Start();
  const std::string most(64 * 1024, 'x');
  EXPECT_EQ(Connect()->Ask(JsonPost("/", most)).body, "POST /? 65536");
  EXPECT_EQ(Refusal(JsonPost("/", most + "x")), 413);
  const std::string chunked =
      "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: "
      "chunked\r\n\r\n";
  const std::string half =
      absl::StrCat("8000\r\n", std::string(0x8000, 'y'), "\r\n");
  EXPECT_EQ(Connect()->Ask(chunked + half + half + "0\r\n\r\n").body,
            "POST /? 65536");
  EXPECT_EQ(Refusal(chunked + half + half + "1\r\nz\r\n0\r\n\r\n"), 413);
}

TEST_F(ServerTest, ChunksMayComeByteByByte) {
  Start();
  const std::pair<absl::string_view, absl::string_view> bodies[] = {
      {"2;e=1\r\nab\r\n0\r\nX: y\r\n\r\n", "POST /? 2"},
      {"0\r\n\r\n", "POST /? 0"}};
  for (const auto& [body, answer] : bodies) {
    auto client = Connect();
    client->Send(
        "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: "
        "chunked\r\n\r\n");
    for (const char byte : body.substr(0, body.size() - 1)) {
      client->Send({&byte, 1});
      absl::SleepFor(absl::Milliseconds(2));
    }
    EXPECT_EQ(client->Ask("\n").body, answer);
  }
}

TEST_F(ServerTest, AFarTooLargeBodyStillGetsItsAnswer) {
  Start();
  EXPECT_EQ(Refusal(JsonPost("/", std::string(200 * 1024, 'x'))), 413);
}

TEST_F(ServerTest, ChunksCannotBeMostlyOverhead) {
  Start();
  const std::string chunk =
      absl::StrCat("1;", std::string(4000, 'e'), "\r\nx\r\n");
  std::string bytes =
      "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: "
      "chunked\r\n\r\n";
  for (int i = 0; i < 200; ++i) bytes += chunk;
  EXPECT_EQ(Refusal(bytes), 413);
}

TEST_F(ServerTest, TheRequestLineIsBounded) {
  Start();
  const auto with_line = [](std::size_t size) {
    const std::string rest = " HTTP/1.1\r\nHost: localhost\r\n\r\n";
    return absl::StrCat("GET /", std::string(size - 14, 'p'), rest);
  };
  EXPECT_EQ(Status(with_line(8 * 1024)), 200);
  EXPECT_EQ(Refusal(with_line(8 * 1024 + 1)), 414);
  EXPECT_EQ(Refusal(std::string(100 * 1024, 'p')), 414);
}

TEST_F(ServerTest, TheHeaderIsBounded) {
  Start();
  const auto with_header = [](std::size_t size) {
    const std::string begin = "GET / HTTP/1.1\r\nHost: localhost\r\nX: ";
    return absl::StrCat(begin, std::string(size - begin.size() - 4, 'v'),
                        "\r\n\r\n");
  };
  EXPECT_EQ(Status(with_header(16 * 1024)), 200);
  EXPECT_EQ(Refusal(with_header(16 * 1024 + 1)), 431);
  EXPECT_EQ(Refusal(with_header(1600 * 1024).substr(0, 250 * 1024)), 431);
}

TEST_F(ServerTest, TheNumberOfFieldsIsBounded) {
  Start();
  const auto with_fields = [](int count) {
    std::string more;
    for (int i = 1; i < count; ++i) more += "X: y\r\n";
    return Get("/", more);
  };
  EXPECT_EQ(Status(with_fields(64)), 200);
  EXPECT_EQ(Refusal(with_fields(65)), 431);
}

// Each of these could be read as two different requests by two servers in a
// row, or is no HTTP at all.
TEST_F(ServerTest, AmbiguousRequestsAreRefusedAndTheConnectionClosed) {
  Start();
  const std::string post = "POST / HTTP/1.1\r\nHost: localhost\r\n";
  const std::string smuggled = "GET /evil HTTP/1.1\r\nHost: localhost\r\n\r\n";
  for (const std::string& bytes : std::vector<std::string>{
           post +
               "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
               "0\r\n\r\n" +
               smuggled,
           post +
               "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n"
               "0\r\n\r\n" +
               smuggled,
           post + "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
           post + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
           post + "Content-Length: 3, 3\r\n\r\nabc",
           post + "Content-Length: +3\r\n\r\nabc",
           post + "Content-Length: 0x3\r\n\r\nabc",
           post + "Content-Length: -1\r\n\r\n",
           post + "Content-Length:\r\n\r\n",
           post + "Content-Length: 99999999999999999999999\r\n\r\n",
           post + "Transfer-Encoding: chunked\r\n"
                  "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
           post + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n\r\n",
           post + "Transfer-Encoding: chunked\r\n\r\n3\nabc\n0\n\n\r\n\r\n",
           post + "Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
           post + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
           post + "X: a\r\n folded: b\r\n\r\n",
           post + "X: a\r\n\tfolded\r\n\r\n",
           post + "X: a\nTransfer-Encoding: chunked\r\n\r\n",
           post + "X: a\rContent-Length: 3\r\n\r\n",
           post + std::string("X: a\0b\r\n\r\n", 10),
           post + "X: a\x01"
                  "b\r\n\r\n",
           post + "No colon here\r\n\r\n",
           post + ": no name\r\n\r\n",
           post + "Host: localhost\r\n\r\n",
           std::string("GET / HTTP/1.1\r\n\r\n"),
           std::string("GET / HTTP/1.1\r\nHost:\r\n\r\n"),
           std::string("GET / HTTP/1.1\r\nHost: a b\r\n\r\n"),
           std::string("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
           std::string("GET / HTTP/1.1\nHost: localhost\n\n"),
           std::string("GET  / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
           std::string("GET http://x/ HTTP/1.1\r\nHost: localhost\r\n\r\n"),
           std::string("CONNECT a:443 HTTP/1.1\r\nHost: localhost\r\n\r\n"),
           std::string("GET /\r\nHost: localhost\r\n\r\n"),
           std::string("\r\nGET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
           std::string("\x16\x03\x01\x02\x00", 5)}) {
    EXPECT_EQ(Refusal(bytes), 400) << bytes;
  }
}

TEST_F(ServerTest, OtherCodingsAndVersionsAreRefused) {
  Start();
  const std::string post = "POST / HTTP/1.1\r\nHost: localhost\r\n";
  for (const char* const coding :
       {"gzip", "xchunked", "gzip, chunked", "chunked, chunked", "identity"}) {
    const int status = Refusal(
        absl::StrCat(post, "Transfer-Encoding: ", coding, "\r\n\r\n0\r\n\r\n"));
    EXPECT_TRUE(status == 501 || status == 400) << coding << " " << status;
  }
  EXPECT_EQ(Refusal("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
            400);
  EXPECT_EQ(Refusal("GET / HTTP/2.0\r\nHost: localhost\r\n\r\n"), 505);
  EXPECT_EQ(Refusal("GET /a b HTTP/1.1\r\nHost: localhost\r\n\r\n"), 505);
  EXPECT_EQ(Refusal("GET / HTTP/1.2\r\nHost: localhost\r\n\r\n"), 505);
}

TEST_F(ServerTest, TrailersNeverBecomeHeaders) {
  Start();
  EXPECT_EQ(Connect()
                ->Ask("POST / HTTP/1.1\r\nHost: localhost\r\n"
                      "Trailer: X-Trailer\r\nTransfer-Encoding: chunked\r\n\r\n"
                      "1\r\na\r\n0\r\nX-Trailer: b\r\n\r\n")
                .body,
            "POST /? 1");
}

TEST_F(ServerTest, AHeaderWithALineBreakBecomesAServerError) {
  Start();
  const SeenAnswer answer = Connect()->Ask(Get("/splitting"));
  EXPECT_EQ(answer.status, 500);
  EXPECT_EQ(answer.headers.count("x-evil"), 0u);
}

TEST_F(ServerTest, DrippedHeadersAreCutAtOneDeadline) {
  Limits limits;
  limits.header_time = absl::Milliseconds(80);
  Start(limits);
  auto client = Connect();
  const absl::Time begin = absl::Now();
  while (absl::Now() - begin < absl::Seconds(5)) {
    if (!client->Send("X")) break;
    absl::SleepFor(absl::Milliseconds(10));
  }
  EXPECT_LT(absl::Now() - begin, absl::Seconds(2));
  EXPECT_TRUE(client->IsClosedByServer());
}

TEST_F(ServerTest, BodiesThatDoNotComeAndIdleConnectionsAreCut) {
  Limits limits;
  limits.body_time = absl::Milliseconds(50);
  limits.idle_time = absl::Milliseconds(50);
  Start(limits);
  auto waiting = Connect();
  waiting->Send(
      "POST / HTTP/1.1\r\nHost: localhost\r\n"
      "Content-Length: 3\r\n\r\na");
  EXPECT_TRUE(waiting->IsClosedByServer());
  auto idle = Connect();
  EXPECT_EQ(idle->Ask(Get("/")).status, 200);
  EXPECT_TRUE(idle->IsClosedByServer());
}

TEST_F(ServerTest, ASilentConnectionIsCut) {
  Limits limits;
  limits.header_time = absl::Milliseconds(50);
  Start(limits);
  EXPECT_TRUE(Connect()->IsClosedByServer());
}

TEST_F(ServerTest, OneAddressCannotTakeEveryPlace) {
  Limits limits;
  limits.connections_per_address = 2;
  Start(limits);
  auto first = Connect();
  EXPECT_EQ(first->Ask(Get("/")).status, 200);
  auto second = Connect();
  EXPECT_EQ(second->Ask(Get("/")).status, 200);
  {
    auto third = Connect();
    EXPECT_EQ(third->Receive().status, 503);
    EXPECT_TRUE(third->IsClosedByServer());
  }
  EXPECT_EQ(second->Ask(Get("/", "Connection: close\r\n")).status, 200);
  EXPECT_TRUE(second->IsClosedByServer());
  int status = 503;  // the place is free a moment after the close
  for (int i = 0; i < 100 && status != 200; ++i) {
    auto again = Connect();
    again->Send(Get("/"));
    status = again->Receive().status;
    if (status != 200) absl::SleepFor(absl::Milliseconds(5));
  }
  EXPECT_EQ(status, 200);
}

TEST_F(ServerTest, WhoAsksTakesThePlaceOfWhoKeepsUsWaitingLongest) {
  Limits limits;
  limits.connections = 2;
  Start(limits);
  auto silent = Connect();
  auto dripping = Connect();
  dripping->Send("GET / HT");
  auto asking = Connect();
  EXPECT_EQ(asking->Ask(Get("/")).status, 200);
  EXPECT_TRUE(silent->IsClosedByServer());
  auto another = Connect();
  EXPECT_EQ(another->Ask(Get("/")).status, 200);
  EXPECT_TRUE(dripping->IsClosedByServer());
  // With nobody else left, who has been between requests for longest goes.
  auto late = Connect();
  EXPECT_EQ(late->Ask(Get("/")).status, 200);
  EXPECT_TRUE(asking->IsClosedByServer());
  EXPECT_EQ(another->Ask(Get("/")).status, 200);
}

TEST_F(ServerTest, WhoseAnswerIsBeingMadeKeepsItsPlace) {
  Limits limits;
  limits.connections = 1;
  Start(limits);
  auto waiting = Connect();
  waiting->Send(Get("/wait"));
  handler_.AwaitBegin();
  auto late = Connect();
  EXPECT_EQ(late->Receive().status, 503);
  handler_.AnswerTheWaiting();
  EXPECT_EQ(waiting->Receive().status, 200);
}

TEST_F(ServerTest, ALateHandlerIsAnsweredFor) {
  Limits limits;
  limits.handler_time = absl::Milliseconds(50);
  Start(limits);
  auto client = Connect();
  const SeenAnswer answer = client->Ask(Get("/wait"));
  EXPECT_EQ(answer.status, 504);
  EXPECT_TRUE(client->IsClosedByServer());
  EXPECT_TRUE(handler_.IsCancelled());
  handler_.AnswerTheWaiting();  // finds nobody, harms nobody
  EXPECT_EQ(Status(Get("/")), 200);
}

TEST_F(ServerTest, WhoLeavesIsSeenToHaveLeft) {
  Start();
  auto client = Connect();
  client->Send(Get("/wait"));
  handler_.AwaitBegin();
  EXPECT_FALSE(handler_.IsCancelled());
  client.reset();
  for (int i = 0; i < 1000 && !handler_.IsCancelled(); ++i)
    absl::SleepFor(absl::Milliseconds(2));
  EXPECT_TRUE(handler_.IsCancelled());
  handler_.AnswerTheWaiting();
}

TEST_F(ServerTest, WhoPipelinesHasNotLeft) {
  Start();
  auto client = Connect();
  client->Send(Get("/wait") + Get("/next"));
  handler_.AwaitBegin();
  client->Send(Get("/after"));
  absl::SleepFor(absl::Milliseconds(10));
  EXPECT_FALSE(handler_.IsCancelled());
  handler_.AnswerTheWaiting();
  EXPECT_EQ(client->Receive().body, "waited");
  EXPECT_EQ(client->Receive().body, "GET /next? 0");
  EXPECT_EQ(client->Receive().body, "GET /after? 0");
}

TEST_F(ServerTest, DrainingFinishesWhatIsUnderWay) {
  Start();
  auto idle = Connect();
  EXPECT_EQ(idle->Ask(Get("/")).status, 200);
  auto busy = Connect();
  busy->Send(Get("/wait"));
  handler_.AwaitBegin();
  std::thread drainer([&] { server_->Drain(absl::Seconds(10)); });
  EXPECT_TRUE(idle->IsClosedByServer());
  handler_.AnswerTheWaiting();
  const SeenAnswer answer = busy->Receive();
  EXPECT_EQ(answer.body, "waited");
  EXPECT_EQ(answer.headers.at("connection"), "close");
  EXPECT_TRUE(busy->IsClosedByServer());
  drainer.join();
}

TEST_F(ServerTest, DrainingCutsOffWhatTakesTooLong) {
  Start();
  auto busy = Connect();
  busy->Send(Get("/wait"));
  handler_.AwaitBegin();
  server_->Drain(absl::Milliseconds(20));
  EXPECT_TRUE(busy->IsClosedByServer());
  server_.reset();
  handler_.AnswerTheWaiting();  // after the server has gone
}

TEST_F(ServerTest, AListenFailureSaysWhereAndWhy) {
  Start();
  ServerOptions options;
  options.listen = {server_->addresses().at(0)};
  const auto second = Server::Start(options, clock_, handler_);
  ASSERT_FALSE(second.ok());
  EXPECT_THAT(std::string(second.status().message()),
              ::testing::AllOf(HasSubstr(server_->addresses().at(0)),
                               HasSubstr("in use"), HasSubstr("errno 98")));
  for (const char* const text : {"", "8080", "host:1", "1.2.3.4", "::1:80",
                                 "1.2.3.4:65536", "[1.2.3.4]:1", ":80"}) {
    options.listen = {text};
    EXPECT_FALSE(Server::Start(options, clock_, handler_).ok()) << text;
  }
}

TEST_F(ServerTest, ListensOnSeveralAddresses) {
  ServerOptions options;
  options.listen = {"127.0.0.1:0", "localhost:0"};
  auto server = Server::Start(options, clock_, handler_);
  ASSERT_OK(server);
  ASSERT_EQ((*server)->ports().size(), 2u);
  EXPECT_EQ(SocketClient((*server)->ports()[1]).Ask(Get("/")).status, 200);
}

}  // namespace
}  // namespace ostiary::http

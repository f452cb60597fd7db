// Keeps every connection to one HTTP/1.1 server on loopback busy for a while:
// one request on each at a time, the next when its answer is in.
//
//   http_load PORT SECONDS MARK [MEMBER] < requests
//
// stdin: one connection a line, three words in hexadecimal: the head of its
// request up to and without Content-Length, its body, and what stands for "%"
// in that body. With MEMBER the string member of that name in the JSON of each
// answer takes its place in the next request, as refresh tokens do. An answer
// is good if it is a 200 that contains MARK. Prints one line of JSON.
//
// Stands alone (no library of the project), so that the peers can be measured
// where nothing of it is built.

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

// What a server may take over one answer before the run is given up.
constexpr int kPatienceMillis = 60'000;
constexpr std::size_t kLargestAnswer = 1 << 20;

std::string FromHex(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return bytes;
}

// The value of a header, or nothing. `head` ends with an empty line.
std::optional<std::string> Header(const std::string& head,
                                  const std::string& name) {
  for (std::size_t at = head.find("\r\n"); at != std::string::npos;
       at = head.find("\r\n", at + 2)) {
    const char* line = head.c_str() + at + 2;
    if (strncasecmp(line, name.c_str(), name.size()) != 0) continue;
    if (line[name.size()] != ':') continue;
    const std::string rest(line + name.size() + 1);
    const std::string value = rest.substr(0, rest.find("\r\n"));
    return value.substr(std::min(value.find_first_not_of(' '), value.size()));
  }
  return std::nullopt;
}

// The bodies of the chunks in `raw`; nothing while the last is not there yet.
std::optional<std::string> Unchunked(const std::string& raw) {
  std::string body;
  for (std::size_t at = 0;;) {
    const std::size_t line = raw.find("\r\n", at);
    if (line == std::string::npos) return std::nullopt;
    const std::size_t size = std::strtoul(raw.c_str() + at, nullptr, 16);
    if (raw.size() < line + 2 + size + 2) return std::nullopt;
    if (size == 0) return body;
    body.append(raw, line + 2, size);
    at = line + 2 + size + 2;
  }
}

struct Answer {
  bool ok = false;  // a 200
  bool closes = false;
  std::string body;
};

// The answer at the front of `bytes`; nothing while it is not complete.
std::optional<Answer> Parsed(const std::string& bytes) {
  const std::size_t end = bytes.find("\r\n\r\n");
  if (end == std::string::npos) return std::nullopt;
  const std::string head = bytes.substr(0, end + 4);
  Answer answer;
  answer.ok = head.compare(8, 5, " 200 ") == 0;
  const std::string connection = Header(head, "Connection").value_or("");
  answer.closes = strcasecmp(connection.c_str(), "close") == 0;
  const std::string raw = bytes.substr(end + 4);
  if (Header(head, "Transfer-Encoding")) {
    std::optional<std::string> body = Unchunked(raw);
    if (!body) return std::nullopt;
    answer.body = std::move(*body);
    return answer;
  }
  const std::size_t length = std::strtoul(
      Header(head, "Content-Length").value_or("0").c_str(), nullptr, 10);
  if (raw.size() < length) return std::nullopt;
  answer.body = raw.substr(0, length);
  return answer;
}

// The string member `name` of a JSON object, as it stands there.
std::optional<std::string> Member(const std::string& json,
                                  const std::string& name) {
  std::size_t at = json.find("\"" + name + "\"");
  if (at == std::string::npos) return std::nullopt;
  at = json.find(':', at);
  if (at == std::string::npos) return std::nullopt;
  at = json.find_first_not_of(" :", at);
  if (at == std::string::npos || json[at] != '"') return std::nullopt;
  return json.substr(at + 1, json.find('"', at + 1) - at - 1);
}

class Connection {
 public:
  Connection(int port, std::string head, std::string body, std::string carry)
      : port_(port),
        head_(std::move(head)),
        body_(std::move(body)),
        carry_(std::move(carry)) {}

  int socket() const { return socket_; }
  Clock::time_point began() const { return began_; }
  void Carry(std::string value) { carry_ = std::move(value); }
  const std::string& carry() const { return carry_; }

  void Send() {
    if (socket_ < 0) Open();
    std::string body = body_;
    if (const std::size_t at = body.find('%'); at != std::string::npos)
      body.replace(at, 1, carry_);
    std::string request = head_;
    if (!body.empty())
      request += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    request += "\r\n" + body;
    received_.clear();
    began_ = Clock::now();
    // A request fits in the buffer of a socket on loopback.
    if (send(socket_, request.data(), request.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(request.size()))
      throw std::runtime_error("cannot send");
  }

  // Takes what has come; the answer once it is complete.
  std::optional<Answer> Receive() {
    char part[16384];
    const ssize_t size = recv(socket_, part, sizeof part, 0);
    if (size <= 0) throw std::runtime_error("closed before the answer was in");
    received_.append(part, static_cast<std::size_t>(size));
    if (received_.size() > kLargestAnswer)
      throw std::runtime_error("too large an answer");
    std::optional<Answer> answer = Parsed(received_);
    if (answer && answer->closes) Close();
    return answer;
  }

  void Close() {
    close(socket_);
    socket_ = -1;
  }

 private:
  void Open() {
    socket_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port_));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(socket_, reinterpret_cast<sockaddr*>(&address),
                sizeof address) != 0)
      throw std::runtime_error("cannot connect");
    const int on = 1;
    setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }

  const int port_;
  const std::string head_;
  const std::string body_;
  std::string carry_;
  int socket_ = -1;
  std::string received_;
  Clock::time_point began_;
};

struct Tally {
  std::vector<double> micros;
  long errors = 0;
  std::string first_error;
};

void Note(const Answer& answer, const std::string& mark,
          const std::string& member, Connection& connection, Tally& tally) {
  tally.micros.push_back(std::chrono::duration<double, std::micro>(
                             Clock::now() - connection.began())
                             .count());
  bool good = answer.ok && answer.body.find(mark) != std::string::npos;
  if (good && !member.empty()) {
    std::optional<std::string> next = Member(answer.body, member);
    good = next.has_value();
    if (good) connection.Carry(std::move(*next));
  }
  if (good) return;
  ++tally.errors;
  if (tally.first_error.empty())
    tally.first_error =
        answer.body.substr(0, 200) + (answer.ok ? " (200)" : " (no 200)");
}

Tally Load(std::vector<Connection>& connections, double seconds,
           const std::string& mark, const std::string& member) {
  Tally tally;
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  std::vector<pollfd> waiting;
  for (Connection& one : connections) {
    one.Send();
    waiting.push_back({one.socket(), POLLIN, 0});
  }
  for (std::size_t under_way = connections.size(); under_way > 0;) {
    if (poll(waiting.data(), waiting.size(), kPatienceMillis) <= 0)
      throw std::runtime_error("no answer in time");
    for (std::size_t i = 0; i < connections.size(); ++i) {
      if (waiting[i].revents == 0) continue;
      const std::optional<Answer> answer = connections[i].Receive();
      if (!answer) continue;
      Note(*answer, mark, member, connections[i], tally);
      if (Clock::now() < end) {
        connections[i].Send();
        waiting[i].fd = connections[i].socket();
      } else {
        waiting[i].fd = -1;
        --under_way;
      }
    }
  }
  return tally;
}

double Percentile(std::vector<double>& values, double share) {
  if (values.empty()) return 0;
  const auto at =
      static_cast<std::size_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(),
                   values.begin() + static_cast<std::ptrdiff_t>(at),
                   values.end());
  return values[at];
}

std::string Hex(const std::string& bytes) {
  std::string hex;
  char two[3];
  for (const char byte : bytes) {
    std::snprintf(two, sizeof two, "%02x", static_cast<unsigned char>(byte));
    hex += two;
  }
  return hex;
}

void Print(const std::vector<Connection>& connections, Tally& tally,
           double took) {
  const auto calls = tally.micros.size();
  std::printf(
      "{\"calls\": %zu, \"errors\": %ld, \"per_second\": %.1f, \"p50_us\": "
      "%.0f, ",
      calls, tally.errors, static_cast<double>(calls) / took,
      Percentile(tally.micros, 0.5));
  std::printf("\"p99_us\": %.0f, \"first_error\": \"%s\", \"carried\": [",
              Percentile(tally.micros, 0.99), Hex(tally.first_error).c_str());
  for (std::size_t i = 0; i < connections.size(); ++i)
    std::printf("%s\"%s\"", i == 0 ? "" : ", ",
                Hex(connections[i].carry()).c_str());
  std::printf("]}\n");
}

int Main(int argc, char** argv) {
  if (argc < 4) throw std::runtime_error("expects PORT SECONDS MARK [MEMBER]");
  const double seconds = std::min(std::atof(argv[2]), 600.0);
  std::vector<Connection> connections;
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string head, body, carry;
    words >> head >> body >> carry;
    connections.emplace_back(std::atoi(argv[1]), FromHex(head), FromHex(body),
                             FromHex(carry));
  }
  const auto began = Clock::now();
  Tally tally = Load(connections, seconds, argv[3], argc > 4 ? argv[4] : "");
  Print(connections, tally,
        std::chrono::duration<double>(Clock::now() - began).count());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return Main(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "http_load: %s\n", error.what());
    return 1;
  }
}

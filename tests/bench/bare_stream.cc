#include "tests/bench/bare_stream.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "absl/strings/str_cat.h"

namespace ostiary::bench {
namespace {

enum FrameType : char {
  kData = 0,
  kHeaders = 1,
  kReset = 3,
  kSettings = 4,
  kPing = 6,
  kGoAway = 7,
  kWindowUpdate = 8,
};
constexpr char kAck = 1;
constexpr char kEndStream = 1;
constexpr char kEndHeaders = 4;
constexpr std::size_t kFrameHeader = 9;
constexpr std::size_t kMessageHeader = 5;

[[noreturn]] void Fail(const std::string& what) {
  std::fprintf(stderr, "bare stream: %s\n", what.c_str());
  std::exit(1);
}

std::string BigEndian(std::uint32_t number, int bytes) {
  std::string text;
  for (int i = bytes - 1; i >= 0; --i)
    text.push_back(static_cast<char>(number >> (8 * i) & 0xFF));
  return text;
}

std::uint32_t NumberOf(absl::string_view bytes) {
  std::uint32_t number = 0;
  for (const char c : bytes)
    number = number << 8 | static_cast<unsigned char>(c);
  return number;
}

std::string FrameOf(char type, char flags, std::uint32_t stream,
                    absl::string_view payload) {
  return absl::StrCat(BigEndian(static_cast<std::uint32_t>(payload.size()), 3),
                      absl::string_view(&type, 1), absl::string_view(&flags, 1),
                      BigEndian(stream, 4), payload);
}

// HPACK, literally and without a table. Names and values below 127 bytes.
std::string HeaderOf(absl::string_view name, absl::string_view value) {
  const char sizes[2] = {static_cast<char>(name.size()),
                         static_cast<char>(value.size())};
  return absl::StrCat(absl::string_view("\0", 1),
                      absl::string_view(&sizes[0], 1), name,
                      absl::string_view(&sizes[1], 1), value);
}

std::string Greeting(const std::string& method, const std::string& request) {
  const std::string headers = absl::StrCat(
      HeaderOf(":method", "POST"), HeaderOf(":scheme", "http"),
      HeaderOf(":path", method), HeaderOf(":authority", "localhost"),
      HeaderOf("content-type", "application/grpc"), HeaderOf("te", "trailers"));
  const std::string message = absl::StrCat(
      absl::string_view("\0", 1),
      BigEndian(static_cast<std::uint32_t>(request.size()), 4), request);
  // A window for the stream (setting 4) and one for the connection that no
  // bench fills.
  const std::string settings =
      absl::StrCat(BigEndian(4, 2), BigEndian(0x7FFFFFFF, 4));
  return absl::StrCat(
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", FrameOf(kSettings, 0, 0, settings),
      FrameOf(kWindowUpdate, 0, 0, BigEndian(0x7FFFFFFF - 65535, 4)),
      FrameOf(kHeaders, kEndHeaders, 1, headers),
      FrameOf(kData, kEndStream, 1, message));
}

int ConnectTo(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd < 0 || connect(fd, reinterpret_cast<const sockaddr*>(&address),
                        sizeof address) != 0)
    Fail("cannot connect");
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

}  // namespace

BareStream::BareStream(int port, const std::string& method,
                       const std::string& request)
    : fd_(ConnectTo(port)) {
  Write(Greeting(method, request));
}

BareStream::~BareStream() { close(fd_); }

void BareStream::Write(absl::string_view bytes) {
  if (send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(bytes.size()))
    Fail("cannot send");
}

void BareStream::Receive(const std::function<void(absl::string_view)>& take) {
  char bytes[65536];
  const ssize_t count = recv(fd_, bytes, sizeof bytes, MSG_DONTWAIT);
  if (count < 0) return;
  if (count == 0) Fail("the server closed the connection");
  received_.append(bytes, static_cast<std::size_t>(count));
  absl::string_view rest = received_;
  while (rest.size() >= kFrameHeader) {
    const std::size_t size = NumberOf(rest.substr(0, 3));
    if (rest.size() < kFrameHeader + size) break;
    TakeFrame(rest[3], rest[4], rest.substr(kFrameHeader, size));
    rest.remove_prefix(kFrameHeader + size);
  }
  received_ = std::string(rest);
  absl::string_view data = data_;
  while (data.size() >= kMessageHeader) {
    const std::size_t size = NumberOf(data.substr(1, 4));
    if (data.size() < kMessageHeader + size) break;
    take(data.substr(kMessageHeader, size));
    data.remove_prefix(kMessageHeader + size);
  }
  data_ = std::string(data);
}

void BareStream::TakeFrame(char type, char flags, absl::string_view payload) {
  switch (type) {
    case kData:
      data_.append(payload.data(), payload.size());
      return;
    case kHeaders:
      if ((flags & kEndStream) != 0) Fail("the server ended the stream");
      return;
    case kReset:
    case kGoAway:
      return Fail("the server ended the stream");
    case kSettings:
      if ((flags & kAck) == 0) Write(FrameOf(kSettings, kAck, 0, ""));
      return;
    case kPing:
      if ((flags & kAck) == 0) Write(FrameOf(kPing, kAck, 0, payload));
      return;
    default:
      return;
  }
}

}  // namespace ostiary::bench

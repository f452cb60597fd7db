// A connection's bytes: however the network cuts them into pieces, the same
// requests are read from them, or refused with the same status, and none is
// larger than the limits. What is read differently in other pieces is the
// beginning of request smuggling. Only how a broken chunk is refused may
// differ: of one with a broken extension Beast counts the size again with each
// piece.
//
// The first byte says where the second reading is cut.

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "server/http/request_reader.h"

namespace {

using namespace ostiary::http;  // NOLINT: one file, one subject

void Require(bool held, const char* rule) {
  if (held) return;
  std::cerr << "broken: " << rule << std::endl;
  std::abort();
}

// What a peer sends, in pieces; then it has left.
class SentBytes final : public Stream {
 public:
  SentBytes(asio::io_context& io, absl::string_view bytes, std::size_t piece)
      : socket_(io), bytes_(bytes), piece_(piece) {}

  Task<void> Handshake(error_code&) override { co_return; }
  Task<std::size_t> Read(asio::mutable_buffer into, error_code&) override {
    const std::size_t count = std::min({piece_, into.size(), bytes_.size()});
    std::memcpy(into.data(), bytes_.data(), count);
    bytes_.remove_prefix(count);
    co_return count;
  }
  Task<void> Write(asio::const_buffer, error_code&) override { co_return; }
  Task<void> FinishSending() override { co_return; }
  Socket& socket() override { return socket_; }

 private:
  Socket socket_;
  absl::string_view bytes_;
  const std::size_t piece_;
};

std::string Told(const RequestReader::Arrival& arrival) {
  const Request& request = arrival.request;
  std::string text =
      absl::StrCat(request.method, " ", request.path, "?", request.query, " ",
                   arrival.framing.keep_alive ? "stays" : "closes", "\n");
  for (const Header& header : request.headers)
    absl::StrAppend(&text, header.name, ": ", header.value, "\n");
  absl::StrAppend(&text, "\n", request.body.Reveal());
  return text;
}

void CheckLimits(const RequestReader::Arrival& arrival, const Limits& limits) {
  std::size_t header = arrival.request.path.size();
  for (const Header& one : arrival.request.headers)
    header += one.name.size() + one.value.size();
  Require(header <= limits.header, "no header beyond the limit");
  Require(arrival.request.body.size() <= limits.body,
          "no body beyond the limit");
}

// The requests, as session.cc takes them off a connection.
std::vector<std::string> ReadAll(absl::string_view bytes, std::size_t piece) {
  static const Limits limits;
  std::vector<std::string> all;
  asio::io_context io;
  const auto stream = std::make_shared<SentBytes>(io, bytes, piece);
  Deadline deadline(io.get_executor(), stream);
  RequestReader reader(*stream, deadline, limits);
  const auto take_all = [&]() -> Task<void> {
    for (;;) {
      const bool came = co_await reader.AwaitFirstByte();
      if (!came) break;
      const RequestReader::Arrival arrival = co_await reader.Read();
      if (arrival.outcome == RequestReader::Outcome::kGone) break;
      CheckLimits(arrival, limits);
      if (arrival.outcome == RequestReader::Outcome::kRefused) {
        if (!arrival.framing.chunked)
          all.push_back(absl::StrCat("refused ", arrival.status));
        break;
      }
      all.push_back(Told(arrival));
      if (!arrival.framing.keep_alive) break;
    }
    io.stop();  // the deadline's timer is still there
  };
  asio::co_spawn(io, take_all(), asio::detached);
  io.run();
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  if (size == 0) return 0;
  const absl::string_view bytes(reinterpret_cast<const char*>(data) + 1,
                                size - 1);
  const auto whole = ReadAll(bytes, bytes.size() + 1);
  const auto cut = ReadAll(bytes, data[0] % 64 + 1);
  if (whole != cut) {
    std::cerr << "whole: " << whole.size()
              << " requests, in pieces: " << cut.size() << "\n";
    for (const auto& one : whole) std::cerr << "whole | " << one << "\n";
    for (const auto& one : cut) std::cerr << "cut   | " << one << "\n";
  }
  Require(whole == cut, "pieces make no difference");
  return 0;
}

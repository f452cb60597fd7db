#include "server/http/request_reader.h"

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "server/http/header_scanner.h"

namespace ostiary::http {
namespace {

namespace beast_http = boost::beast::http;
using Parser = beast_http::request_parser<beast_http::string_body>;
using Arrival = RequestReader::Arrival;
using Outcome = RequestReader::Outcome;

// Chunks carry sizes and extensions; beyond this multiple of the body's limit
// they are there to keep us busy.
constexpr std::size_t kChunkOverhead = 8;
constexpr std::size_t kUsualHeaders = 8;
constexpr std::size_t kMostDiscarded = 256 * 1024;

// Of a request whose header is refused unread, as far as it is there.
std::string PathOf(absl::string_view header) {
  const std::size_t space = header.find(' ');
  if (space == absl::string_view::npos) return "";
  const absl::string_view target = header.substr(space + 1);
  return std::string(target.substr(0, target.find_first_of(" ?\r\n")));
}

void Refuse(Arrival& arrival, int status) {
  arrival.outcome = Outcome::kRefused;
  arrival.status = status;
}

int StatusOf(const error_code& ec) {
  if (ec == beast_http::error::body_limit) return 413;
  if (ec == beast_http::error::header_limit) return 431;
  if (ec == beast_http::error::bad_version) return 505;
  return 400;
}

// Trailers come later and into the parser only: they never become headers.
void TakeHeader(const Parser& parser, Request& request) {
  const auto& message = parser.get();
  request.method = std::string(message.method_string());
  request.headers.reserve(kUsualHeaders);
  for (const auto& field : message) {
    Header& header = request.headers.emplace_back(
        Header{std::string(field.name_string()), std::string(field.value())});
    absl::AsciiStrToLower(&header.name);
  }
}

// 0, or the status of the refusal.
int ParseHeader(absl::string_view header, Parser& parser, Arrival& arrival) {
  error_code ec;
  parser.put(asio::const_buffer(header.data(), header.size()), ec);
  if (ec == beast_http::error::need_more) ec = {};
  if (ec) return StatusOf(ec);
  if (!parser.is_header_done()) return 400;
  TakeHeader(parser, arrival.request);
  const auto target = parser.get().target();
  return CheckRequest({target.data(), target.size()},
                      static_cast<int>(parser.get().version()), arrival.request,
                      arrival.framing);
}

// How far a body has been fed to the parser.
struct Fed {
  std::size_t bytes = 0;
  std::size_t seen = 0;  // of what is still there, without effect
};

// Once Beast has seen the line of a last chunk it asserts that it is asked
// again only when all of one, "0\r\n\r\n" at the least, can be there.
bool EndsTooEarly(absl::string_view rest, std::size_t seen) {
  static constexpr std::size_t kShortestEnd = 5;
  return rest.size() < kShortestEnd && rest.front() == '0' &&
         absl::StrContains(rest.substr(0, seen), "\r\n");
}

// Feeds what is there. 0, or the status of the refusal.
int ParseBody(ReadBuffer& buffer, Parser& parser, Fed& fed) {
  while (!buffer.empty() && !parser.is_done()) {
    if (EndsTooEarly(buffer.view(), fed.seen)) return 0;
    error_code ec;
    const std::size_t count = parser.put(
        asio::const_buffer(buffer.view().data(), buffer.view().size()), ec);
    buffer.Consume(count);
    fed.bytes += count;
    fed.seen = count == 0 ? buffer.view().size() : 0;
    if (ec && ec != beast_http::error::need_more) return StatusOf(ec);
    if (count == 0) return buffer.spare_size() == 0 ? 400 : 0;
  }
  return 0;
}

}  // namespace

RequestReader::RequestReader(Stream& stream, Deadline& deadline,
                             const Limits& limits)
    : stream_(stream),
      deadline_(deadline),
      limits_(limits),
      buffer_(limits.header + 1024) {}

Task<bool> RequestReader::Fill() {
  error_code ec;
  const std::size_t count = co_await stream_.Read(
      asio::mutable_buffer(buffer_.spare(), buffer_.spare_size()), ec);
  if (ec || count == 0) co_return false;
  buffer_.Commit(count);
  co_return true;
}

Task<bool> RequestReader::AwaitFirstByte() {
  if (!buffer_.empty()) co_return true;
  const bool came = co_await Fill();
  co_return came;
}

Task<Arrival> RequestReader::Read() {
  Arrival arrival;
  deadline_.Set(limits_.header_time);
  HeaderScanner scanner(limits_);
  HeaderScanner::State state = scanner.Scan(buffer_.view());
  while (state == HeaderScanner::State::kNeedMore) {
    const bool more = co_await Fill();
    if (!more) co_return arrival;
    state = scanner.Scan(buffer_.view());
  }
  if (state == HeaderScanner::State::kRefused) {
    arrival.request.path = PathOf(buffer_.view());
    Refuse(arrival, scanner.status());
    co_return arrival;
  }

  Parser parser;
  parser.eager(true);
  parser.body_limit(limits_.body);
  // The scanner has held the header to our limit already.
  parser.header_limit(static_cast<std::uint32_t>(limits_.header + 1024));
  const absl::string_view header = buffer_.view().substr(0, scanner.size());
  int status = ParseHeader(header, parser, arrival);
  if (status != 0) arrival.request.path = PathOf(header);
  buffer_.Consume(scanner.size());
  if (status != 0) {
    Refuse(arrival, status);
    co_return arrival;
  }

  deadline_.Set(limits_.body_time);
  if (arrival.framing.chunked) parser.get().body().reserve(limits_.body);
  if (arrival.framing.expects_continue && !parser.is_done() &&
      buffer_.empty()) {
    static constexpr absl::string_view kContinue =
        "HTTP/1.1 100 Continue\r\n\r\n";
    error_code ec;
    co_await stream_.Write(
        asio::const_buffer(kContinue.data(), kContinue.size()), ec);
    if (ec) co_return arrival;
  }
  Fed fed;
  while (!parser.is_done()) {
    status = ParseBody(buffer_, parser, fed);
    if (status == 0 &&
        fed.bytes > limits_.body * kChunkOverhead + limits_.header)
      status = 413;
    if (status != 0) {
      Refuse(arrival, status);
      co_return arrival;
    }
    if (parser.is_done()) break;
    const bool more = co_await Fill();
    if (!more) co_return arrival;
  }
  deadline_.Clear();
  arrival.request.body = WipedBytes(std::move(parser.get().body()));
  arrival.outcome = Outcome::kRequest;
  co_return arrival;
}

Task<void> RequestReader::Discard() {
  std::size_t discarded = buffer_.view().size();
  buffer_.Consume(discarded);
  while (discarded < kMostDiscarded) {
    error_code ec;
    const std::size_t count = co_await stream_.socket().async_read_some(
        asio::mutable_buffer(buffer_.spare(), buffer_.spare_size()),
        Awaiting(ec));
    if (ec || count == 0) co_return;
    discarded += count;
  }
}

}  // namespace ostiary::http

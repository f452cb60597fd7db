#include "server/http/response_writer.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/http/error_detail.h"
#include "server/http/json_text.h"

namespace ostiary::http {
namespace {

absl::string_view ReasonPhrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 204:
      return "No Content";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 409:
      return "Conflict";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 421:
      return "Misdirected Request";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 499:
      return "Client Closed Request";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Other";
  }
}

bool IsSafe(absl::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    return c == '\r' || c == '\n' || c == '\0';
  });
}

bool IsSafe(const Response& response) {
  for (const Header& header : response.headers) {
    if (header.name.empty() || !IsSafe(header.name) || !IsSafe(header.value))
      return false;
  }
  return true;
}

// "Sun, 22 Nov 2026 18:50:00 GMT": made once a second on each thread, since
// formatting a time takes longer than writing the other headers.
absl::string_view DateText(absl::Time now) {
  thread_local std::string text;
  thread_local std::int64_t made_for = 0;
  const std::int64_t second = absl::ToUnixSeconds(now);
  if (text.empty() || second != made_for) {
    text =
        absl::FormatTime("%a, %d %b %Y %H:%M:%S GMT", now, absl::UTCTimeZone());
    made_for = second;
  }
  return text;
}

bool MayHaveBody(int status) { return status != 204 && status != 304; }

void AppendConnection(AnswerFrame::Connection connection, std::string& out) {
  switch (connection) {
    case AnswerFrame::Connection::kKeep:
      return;
    case AnswerFrame::Connection::kKeepHttp10:
      out.append("Connection: keep-alive\r\n");
      return;
    case AnswerFrame::Connection::kClose:
      out.append("Connection: close\r\n");
      return;
  }
}

absl::string_view WireSentence(int status) {
  switch (status) {
    case 413:
      return "The request's body is too large.";
    case 414:
      return "The request line is too long.";
    case 417:
      return "The only expectation known here is 100-continue.";
    case 431:
      return "The request's header is too large.";
    case 501:
      return "The only transfer coding known here is chunked.";
    case 503:
      return "There are too many connections.";
    case 504:
      return "The answer took too long.";
    case 505:
      return "This server speaks HTTP/1.1 and HTTP/1.0.";
    default:
      return "The request is not well-formed HTTP.";
  }
}

absl::string_view WireReason(int status) {
  switch (status) {
    case 413:
    case 414:
    case 431:
      return "REQUEST_TOO_LARGE";
    case 501:
    case 505:
    case 417:
      return "HTTP_FEATURE_UNSUPPORTED";
    case 503:
      return "OVERLOADED";
    case 504:
      return "DEADLINE_EXCEEDED";
    default:
      return "HTTP_MALFORMED";
  }
}

absl::string_view WireCode(int status) {
  switch (status) {
    case 501:
    case 505:
      return "unimplemented";
    case 503:
      return "unavailable";
    case 504:
      return "deadline_exceeded";
    case 500:
      return "internal";
    default:
      return "invalid_argument";
  }
}

}  // namespace

std::string WriteAnswer(const Response& response, const AnswerFrame& frame) {
  if (!IsSafe(response)) {
    return WriteAnswer(ErrorAnswer(500, "internal", "INTERNAL",
                                   "Something went wrong on our side."),
                       frame);
  }
  std::string out;
  out.reserve(512 + response.body.size());
  absl::StrAppend(&out, "HTTP/1.1 ", response.status, " ",
                  ReasonPhrase(response.status), "\r\n");
  for (const Header& header : response.headers)
    absl::StrAppend(&out, header.name, ": ", header.value, "\r\n");
  absl::StrAppend(&out, "Date: ", DateText(frame.now),
                  "\r\nX-Content-Type-Options: nosniff\r\n");
  if (frame.transport == AnswerFrame::Transport::kTls)
    out.append("Strict-Transport-Security: max-age=31536000\r\n");
  if (MayHaveBody(response.status))
    absl::StrAppend(&out, "Content-Length: ", response.body.size(), "\r\n");
  AppendConnection(frame.connection, out);
  out.append("\r\n");
  if (MayHaveBody(response.status) && frame.body == AnswerFrame::Body::kSent)
    out.append(response.body);
  return out;
}

Response ErrorAnswer(int status, absl::string_view code,
                     absl::string_view reason, absl::string_view message) {
  Response response{
      status,
      {{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}},
      "{\"code\":"};
  AppendJsonString(code, response.body);
  response.body.append(",\"message\":");
  AppendJsonString(message, response.body);
  response.body.append(",\"details\":[");
  AppendErrorInfo(reason, response.body);
  response.body.append("]}");
  return response;
}

Response Handler::Refusal(absl::string_view, int status) const {
  return WireError(status);
}

Response WireError(int status) {
  return ErrorAnswer(status, WireCode(status), WireReason(status),
                     WireSentence(status));
}

}  // namespace ostiary::http

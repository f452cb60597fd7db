#ifndef OSTIARY_TESTS_SERVER_HTTP_HANDLER_CALLS_H_
#define OSTIARY_TESTS_SERVER_HTTP_HANDLER_CALLS_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/synchronization/notification.h"
#include "server/http/message.h"

namespace ostiary::http {

// A request that arrived at loopback with Host: localhost.
inline Request MakeRequest(std::string method, std::string path,
                           std::vector<Header> headers = {},
                           std::string body = "") {
  Request request;
  request.method = std::move(method);
  request.path = std::move(path);
  request.headers = std::move(headers);
  if (request.Get("host").empty())
    request.headers.push_back({"host", "localhost"});
  request.body = WipedBytes(std::move(body));
  request.peer_address = "127.0.0.1";
  request.arrived_at_loopback = true;
  request.time_to_answer = absl::Seconds(30);
  return request;
}

inline Request MakeCall(std::string path, std::string json,
                        std::vector<Header> headers = {}) {
  headers.push_back({"content-type", "application/json"});
  return MakeRequest("POST", std::move(path), std::move(headers),
                     std::move(json));
}

// Waits for the answer.
inline Response Ask(Handler& handler, Request request) {
  Response answer;
  absl::Notification answered;
  handler.Handle(std::move(request), [&](Response response) {
    answer = std::move(response);
    answered.Notify();
  });
  answered.WaitForNotification();
  return answer;
}

// The value of a header of the answer; empty: none.
inline std::string HeaderOf(const Response& response, absl::string_view name) {
  for (const Header& header : response.headers) {
    if (absl::string_view(header.name) == name) return header.value;
  }
  return "";
}

}  // namespace ostiary::http

#endif  // OSTIARY_TESTS_SERVER_HTTP_HANDLER_CALLS_H_

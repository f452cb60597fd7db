#ifndef OSTIARY_TESTS_SERVER_HTTP_SOCKET_CLIENT_H_
#define OSTIARY_TESTS_SERVER_HTTP_SOCKET_CLIENT_H_

#include <map>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

typedef struct ssl_ctx_st SSL_CTX;
typedef struct ssl_st SSL;

namespace ostiary::http {

// An answer as a client saw it; names of headers in lower case.
struct SeenAnswer {
  int status = 0;  // 0: the connection closed before a whole answer
  std::map<std::string, std::string> headers;
  std::string body;
};

// A blocking client on 127.0.0.1 that sends exactly the bytes it is given.
// Ends a test that would wait for more than ten seconds.
class SocketClient {
 public:
  explicit SocketClient(int port);
  ~SocketClient();
  SocketClient(const SocketClient&) = delete;
  SocketClient& operator=(const SocketClient&) = delete;

  // False: the handshake failed. `alpn` in its wire form; empty: none.
  bool StartTls(int max_version = 0, const std::string& alpn = "");
  // The subject's common name of the server's certificate.
  std::string ServerName() const;

  // False: the peer has closed.
  bool Send(absl::string_view bytes);
  // Closes our side for sending.
  void FinishSending();
  // One answer; the rest stays for the next call. `to_head`: without a body.
  SeenAnswer Receive() { return ReceiveWith(true); }
  SeenAnswer ReceiveHead() { return ReceiveWith(false); }
  // An interim answer has no body and no length.
  SeenAnswer ReceiveInterim() { return ReceiveWith(false); }
  // Waits until the server closes; false if it sends anything first.
  bool IsClosedByServer();

  SeenAnswer Ask(absl::string_view bytes) {
    Send(bytes);
    return Receive();
  }

 private:
  SeenAnswer ReceiveWith(bool body);
  bool Fill();

  int socket_;
  SSL_CTX* context_ = nullptr;
  SSL* tls_ = nullptr;
  std::string received_;
};

// "POST path" with a JSON body.
std::string JsonPost(absl::string_view path, absl::string_view body,
                     absl::string_view more_headers = "");
std::string Get(absl::string_view path, absl::string_view more_headers = "");

}  // namespace ostiary::http

#endif  // OSTIARY_TESTS_SERVER_HTTP_SOCKET_CLIENT_H_

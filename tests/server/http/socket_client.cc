#include "tests/server/http/socket_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdlib>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace ostiary::http {

SocketClient::SocketClient(int port)
    : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
  timeval patience{10, 0};
  setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(socket_, reinterpret_cast<sockaddr*>(&address),
              sizeof(address)) != 0) {
    std::abort();
  }
}

SocketClient::~SocketClient() {
  if (tls_ != nullptr) SSL_free(tls_);
  if (context_ != nullptr) SSL_CTX_free(context_);
  close(socket_);
}

bool SocketClient::StartTls(int max_version, const std::string& alpn) {
  context_ = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_min_proto_version(context_, TLS1_VERSION);
  SSL_CTX_set_security_level(context_, 0);
  if (max_version != 0) SSL_CTX_set_max_proto_version(context_, max_version);
  tls_ = SSL_new(context_);
  if (!alpn.empty()) {
    SSL_set_alpn_protos(tls_,
                        reinterpret_cast<const unsigned char*>(alpn.data()),
                        static_cast<unsigned int>(alpn.size()));
  }
  SSL_set_fd(tls_, socket_);
  return SSL_connect(tls_) == 1;
}

std::string SocketClient::ServerName() const {
  X509* const certificate = SSL_get1_peer_certificate(tls_);
  char name[256] = "";
  X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName,
                            name, sizeof(name));
  X509_free(certificate);
  return name;
}

bool SocketClient::Send(absl::string_view bytes) {
  while (!bytes.empty()) {
    const auto count =
        tls_ != nullptr
            ? SSL_write(tls_, bytes.data(), static_cast<int>(bytes.size()))
            : send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

void SocketClient::FinishSending() { shutdown(socket_, SHUT_WR); }

bool SocketClient::Fill() {
  char chunk[4096];
  const auto count = tls_ != nullptr ? SSL_read(tls_, chunk, sizeof(chunk))
                                     : recv(socket_, chunk, sizeof(chunk), 0);
  if (count <= 0) return false;
  received_.append(chunk, static_cast<std::size_t>(count));
  return true;
}

bool SocketClient::IsClosedByServer() {
  if (!received_.empty()) return false;
  char byte = 0;
  const auto count =
      tls_ != nullptr ? SSL_read(tls_, &byte, 1) : recv(socket_, &byte, 1, 0);
  if (count > 0) return false;
  const bool timed_out =
      tls_ == nullptr && count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
  return !timed_out;
}

SeenAnswer SocketClient::ReceiveWith(bool body) {
  SeenAnswer answer;
  std::size_t end = 0;
  while ((end = received_.find("\r\n\r\n")) == std::string::npos) {
    if (!Fill()) return answer;
  }
  const std::string header = received_.substr(0, end);
  received_.erase(0, end + 4);
  for (const absl::string_view line : absl::StrSplit(header, "\r\n")) {
    const std::pair<std::string, std::string> field =
        absl::StrSplit(line, absl::MaxSplits(": ", 1));
    answer.headers[absl::AsciiStrToLower(field.first)] = field.second;
  }
  std::size_t length = 0;
  (void)absl::SimpleAtoi(answer.headers["content-length"], &length);
  while (body && received_.size() < length) {
    if (!Fill()) return answer;
  }
  if (body) {
    answer.body = received_.substr(0, length);
    received_.erase(0, length);
  }
  if (absl::StartsWith(header, "HTTP/1.1 "))
    (void)absl::SimpleAtoi(header.substr(9, 3), &answer.status);
  return answer;
}

std::string JsonPost(absl::string_view path, absl::string_view body,
                     absl::string_view more_headers) {
  return absl::StrCat("POST ", path,
                      " HTTP/1.1\r\nHost: localhost\r\n"
                      "Content-Type: application/json\r\n",
                      more_headers, "Content-Length: ", body.size(), "\r\n\r\n",
                      body);
}

std::string Get(absl::string_view path, absl::string_view more_headers) {
  return absl::StrCat("GET ", path, " HTTP/1.1\r\nHost: localhost\r\n",
                      more_headers, "\r\n");
}

}  // namespace ostiary::http

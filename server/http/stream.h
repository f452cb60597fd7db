#ifndef OSTIARY_SERVER_HTTP_STREAM_H_
#define OSTIARY_SERVER_HTTP_STREAM_H_

#include <boost/asio/buffer.hpp>
#include <cstddef>
#include <memory>

#include "server/http/asio.h"

namespace boost::asio::ssl {
class context;
}  // namespace boost::asio::ssl

namespace ostiary::http {

// A connection's bytes, whether TLS is around them or not. Virtual so that the
// session above is compiled once and not once per kind of stream.
//
// Not thread-safe: used on the server's own thread.
class Stream {
 public:
  virtual ~Stream() = default;

  // Before anything else; nothing to do without TLS.
  virtual Task<void> Handshake(error_code& ec) = 0;
  virtual Task<std::size_t> Read(asio::mutable_buffer into, error_code& ec) = 0;
  virtual Task<void> Write(asio::const_buffer bytes, error_code& ec) = 0;
  // Says that nothing more will be sent.
  virtual Task<void> FinishSending() = 0;

  // The socket underneath, for waiting and closing only.
  virtual Socket& socket() = 0;
  // Every operation under way ends with an error.
  void Close() {
    error_code ignored;
    socket().close(ignored);
  }
};

std::unique_ptr<Stream> MakePlainStream(Socket socket);
// The stream keeps `context` for as long as it lives: a connection goes on
// with the certificate it began with.
std::unique_ptr<Stream> MakeTlsStream(
    Socket socket, std::shared_ptr<asio::ssl::context> context);

}  // namespace ostiary::http

#endif  // OSTIARY_SERVER_HTTP_STREAM_H_

#include "server/http/stream.h"

#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <utility>

namespace ostiary::http {
namespace {

class PlainStream final : public Stream {
 public:
  explicit PlainStream(Socket socket) : socket_(std::move(socket)) {}

  Task<void> Handshake(error_code& ec) override {
    ec = {};
    co_return;
  }
  Task<std::size_t> Read(asio::mutable_buffer into, error_code& ec) override {
    co_return co_await socket_.async_read_some(into, Awaiting(ec));
  }
  Task<void> Write(asio::const_buffer bytes, error_code& ec) override {
    co_await asio::async_write(socket_, bytes, Awaiting(ec));
  }
  Task<void> FinishSending() override {
    error_code ignored;
    socket_.shutdown(asio::socket_base::shutdown_send, ignored);
    co_return;
  }
  Socket& socket() override { return socket_; }

 private:
  Socket socket_;
};

class TlsStream final : public Stream {
 public:
  TlsStream(Socket socket, std::shared_ptr<asio::ssl::context> context)
      : context_(std::move(context)), stream_(std::move(socket), *context_) {}

  Task<void> Handshake(error_code& ec) override {
    co_await stream_.async_handshake(asio::ssl::stream_base::server,
                                     Awaiting(ec));
  }
  Task<std::size_t> Read(asio::mutable_buffer into, error_code& ec) override {
    co_return co_await stream_.async_read_some(into, Awaiting(ec));
  }
  Task<void> Write(asio::const_buffer bytes, error_code& ec) override {
    co_await asio::async_write(stream_, bytes, Awaiting(ec));
  }
  Task<void> FinishSending() override {
    error_code ignored;
    co_await stream_.async_shutdown(Awaiting(ignored));
  }
  Socket& socket() override { return stream_.next_layer(); }

 private:
  const std::shared_ptr<asio::ssl::context> context_;
  asio::ssl::stream<Socket> stream_;
};

}  // namespace

std::unique_ptr<Stream> MakePlainStream(Socket socket) {
  return std::make_unique<PlainStream>(std::move(socket));
}

std::unique_ptr<Stream> MakeTlsStream(
    Socket socket, std::shared_ptr<asio::ssl::context> context) {
  return std::make_unique<TlsStream>(std::move(socket), std::move(context));
}

}  // namespace ostiary::http

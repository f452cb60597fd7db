#ifndef OSTIARY_SERVER_HTTP_ASIO_H_
#define OSTIARY_SERVER_HTTP_ASIO_H_

#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>

#include "absl/time/time.h"

// Asio's types on the one concrete executor: the type-erased default doubles
// the time to compile and costs at run time. Private to this room.
namespace ostiary::http {

namespace asio = boost::asio;
using boost::system::error_code;

using Executor = asio::io_context::executor_type;
using Socket = asio::basic_stream_socket<asio::ip::tcp, Executor>;
using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, Executor>;
using Timer =
    asio::basic_waitable_timer<std::chrono::steady_clock,
                               asio::wait_traits<std::chrono::steady_clock>,
                               Executor>;
template <typename T>
using Task = asio::awaitable<T, Executor>;

inline constexpr asio::use_awaitable_t<Executor> kAwait;

// A result of co_await is kept in a variable before it is tested: GCC 12
// miscompiles `while (co_await a) { if (!co_await b) break; }` within an if.
inline auto Awaiting(error_code& ec) {
  return asio::redirect_error(kAwait, ec);
}

// Capped at a day: the steady clock must not overflow.
inline std::chrono::nanoseconds SteadyTime(absl::Duration duration) {
  return absl::ToChronoNanoseconds(
      duration < absl::Hours(24) ? duration : absl::Hours(24));
}

}  // namespace ostiary::http

#endif  // OSTIARY_SERVER_HTTP_ASIO_H_

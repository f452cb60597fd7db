// The one place where Asio's and Beast's own code is compiled: slow, and
// rarely rebuilt.
#include <boost/asio/impl/src.hpp>
#include <boost/asio/ssl/impl/src.hpp>
#include <boost/beast/src.hpp>

#include "client/cli/endpoint.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstddef>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "client/cli/failure.h"

namespace ostiary::cli {
namespace {

// sockaddr_un.sun_path less its final zero.
constexpr std::size_t kMaxSocketPath = 107;

struct HostPort {
  std::string host;  // without brackets
  std::string port;
};

bool IsHostCharacter(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' ||
         c == '-' || c == '_';
}

bool IsIpv6(const std::string& host) {
  in6_addr address;
  return inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

bool IsHost(const std::string& host) {
  if (host.empty()) return false;
  for (const char c : host) {
    if (!IsHostCharacter(c)) return false;
  }
  return true;
}

bool IsPort(absl::string_view port) {
  int number = 0;
  return absl::SimpleAtoi(port, &number) && number >= 1 && number <= 65535;
}

std::optional<HostPort> SplitHostPort(absl::string_view server) {
  const std::size_t colon = server.rfind(':');
  if (colon == absl::string_view::npos) return std::nullopt;
  absl::string_view host = server.substr(0, colon);
  const absl::string_view port = server.substr(colon + 1);
  if (!IsPort(port)) return std::nullopt;
  const bool bracketed = absl::ConsumePrefix(&host, "[");
  if (bracketed && !absl::ConsumeSuffix(&host, "]")) return std::nullopt;
  HostPort result{std::string(host), std::string(port)};
  if (!(bracketed ? IsIpv6(result.host) : IsHost(result.host))) {
    return std::nullopt;
  }
  return result;
}

bool IsLoopback(const std::string& host) {
  if (absl::EqualsIgnoreCase(host, "localhost")) return true;
  in_addr v4;
  // By value, not by text: 127.example.com is somebody else's.
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) {
    return (ntohl(v4.s_addr) >> 24) == 127;
  }
  in6_addr v6;
  return inet_pton(AF_INET6, host.c_str(), &v6) == 1 &&
         IN6_IS_ADDR_LOOPBACK(&v6);
}

// An address needs no resolver.
std::string TargetOf(const HostPort& address, const std::string& server) {
  in_addr v4;
  if (inet_pton(AF_INET, address.host.c_str(), &v4) == 1) {
    return "ipv4:" + server;
  }
  return (IsIpv6(address.host) ? "ipv6:" : "dns:///") + server;
}

// gRPC reads a target as a URI: other bytes of a path must be escaped.
std::string EscapePath(absl::string_view path) {
  std::string escaped;
  for (const char c : path) {
    if (IsHostCharacter(c) || c == '/' || c == '~') {
      escaped += c;
    } else {
      absl::StrAppendFormat(&escaped, "%%%02X", static_cast<unsigned char>(c));
    }
  }
  return escaped;
}

absl::StatusOr<Endpoint> SocketEndpoint(const Place& place) {
  if (!place.tls_ca.empty() || !place.tls_cert.empty() ||
      !place.tls_key.empty()) {
    return UsageError(
        "the operator socket does not use TLS; --tls-ca, --tls-cert and "
        "--tls-key go with --server");
  }
  if (place.socket.size() > kMaxSocketPath) {
    return UsageError(absl::StrCat(
        "--socket: a socket path holds at most ", kMaxSocketPath,
        " bytes and this one has ", place.socket.size(),
        "; change to a folder nearer to it and give a relative path"));
  }
  return Endpoint{"unix:" + EscapePath(place.socket),
                  "the operator socket " + place.socket,
                  Protection::kLocalSocket, true};
}

absl::StatusOr<Protection> ProtectionOf(const Place& place,
                                        const HostPort& address) {
  if (!place.tls_ca.empty()) {
    if (place.allow_plaintext) {
      return UsageError("--tls-ca and --allow-plaintext contradict each other");
    }
    return Protection::kTls;
  }
  if (!place.tls_cert.empty()) {
    return UsageError("--tls-cert needs --tls-ca, to know the server by");
  }
  if (!IsLoopback(address.host) && !place.allow_plaintext) {
    return UsageError(absl::StrCat(
        "passwords and tokens would travel to ", place.server,
        " readable by everyone on the way; give --tls-ca FILE (the "
        "certificate authority of the server) or, if the network is safe, "
        "--allow-plaintext"));
  }
  return Protection::kPlaintext;
}

absl::StatusOr<Endpoint> ServerEndpoint(const Place& place) {
  if (place.tls_cert.empty() != place.tls_key.empty()) {
    return UsageError("--tls-cert and --tls-key go together");
  }
  const std::optional<HostPort> address = SplitHostPort(place.server);
  if (!address) {
    return UsageError(
        absl::StrCat("--server: \"", place.server,
                     "\" is not HOST:PORT, like localhost:50051 or "
                     "[::1]:50051"));
  }
  const absl::StatusOr<Protection> protection = ProtectionOf(place, *address);
  if (!protection.ok()) return protection.status();
  return Endpoint{TargetOf(*address, place.server), place.server, *protection,
                  IsLoopback(address->host)};
}

std::string WhyNoSocket(const std::string& path) {
  struct stat found;
  if (stat(path.c_str(), &found) != 0) {
    if (errno == EACCES) {
      return "this user may not look there; run as the user that runs "
             "ostiaryd, or use --server with an operator's token";
    }
    return "there is no such file; is ostiaryd running? It makes the socket in "
           "its data directory: say where with --socket DIR/ostiary.sock or "
           "OSTIARY_SOCKET";
  }
  if (!S_ISSOCK(found.st_mode)) return "it is not a socket";
  if (access(path.c_str(), W_OK) != 0) {
    return "this user may not open it; run as the user that runs ostiaryd, or "
           "use --server with an operator's token";
  }
  return "nobody answers there; did ostiaryd stop?";
}

}  // namespace

absl::StatusOr<Endpoint> ResolveEndpoint(const Place& place) {
  if (!place.server.empty()) return ServerEndpoint(place);
  if (place.socket.empty()) return UsageError("--socket: the path is empty");
  return SocketEndpoint(place);
}

absl::Status ExplainUnreachable(const Place& place, absl::string_view detail) {
  if (place.server.empty()) {
    return absl::UnavailableError(
        absl::StrCat("cannot reach the operator socket ", place.socket, ": ",
                     WhyNoSocket(place.socket)));
  }
  return absl::UnavailableError(absl::StrCat(
      "cannot reach ", place.server, ": ", detail,
      "; is ostiaryd listening there (--grpc-listen), ",
      place.tls_ca.empty() ? "and without TLS? If it has a certificate, give "
                             "--tls-ca FILE"
                           : "with a certificate for this host name from the "
                             "authority in --tls-ca?"));
}

}  // namespace ostiary::cli

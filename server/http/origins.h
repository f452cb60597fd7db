#ifndef OSTIARY_SERVER_HTTP_ORIGINS_H_
#define OSTIARY_SERVER_HTTP_ORIGINS_H_

#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "server/http/message.h"

namespace ostiary::http {

// Which names this server answers to.
class HostRule {
 public:
  // `issuer` is a URL; its host is allowed. `hosts` are names or addresses,
  // with or without a port, which is not compared.
  HostRule(absl::string_view issuer, const std::vector<std::string>& hosts);

  // On a connection that arrived at a loopback address, Host must be a
  // loopback address, "localhost" or a name given above: a web page whose name
  // was made to resolve to this machine sends its own (DNS rebinding).
  bool Allows(const Request& request) const;

 private:
  absl::flat_hash_set<std::string> names_;
};

// Which web pages may call.
class OriginRule {
 public:
  // The origin of the URL `issuer`, and `origins` such as
  // "https://app.example.com".
  OriginRule(absl::string_view issuer, const std::vector<std::string>& origins);

  // A request without Origin does not come from a page of another origin.
  bool Allows(const Request& request) const;

 private:
  absl::flat_hash_set<std::string> origins_;
};

}  // namespace ostiary::http

#endif  // OSTIARY_SERVER_HTTP_ORIGINS_H_

#ifndef OSTIARY_SERVER_HTTP_PUBLIC_HANDLER_H_
#define OSTIARY_SERVER_HTTP_PUBLIC_HANDLER_H_

#include <string>
#include <vector>

#include "server/base/clock.h"
#include "server/door/door.h"
#include "server/http/message.h"
#include "server/http/origins.h"

namespace ostiary::http {

// The public routes: the door's documents and its methods (Connect). The
// rules for the neighbourhood of browsers are here (protocol.md 3): 421 for a
// Host that is not ours on loopback, 403 for a method called by a web page of
// a foreign origin; any page may read the documents.
// What gateways ask (forward_auth.h) is outside these rules.
//
// Thread-safe.
class PublicHandler final : public Handler {
 public:
  struct Options {
    std::string issuer;                     // the URL
    std::vector<std::string> http_hosts;    // more names of this server
    std::vector<std::string> cors_origins;  // pages that may call the methods
  };

  // `door` and `clock` must outlive the handler and every call.
  PublicHandler(door::Door& door, const Clock& clock, const Options& options);

  void Handle(Request request, Done done) override;
  absl::Duration PatienceOf(const Request& request) const override;
  Response Refusal(absl::string_view path, int status) const override;

 private:
  Response ServeDocument(const Request& request,
                         const door::Document& document) const;
  void ServeMethod(const door::MethodRow& row, Request request, Done done);
  Response Preflight(const Request& request) const;

  door::Door& door_;
  const Clock& clock_;
  const HostRule hosts_;
  const OriginRule origins_;
};

}  // namespace ostiary::http

#endif  // OSTIARY_SERVER_HTTP_PUBLIC_HANDLER_H_

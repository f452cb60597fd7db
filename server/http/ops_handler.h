#ifndef OSTIARY_SERVER_HTTP_OPS_HANDLER_H_
#define OSTIARY_SERVER_HTTP_OPS_HANDLER_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "server/door/door.h"
#include "server/http/message.h"
#include "server/http/origins.h"

namespace ostiary::http {

// The routes for whoever runs the server, on a listener of their own:
// /healthz (the process lives), /readyz (send it traffic), /metrics
// (Prometheus' text format). The Host rule applies here, too: a web page must
// not read the metrics of the machine it is shown on.
//
// Thread-safe if the sources are.
class OpsHandler final : public Handler {
 public:
  // Called on the ops listener's own thread: a slow one delays only the other
  // routes here.
  struct Sources {
    std::function<absl::Status()> ping_store;
    std::function<std::string()> render_metrics;
  };
  struct Options {
    std::string issuer;                   // the URL
    std::vector<std::string> http_hosts;  // more names of this server
  };

  // `door` must outlive the handler.
  OpsHandler(const door::Door& door, Sources sources, const Options& options);

  void Handle(Request request, Done done) override;

 private:
  Response Answer(const Request& request) const;
  Response Readiness() const;

  const door::Door& door_;
  const Sources sources_;
  const HostRule hosts_;
};

}  // namespace ostiary::http

#endif  // OSTIARY_SERVER_HTTP_OPS_HANDLER_H_

#ifndef OSTIARY_SERVER_ASSEMBLY_H_
#define OSTIARY_SERVER_ASSEMBLY_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/base/log.h"
#include "server/config.h"

namespace ostiary {

// The whole server: every object, built in the order of dependency and taken
// down in the reverse. The only place that sees all rooms; reading
// assembly.cc tells what the program is.
//
// Owned by one thread.
class Assembly {
 public:
  // Takes the data directory, opens the store, loads keys and ledger, starts
  // the lanes. Nothing listens yet. An error says what an operator must do.
  static absl::StatusOr<std::unique_ptr<Assembly>> Build(const Config& config,
                                                         Logger& logger);

  virtual ~Assembly() = default;

  // Binds every listener and opens the door.
  virtual absl::Status Serve() = 0;

  // Where it listens, with real ports. Empty where a listener is off.
  struct Addresses {
    std::vector<std::string> grpc;
    std::vector<std::string> http;
    std::vector<std::string> ops;
    std::string operator_socket;
  };
  virtual Addresses addresses() const = 0;

  // Looks at the certificates on disk again.
  virtual void ReloadCertificates() = 0;

  // Takes no new work, lets what runs end within `patience`, makes everything
  // durable. Returns when nothing is left to wait for.
  virtual void Drain(absl::Duration patience) = 0;
};

}  // namespace ostiary

#endif  // OSTIARY_SERVER_ASSEMBLY_H_

#ifndef OSTIARY_SERVER_BASE_CERTIFICATES_H_
#define OSTIARY_SERVER_BASE_CERTIFICATES_H_

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace ostiary {

// A certificate chain and the private key that belongs to it, checked as a
// pair. PEM texts.
struct Certificates {
  std::string chain_pem;
  std::string private_key_pem;
  std::string client_ca_pem;  // empty: client certificates are not asked for
  std::uint64_t serial = 0;   // rises with each pair taken into use
  // When the first certificate of the chain ends. A pair past it is served all
  // the same: a restart in the middle of an overdue renewal must not turn a
  // warning into an outage. Whoever watches it warns.
  absl::Time not_after = absl::InfinitePast();

  ~Certificates();  // wipes the private key
};

// The one place certificates come from, for gRPC and HTTP alike. A new pair on
// disk is checked before it is swapped in; a bad one keeps the old: renewal
// writes two files one after the other, and that must not be an outage.
//
// Thread-safe.
class CertificateStore {
 public:
  struct Paths {
    std::string chain;
    std::string private_key;
    std::string client_ca;  // empty: none
  };

  // Reads and checks the files. An error names the file and what is wrong.
  static absl::StatusOr<std::unique_ptr<CertificateStore>> Open(Paths paths);

  // The pair in use. Never null.
  std::shared_ptr<const Certificates> Current() const;
  // When the pair in use ends.
  absl::Time NotAfter() const { return Current()->not_after; }

  // Looks at the files again. OK if nothing changed or a good pair was taken
  // into use; an error leaves the old pair in use and says why.
  absl::Status Reload();

 private:
  CertificateStore(Paths paths, std::shared_ptr<const Certificates> first);

  const Paths paths_;
  // Not absl::Mutex: Debian's is invisible to tsan, which must see this one.
  mutable std::mutex mutex_;
  std::shared_ptr<const Certificates> current_;  // guarded by mutex_
};

}  // namespace ostiary

#endif  // OSTIARY_SERVER_BASE_CERTIFICATES_H_

#ifndef OSTIARY_CLIENT_REVOCATION_REVISION_H_
#define OSTIARY_CLIENT_REVOCATION_REVISION_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace ostiary::revocation {

// A place in the ledger, handed out as an opaque ticket: whoever has applied it
// has seen every revocation up to it.
struct Revision {
  std::uint32_t epoch = 0;
  std::int64_t sequence = 0;

  friend bool operator==(const Revision&, const Revision&) = default;
};

// "rev_" and hexadecimal digits. Not a secret and not a proof.
std::string FormatRevision(const Revision& revision);
// nullopt for anything FormatRevision did not make.
std::optional<Revision> ParseRevision(absl::string_view text);

}  // namespace ostiary::revocation

#endif  // OSTIARY_CLIENT_REVOCATION_REVISION_H_

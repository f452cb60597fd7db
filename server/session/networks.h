#ifndef OSTIARY_SERVER_SESSION_NETWORKS_H_
#define OSTIARY_SERVER_SESSION_NETWORKS_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace ostiary::session {

// From which networks a session's refresh tokens come, as far as it takes to
// see two that take turns: an owner and a thief who share a token look like
// this, and so does somebody who carries a laptop to and fro. SessionRow keeps
// it as a number.
class Networks {
 public:
  // As the row has it; 0: nothing is known yet.
  explicit Networks(std::int64_t stored);
  std::int64_t ToStored() const;

  // A new generation was asked for from `network`: any text that is the same
  // for the same network; empty: unknown, which changes nothing.
  //
  // True if they have taken turns: three times in a row the network was not
  // the last one but the one before (A B A B A). The count then begins anew.
  bool Rotated(absl::string_view network);

  // The same generation was asked for again. From the network of before it
  // says nothing: a retry comes from where the first attempt came from.
  bool Retried(absl::string_view network);

 private:
  bool Moved(std::uint64_t mark);

  std::uint64_t last_;
  std::uint64_t before_last_;
  std::uint64_t turns_;
};

}  // namespace ostiary::session

#endif  // OSTIARY_SERVER_SESSION_NETWORKS_H_

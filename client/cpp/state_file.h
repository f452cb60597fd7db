#ifndef OSTIARY_CLIENT_CPP_STATE_FILE_H_
#define OSTIARY_CLIENT_CPP_STATE_FILE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "client/cpp/knowledge.h"

namespace ostiary::client {

// What is known, on disk, so that a service that restarts while Ostiary is away
// goes on from where it was. Mode 0600, replaced by renaming; whoever can write
// it decides which keys are trusted.

// Writes keys, position and entries of `knowledge` for `issuer`. Nothing is
// written before the first complete snapshot. The file that was there stays if
// it fails.
absl::Status WriteState(const std::string& path, absl::string_view issuer,
                        const Knowledge& knowledge);

// Merges what the file says into `knowledge`, which knows nothing yet. With an
// error nothing was merged: NOT_FOUND if there is no file; FAILED_PRECONDITION
// if it is of another issuer; DATA_LOSS if its checksum or form is wrong.
//
// Staleness counts from the file's `as_of`; one that lies in the future (the
// clock was set back) says nothing about freshness.
absl::Status ReadState(const std::string& path, absl::string_view issuer,
                       absl::Time now, absl::Duration uptime,
                       Knowledge& knowledge);

}  // namespace ostiary::client

#endif  // OSTIARY_CLIENT_CPP_STATE_FILE_H_

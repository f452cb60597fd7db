#ifndef OSTIARY_CLIENT_CPP_WIRE_H_
#define OSTIARY_CLIENT_CPP_WIRE_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/jwt/key_set.h"
#include "client/revocation/revoked_set.h"
#include "google/protobuf/repeated_field.h"
#include "ostiary/v1/revocation_service.pb.h"

namespace ostiary::client {

// From messages of the feed to values of ours.

// INVALID_ARGUMENT beyond the years 1 to 9999.
absl::StatusOr<absl::Time> TimeOf(const google::protobuf::Timestamp& time);

// Keys that cannot be used are left out (KeySet::Parse says which).
// INVALID_ARGUMENT if two have one kid.
absl::StatusOr<jwt::KeySet> KeySetOf(const v1::RevocationKeySet& keys);

// INVALID_ARGUMENT, with nothing added, for an entry that cannot be read or is
// of a kind that this library does not know.
absl::Status AddEntry(const v1::RevocationEntry& entry,
                      revocation::RevokedSet& revoked);
absl::Status AddFingerprints(const v1::FingerprintSet& set,
                             revocation::RevokedSet& revoked);

}  // namespace ostiary::client

#endif  // OSTIARY_CLIENT_CPP_WIRE_H_

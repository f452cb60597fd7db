#ifndef OSTIARY_SERVER_DOOR_DOCUMENTS_H_
#define OSTIARY_SERVER_DOOR_DOCUMENTS_H_

#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "server/door/house_door.h"
#include "server/door/status_list_shelf.h"
#include "server/key/key_ring.h"

namespace ostiary::door {

// The documents at the well-known paths: the JWKS, OpenID Connect discovery and
// RFC 8414 metadata. They advertise what works and nothing else.
//
// For an issuer with a path, RFC 8414 puts the path behind
// "/.well-known/oauth-authorization-server" and OpenID Connect before
// "/.well-known/openid-configuration"; both forms are served.
absl::flat_hash_map<std::string, HouseDoor::DocumentSource> WellKnownDocuments(
    const std::string& issuer, const key::KeyRing& keys);

// Where the status lists stand: beneath the issuer's path, and beneath the
// root for who strips it.
std::vector<HouseDoor::Shelf> StatusListShelves(const std::string& issuer,
                                                StatusListShelf& lists);

}  // namespace ostiary::door

#endif  // OSTIARY_SERVER_DOOR_DOCUMENTS_H_
